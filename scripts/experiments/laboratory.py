"""The project's laboratory, scripts/lab: database servers, caches and brokers on loopback ports."""

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from .process import ExperimentError

ROOT = Path(__file__).resolve().parents[2]
LAB = [str(ROOT / "scripts" / "lab")]
"""The laboratory's command."""
HOST = "127.0.0.1"
PGBENCH_SCALE = 10


def use_newest() -> None:
    """From now on the laboratory is that of today's servers."""
    LAB.append("--newest")


@dataclass(frozen=True)
class Laboratory:
    """What `lab env` exports: ports, users, passwords. Names are without their prefix, `LAB_`."""

    values: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values["LAB_" + name]

    def port(self, name: str) -> int:
        """The port of a server: PG_PRIMARY, MY_REPLICA, RABBITMQ …"""
        return int(self[f"{name}_PORT"])

    def data(self, server: str) -> Path:
        """The folder of a server's data: of postgres-primary, for example."""
        return Path(self["DIR"]).resolve() / "data" / server

    def log(self, server: str) -> Path:
        """What a server has logged."""
        return Path(self["DIR"]) / "log" / f"{server}.log"


def exported() -> Laboratory:
    """The laboratory that runs now."""
    words = shlex.split(run_laboratory("env"))
    return Laboratory(dict(word.split("=", 1) for word in words if word != "export"))


@contextmanager
def laboratory_servers(*engines: str) -> Iterator[Laboratory]:
    """Runs the servers of the engines. Takes them down at the end if no server ran before."""
    ours = all(server.state == "down" for server in laboratory_status())
    try:
        run_laboratory("up", *engines)
        yield exported()
    finally:
        if ours:
            run_laboratory("down")


@dataclass(frozen=True)
class Server:
    """A line of `lab status`. `pid` is None for a server that does not run."""

    name: str
    port: int
    state: str
    pid: int | None


def laboratory_status() -> list[Server]:
    """Every server that the laboratory can have. All are down if there is no laboratory."""
    servers = []
    for line in run_laboratory("status").splitlines():
        name, port, state, pid, *_ = line.split()
        servers.append(Server(name, int(port), state, None if pid == "-" else int(pid)))
    return servers


def run_laboratory(*arguments: str) -> str:
    """Runs scripts/lab. Returns what it prints."""
    done = subprocess.run([*LAB, *arguments], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise ExperimentError(f"scripts/lab {shlex.join(arguments)} failed")
    text: str = done.stdout
    return text


@dataclass(frozen=True)
class Primary:
    """The laboratory's PostgreSQL primary, as pgbench uses it."""

    port: int
    user: str
    password: str
    database: str

    def client_environment(self) -> dict[str, str]:
        """The environment for libpq's programs. Without TLS: encryption is the servers' work, not the relays'."""
        login = {"PGUSER": self.user, "PGPASSWORD": self.password, "PGSSLMODE": "disable", "PGGSSENCMODE": "disable"}
        return os.environ | login

    def prepare(self) -> None:
        """Fills pgbench's tables, unless an earlier run has filled them."""
        if self._run("psql", "-Atc", "select count(*) from pgbench_branches", check=False) != str(PGBENCH_SCALE):
            self._run("pgbench", "-i", "-q", "-s", str(PGBENCH_SCALE))

    def answers_at(self, port: int) -> bool:
        """Whether a client can log in there."""
        return replace(self, port=port)._run("psql", "-Atc", "select 1", check=False) == "1"

    def version(self) -> str:
        """The version that the server reports."""
        return "PostgreSQL " + self._run("psql", "-Atc", "show server_version")

    def _run(self, program: str, *options: str, check: bool = True) -> str:
        argv = [program, "-h", HOST, "-p", str(self.port), *options, self.database]
        done = subprocess.run(argv, env=self.client_environment(), capture_output=True, text=True)
        if check and done.returncode != 0:
            raise ExperimentError(f"{shlex.join(argv)} failed: {done.stderr.strip()}")
        text: str = done.stdout
        return text.strip()


@contextmanager
def pgbench_primary() -> Iterator[Primary]:
    """The laboratory's PostgreSQL, with pgbench's tables."""
    with laboratory_servers("postgres") as lab:
        primary = Primary(lab.port("PG_PRIMARY"), lab["APP_USER"], lab["APP_PASSWORD"], database=lab["APP_DATABASE"])
        primary.prepare()
        yield primary
