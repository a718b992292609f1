"""Docker Compose and the engine, by their commands, and the faults that these can play."""

import functools
import json
import subprocess
import time
from collections.abc import Callable
from typing import Any

from .laboratory import ROOT
from .play import Fault
from .process import ExperimentError

FOLDER = ROOT / "docker"
LIMIT_SECONDS = 90
ELSEWHERE = 200
"""Added to the last number of an address, or subtracted from it."""


def run(*argv: str) -> str:
    """What a command prints. It must succeed within LIMIT_SECONDS."""
    try:
        done = subprocess.run(argv, cwd=FOLDER, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    except FileNotFoundError as error:
        raise ExperimentError(f"{argv[0]}: not found") from error
    except subprocess.TimeoutExpired as error:
        raise ExperimentError(f"{' '.join(argv)}: not done in {LIMIT_SECONDS} s") from error
    if done.returncode != 0:
        raise ExperimentError(f"{' '.join(argv)}: {done.stderr.strip()}")
    text: str = done.stdout
    return text


@functools.cache
def _compose() -> tuple[str, ...]:
    """Compose v2, or docker-compose if there is none."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True)
    return ("docker", "compose") if plugin.returncode == 0 else ("docker-compose",)


def compose(*arguments: str) -> str:
    """What Compose prints, run in the laboratory's folder. COMPOSE_FILE counts."""
    return run(*_compose(), *arguments)


def services_running() -> list[str]:
    """The names of the services whose container runs."""
    return compose("ps", "--services", "--filter", "status=running").split()


@functools.cache
def container(service: str) -> str:
    """The container of a service, running or not."""
    found = compose("ps", "-aq", service).split()
    if not found:
        raise ExperimentError(f"{service} has no container; first: docker compose up -d")
    return found[0]


def engine(command: str, service: str) -> None:
    """Runs an engine's command for the container of a service.

    It does the same as `docker compose COMMAND SERVICE`, without the time that Compose takes to start.
    """
    run("docker", command, container(service))


def in_load(service: str, *arguments: str) -> list[str]:
    """The command line that runs a command of the application in its container."""
    return ["docker", "exec", "-i", container(service), "python3", "-m", "experiments.load", *arguments]


def struck(service: str, since: float) -> float:
    """When a fault took place that was asked for at `since`: the engine's client takes a while to start."""
    wanted = [f"event={event}" for event in ("kill", "pause", "disconnect")]
    options = [option for event in wanted for option in ("--filter", event)]
    limits = ["--since", f"{since:.6f}", "--until", f"{time.time():.6f}"]
    events = run("docker", "events", *limits, *options, "--format", "{{json .}}").splitlines()
    times = [event["timeNano"] / 1e9 for event in map(json.loads, events) if _is_of(event, container(service))]
    return min(times, default=since)


def _is_of(event: dict[str, Any], identifier: str) -> bool:
    """Whether an event is about the container, or about a network and the container."""
    return identifier in (event["Actor"]["ID"], event["Actor"]["Attributes"].get("container"))


@functools.cache
def network() -> str:
    """The laboratory's network."""
    [name] = _networks("failover")
    return name


def _networks(service: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(
        run("docker", "inspect", "-f", "{{json .NetworkSettings.Networks}}", container(service))
    )
    return found


def _leave_network(service: str) -> None:
    """From now on packets to and from the service vanish."""
    run("docker", "network", "disconnect", network(), container(service))


def _join_network(service: str, at: str | None = None) -> None:
    """Ends `_leave_network`. `at` is an address in place of the former one."""
    options = ["--ip", at] if at else []
    run("docker", "network", "connect", "--alias", service, *options, network(), container(service))


def _command(name: str) -> Callable[[str], None]:
    return lambda service: engine(name, service)


def _readdress(service: str) -> None:
    """Stops the service, and gives it another address to start under."""
    before = _networks(service)[network()]["IPAddress"]
    engine("stop", service)
    _leave_network(service)
    prefix, _, last = before.rpartition(".")
    number = int(last)
    _join_network(service, f"{prefix}.{number - ELSEWHERE if number > ELSEWHERE else number + ELSEWHERE}")


FAULTS = [
    Fault("kill", "killed", _command("kill"), _command("start")),
    Fault("pause", "paused: silent", _command("pause"), _command("unpause")),
    Fault("stop", "stopped cleanly", _command("stop"), _command("start")),
    Fault("disconnect", "off the network: packets vanish", _leave_network, _join_network),
    Fault("readdress", "restarted under another address", _readdress, _command("start")),
]
