"""Where the suites run: the laboratory's primaries, with users and databases for them, and failover in front."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .admin import AdminClient
from .command import call_function
from .laboratory import HOST, ROOT, Laboratory
from .process import ExperimentError
from .relay import Relay, failover, free_ports
from .soak import listens
from .suites_outcome import Address

USER, PASSWORD = "suites", "suites-secret"
DATABASES = ("suites1", "suites2")
START_SECONDS = 20


@dataclass(frozen=True)
class Target:
    """A primary of the laboratory."""

    name: str
    """The engine's name in the laboratory."""
    engine: str
    """The engine's name in failover's configuration."""
    variables: str
    """The beginning of its variables in `lab env`."""


TARGETS = [Target("postgres", "postgres", "PG"), Target("mariadb", "mysql", "MY")]
NEWEST_TARGETS = [*TARGETS, Target("mysql", "mysql", "MYSQL")]


def use_newest_clients() -> None:
    """From now on the programs of today's servers come before those of this machine."""
    os.environ["PATH"] = f"{ROOT / '.build' / 'newest' / 'programs'}:{os.environ['PATH']}"


def need_suites(names: list[str]) -> None:
    """Installs these suites, if they are missing."""
    call_function(["packages", "newest", "suites"], "need_suites", *names)


class Stand:
    """The servers and the ports of failover in front of them."""

    def __init__(self, lab: Laboratory, ports: dict[Target, int], socket: Path, tls: bool) -> None:
        self._lab, self._ports, self._socket, self.tls = lab, ports, socket, tls

    def address(self, target: Target, through_proxy: bool) -> Address:
        """Where clients connect to."""
        tls = Path(self._lab["TLS_CA"]).parent
        port = self._ports[target] if through_proxy else self._server_port(target)
        files = (tls / "ca.pem", tls / "server.pem", tls / "server.key")
        return Address(HOST, port, USER, PASSWORD, DATABASES, self.tls, *files)

    def make_user(self, target: Target) -> None:
        """A user of the server with all privileges."""
        identified = f"by '{PASSWORD}'"
        if target.name == "postgres":
            found = self._administer(target, f"select 1 from pg_roles where rolname = '{USER}'")
            if not found:
                self._administer(target, f"create role {USER} superuser login password '{PASSWORD}'")
            return
        if target.name == "mariadb":
            identified = f"via mysql_native_password using password('{PASSWORD}')"
        self._administer(target, f"create user if not exists {USER} identified {identified}")
        self._administer(target, f"grant all on *.* to {USER} with grant option")

    def renew_databases(self, target: Target) -> None:
        """Empties the databases of the suites."""
        force = " with (force)" if target.name == "postgres" else ""
        for name in DATABASES:
            self._administer(target, f"drop database if exists {name}{force}")
            self._administer(target, f"create database {name}")
        if target.name == "mysql":
            # An account that has logged in with TLS may log in without it, for which few drivers can exchange the key.
            options = [f"--host={HOST}", f"--port={self._server_port(target)}", f"--user={USER}", "--ssl-mode=REQUIRED"]
            _output(["mysql", "--no-defaults", *options, "-e", "do 0"], {"MYSQL_PWD": PASSWORD})

    def version(self, target: Target) -> str:
        """The server's name and version."""
        statement = "show server_version" if target.name == "postgres" else "select version()"
        return f"{target.name} {self._administer(target, statement)}"

    def proxied_sessions(self, target: Target) -> int:
        """How many sessions failover has served from it."""
        client = AdminClient.over_unix_socket(self._socket)
        metrics = client.get("/metrics")
        client.close()
        found = re.search(rf'^failover_sessions_total{{.*route="{target.name}".*}} (\d+)$', metrics, re.MULTILINE)
        return int(found[1]) if found else 0

    def _server_port(self, target: Target) -> int:
        return self._lab.port(f"{target.variables}_PRIMARY")

    def _administer(self, target: Target, statement: str) -> str:
        """Runs a statement as the server's administrator, who comes through the socket."""
        folder = self._lab.data(f"{target.name}-primary")
        if target.name == "postgres":
            where = ["-h", str(folder), "-p", str(self._server_port(target)), "-U", "postgres", "-d", "postgres"]
            return _output(["psql", "-XAtq", *where, "-c", statement])
        user = "root" if target.name == "mysql" else _output(["id", "-un"])
        options = ["--no-defaults", "--batch", "--skip-column-names", f"--user={user}"]
        return _output([target.name, *options, f"--socket={folder / 'socket'}", "-e", statement])


@contextmanager
def with_stand(binary: Path, lab: Laboratory, known: list[Target], tls: bool) -> Iterator[Stand]:
    """Runs failover, and makes the users."""
    running = [target for target in known if lab.data(f"{target.name}-primary").exists()]
    ports = dict(zip(running, free_ports(len(running)), strict=True))
    relay = Relay("failover", configuration_text, failover(binary))
    with tempfile.TemporaryDirectory(prefix="failover-suites-") as directory, ExitStack() as stack:
        job = Job(lab, ports, Path(directory) / "admin")
        stand = Stand(lab, ports, job.socket, tls)
        for target in running:
            stand.make_user(target)
        process = stack.enter_context(relay.started(job, Path(directory)))
        process.wait_until(START_SECONDS, lambda: all(map(listens, ports.values())), "does not listen")
        yield stand
        if not process.is_running:
            raise process.error("ended")


@dataclass(frozen=True)
class Job:
    """What failover has to do: a port for each primary, and a socket for its admin plane."""

    lab: Laboratory
    ports: dict[Target, int]
    socket: Path


def configuration_text(job: Job) -> str:
    """A route for each primary. It has no other server, so that clients may write."""
    lab = job.lab
    databases, services = ["databases:"], ["services:"]
    login = f"user: {lab['MONITOR_USER']}, password: {lab['MONITOR_PASSWORD']}"
    for target, port in job.ports.items():
        name = f", name: {lab['APP_DATABASE']}" if target.engine == "postgres" else ""
        server = f"host: {HOST}, port: {lab.port(f'{target.variables}_PRIMARY')}"
        route = f"type: database, db_alias: {target.name}, failover_db_alias: []"
        databases.append(f"  {target.name}: {{engine: {target.engine}, {server}, {login}{name}}}")
        services.append(f'  {target.name}: {{{route}, listen: "{HOST}:{port}"}}')
    # At the end, servers may still be asleep in queries that clients did not wait for.
    top = [f"admin: {{listen: 'unix:{job.socket}'}}", "shutdown_grace: 1s"]
    return "\n".join([*top, *databases, *services, ""])


def _output(argv: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(argv, env=os.environ | (environment or {}), capture_output=True, text=True)
    if done.returncode != 0:
        raise ExperimentError(f"{argv[0]}: {done.stderr.strip()}")
    text: str = done.stdout
    return text.strip()
