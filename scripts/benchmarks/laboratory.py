"""The project's laboratory, scripts/lab: the database servers that the relays stand before."""

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .process import BenchmarkError

ROOT = Path(__file__).resolve().parents[2]
LAB = str(ROOT / "scripts" / "lab")
PGBENCH_SCALE = 10


@dataclass(frozen=True)
class Laboratory:
    """Where the primary listens and who logs in."""

    host: str
    port: int
    user: str
    password: str
    database: str

    def client_environment(self) -> dict[str, str]:
        """The environment for libpq's programs. No TLS: it is the servers' work, not the relays'."""
        login = {"PGUSER": self.user, "PGPASSWORD": self.password, "PGSSLMODE": "disable", "PGGSSENCMODE": "disable"}
        return os.environ | login

    def prepare(self) -> None:
        """Fills pgbench's tables, unless an earlier run did."""
        if self._run("psql", "-Atc", "select count(*) from pgbench_branches", check=False) != str(PGBENCH_SCALE):
            self._run("pgbench", "-i", "-q", "-s", str(PGBENCH_SCALE))

    def version(self) -> str:
        """The server's version, as it tells it."""
        return "PostgreSQL " + self._run("psql", "-Atc", "show server_version")

    def _run(self, program: str, *options: str, check: bool = True) -> str:
        argv = [program, "-h", self.host, "-p", str(self.port), *options, self.database]
        done = subprocess.run(argv, env=self.client_environment(), capture_output=True, text=True)
        if check and done.returncode != 0:
            raise BenchmarkError(f"{shlex.join(argv)} failed: {done.stderr.strip()}")
        return done.stdout.strip()


@contextmanager
def laboratory() -> Iterator[Laboratory]:
    """The laboratory's PostgreSQL, with pgbench's tables; taken down afterwards if there was none before."""
    with laboratory_servers("postgres") as exported:
        lab = Laboratory(
            host=exported["LAB_HOST"],
            port=int(exported["LAB_PG_PRIMARY_PORT"]),
            user=exported["LAB_APP_USER"],
            password=exported["LAB_APP_PASSWORD"],
            database=exported["LAB_APP_DATABASE"],
        )
        lab.prepare()
        yield lab


@contextmanager
def laboratory_servers(*engines: str) -> Iterator[dict[str, str]]:
    """Runs the engines' servers, and yields what `lab env` exports; taken down afterwards if there were none before."""
    ours = all(server.state == "down" for server in laboratory_status())
    try:
        run_laboratory("up", *engines)
        words = shlex.split(run_laboratory("env"))
        yield dict(word.split("=", 1) for word in words if word != "export")
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
    """Every server the laboratory can have. All are down where no laboratory exists: `lab down` removes all of them."""
    servers = []
    for line in run_laboratory("status").splitlines():
        name, port, state, pid, *_ = line.split()
        servers.append(Server(name, int(port), state, None if pid == "-" else int(pid)))
    return servers


def run_laboratory(*arguments: str) -> str:
    """Runs scripts/lab; returns what it prints."""
    done = subprocess.run([LAB, *arguments], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise BenchmarkError(f"scripts/lab {shlex.join(arguments)} failed")
    return done.stdout
