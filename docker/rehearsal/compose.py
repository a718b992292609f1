"""Compose and the engine, by their commands."""

import functools
import json
import subprocess
import time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent
LIMIT_SECONDS = 90


class Broken(Exception):
    """Why the drill cannot go on."""


def run(*argv: str) -> str:
    """What a command prints; it must succeed."""
    try:
        done = subprocess.run(argv, cwd=FOLDER, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    except FileNotFoundError as error:
        raise Broken(f"{argv[0]}: not found") from error
    except subprocess.TimeoutExpired as error:
        raise Broken(f"{' '.join(argv)}: not done in {LIMIT_SECONDS} s") from error
    if done.returncode != 0:
        raise Broken(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout


@functools.cache
def _compose() -> tuple[str, ...]:
    """Compose v2, or docker-compose where there is none."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True)
    return ("docker", "compose") if plugin.returncode == 0 else ("docker-compose",)


def compose(*arguments: str) -> str:
    """What Compose prints, asked in the laboratory's folder; COMPOSE_FILE counts."""
    return run(*_compose(), *arguments)


def services_running() -> list[str]:
    """The names of services whose container runs."""
    return compose("ps", "--services", "--filter", "status=running").split()


@functools.cache
def container(service: str) -> str:
    """The container of a service, running or not."""
    found = compose("ps", "-aq", service).split()
    if not found:
        raise Broken(f"{service} has no container; first: docker compose up -d")
    return found[0]


def engine(command: str, *services: str) -> None:
    """An engine's command for the containers of those services: what `docker compose COMMAND SERVICE` comes to, without
    the time that Compose takes to start."""
    run("docker", command, *map(container, services))


def struck(service: str, since: float) -> float:
    """When a fault that was asked for since then took place: the engine's client takes a while to start."""
    wanted = [f"event={event}" for event in ("kill", "pause", "disconnect")]
    options = [option for event in wanted for option in ("--filter", event)]
    limits = ["--since", f"{since:.6f}", "--until", f"{time.time():.6f}"]
    events = run("docker", "events", *limits, *options, "--format", "{{json .}}").splitlines()
    times = [event["timeNano"] / 1e9 for event in map(json.loads, events) if _is_of(event, container(service))]
    return min(times, default=since)


def _is_of(event: dict[str, Any], identifier: str) -> bool:
    """Whether an event is of a container, or of a network and the container."""
    return identifier in (event["Actor"]["ID"], event["Actor"]["Attributes"].get("container"))


@functools.cache
def network() -> str:
    """The laboratory's network."""
    [name] = _networks("failover")
    return name


def address(service: str) -> str:
    """A service's address in the laboratory's network."""
    return _networks(service)[network()]["IPAddress"]


def _networks(service: str) -> dict[str, dict[str, str]]:
    return json.loads(run("docker", "inspect", "-f", "{{json .NetworkSettings.Networks}}", container(service)))


def leave_network(service: str) -> None:
    """From now on packets to and from the service vanish."""
    run("docker", "network", "disconnect", network(), container(service))


def join_network(service: str, at: str | None = None) -> None:
    """Ends `leave_network`, under another address if told."""
    options = ["--ip", at] if at else []
    run("docker", "network", "connect", "--alias", service, *options, network(), container(service))
