"""The local laboratory's servers, and the relays that faults are played behind."""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import relay
from .database import Database, Login, Session
from .event import REPLICA
from .laboratory import HOST, ROOT, Laboratory, Server, laboratory_status, run_laboratory
from .process import ExperimentError, holds_within
from .relay import Relay

HAPROXY_USER = "haproxy"
READY_SECONDS = 15
SHIPPED_CONFIGURATION = ROOT / "config" / "failover.yaml"
FAILOVER = "failover"


@dataclass(frozen=True)
class Engine:
    """A database engine, and how its servers and checks differ from those of the others."""

    name: str
    protocol: str
    """That of its clients: `postgres` or `mysql`."""
    laboratory_name: str
    variables: str
    """The beginning of its variables in `lab env`."""
    shutdown: signal.Signals
    """Asks a server for a fast clean shutdown."""
    haproxy_check: tuple[str, ...]
    """HAProxy's directives."""
    administrator: str | None = None
    """The program that makes HAProxy's user. None if its check needs none of its own."""


def _mysql_engine(
    name: str, laboratory_name: str, variables: str, check: tuple[str, ...], administrator: str
) -> Engine:
    return Engine(name, "mysql", laboratory_name, variables, signal.SIGTERM, check, administrator)


def _mysql_login() -> tuple[str, ...]:
    """HAProxy's check logs in to MySQL 9, and leaves.

    `mysql-check` can't: it names no authentication plugin, and MySQL 9 refuses that. Without a user it is "deprecated
    and not recommended" in HAProxy's manual. A user without a password has logged in with the packet that names the
    plugin.
    """
    abilities = (0x200 | 0x8000 | 0x80000).to_bytes(4, "little")  # protocol 4.1, secure connection, plugins
    body = abilities + (1 << 24).to_bytes(4, "little") + b"\x2d" + bytes(23)
    body += HAPROXY_USER.encode() + b"\0\0" + b"caching_sha2_password\0"
    packet = len(body).to_bytes(3, "little") + b"\1" + body
    return (
        "option tcp-check",
        "tcp-check expect rbinary ^.{6}000[aA]",  # the server's greeting
        f"tcp-check send-binary {packet.hex()}",
        "tcp-check expect rbinary ^.{6}0200",  # the login succeeded
        "tcp-check send-binary 0100000001",  # the client quits
    )


PROGRAMS = ROOT / ".build" / "newest" / "programs"
MYSQL_CHECK = (f"option mysql-check user {HAPROXY_USER}",)
POSTGRES = Engine("postgres", "postgres", "postgres", "PG", signal.SIGINT, ("option pgsql-check user monitor",))
MYSQL = _mysql_engine("mysql", "mariadb", "MY", MYSQL_CHECK, "mariadb")
ENGINES = {engine.name: engine for engine in (POSTGRES, MYSQL)}
NEWEST_MYSQL = _mysql_engine("mysql", "mysql", "MYSQL", _mysql_login(), str(PROGRAMS / "mysql"))
NEWEST_MARIADB = _mysql_engine("mariadb", "mariadb", "MY", MYSQL_CHECK, str(PROGRAMS / "mariadb"))
NEWEST_ENGINES = {engine.name: engine for engine in (POSTGRES, NEWEST_MYSQL, NEWEST_MARIADB)}


@dataclass(frozen=True)
class Servers:
    """A primary and a replica of one engine in the laboratory."""

    engine: Engine
    primary_port: int
    replica_port: int
    client: Login
    monitor_user: str
    monitor_password: str
    primary: Path
    """The folder of the primary's data. It has a certificate, `server.pem` and `server.key`, for the server's user."""
    ends_tls: bool = False
    """Whether the clients' TLS ends at failover, which has the servers' certificate."""

    def database(self, port: int) -> Database:
        """The database as clients reach it through a relay at `port`."""
        return Database(self.engine.protocol, HOST, port, self.client)

    def replica(self) -> Server:
        """The replica as it is now."""
        name = self._server_name("replica")
        return next(server for server in laboratory_status() if server.name == name)

    def replica_pid(self) -> int:
        """The process ID of the replica's first process."""
        replica = self.replica()
        if replica.pid is None:
            raise ExperimentError(f"{replica.name} does not run")
        return replica.pid

    def fault(self, name: str) -> None:
        """Does to the replica what `lab fault` calls `name`."""
        run_laboratory("fault", self._server_name("replica"), name)

    @contextmanager
    def haproxy_user(self) -> Iterator[None]:
        """The user that HAProxy's MySQL check logs in as. It has no password and no privileges."""
        if self.engine.administrator is None:
            yield
            return
        self._administer(f"create user if not exists {HAPROXY_USER}")
        try:
            yield
        finally:
            self._administer(f"drop user {HAPROXY_USER}")

    def _administer(self, statement: str) -> None:
        user = subprocess.run(["id", "-un"], stdout=subprocess.PIPE, text=True).stdout.strip()
        argv = [str(self.engine.administrator), "--no-defaults", f"--socket={self.primary / 'socket'}"]
        argv += [f"--user={user}", "-e", statement]
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode != 0:
            raise ExperimentError(f"{self._server_name('primary')}: {statement}: {done.stderr.strip()}")

    def _server_name(self, role: str) -> str:
        return f"{self.engine.laboratory_name}-{role}"


def servers_of(engine: Engine, lab: Laboratory, sslmode: str, ends_tls: bool = False) -> Servers:
    """The servers of `engine` in the running laboratory."""
    return Servers(
        engine=engine,
        primary_port=lab.port(f"{engine.variables}_PRIMARY"),
        replica_port=lab.port(f"{engine.variables}_REPLICA"),
        client=Login(lab["APP_USER"], lab["APP_PASSWORD"], lab["APP_DATABASE"], sslmode),
        monitor_user=lab["MONITOR_USER"],
        monitor_password=lab["MONITOR_PASSWORD"],
        primary=lab.data(f"{engine.laboratory_name}-primary"),
        ends_tls=ends_tls,
    )


def dial_replica(database: Database, limit: float | None) -> Session:
    """A new session that the replica answers. Tries for READY_SECONDS."""
    found: list[Session] = []
    seen = ""

    def is_replica() -> bool:
        nonlocal seen
        try:
            session = database.dial(limit)
            if session.who() == REPLICA:
                found.append(session)
                return True
            session.close()
            seen = "the primary's answers"
        except Exception as failure:  # each driver has its own
            seen = str(failure)
        return False

    if not holds_within(READY_SECONDS, is_replica, 0.05):
        raise ExperimentError(f"did not lead to the replica within {READY_SECONDS} s; at last: {seen}")
    return found[0]


@dataclass(frozen=True)
class Job:
    """A relay listens on `port`. The replica is behind it, and the primary in its place."""

    servers: Servers
    port: int


def haproxy(job: Job, timeouts: str, replica_options: str) -> str:
    """A replica and a backup server, with the engine's check."""
    check = "\n    ".join(job.servers.engine.haproxy_check)
    return f"""\
defaults
    mode tcp
    timeout client 1h
    timeout server 1h
    {timeouts}
listen replica
    bind {HOST}:{job.port}
    {check}
    option redispatch
    server replica {HOST}:{job.servers.replica_port} check {replica_options}
    server primary {HOST}:{job.servers.primary_port} check backup
"""


def haproxy_default(job: Job) -> str:
    """The manual's examples."""
    return haproxy(job, "", "")


def haproxy_tuned(job: Job) -> str:
    """The best that the whole manual offers."""
    options = "inter 1s fall 2 observe layer4 error-limit 1 on-marked-down shutdown-sessions"
    return haproxy(job, "timeout connect 1s", options)


def with_failover(job: Job) -> str:
    """The shipped example. Hosts, ports and credentials are the laboratory's; nothing else is replaced."""
    servers = job.servers
    database = "" if servers.engine.protocol == "mysql" else f"name: {servers.client.database}"
    listen = f"listen: {HOST}:{job.port}"
    if servers.ends_tls:
        certificate, key = servers.primary / "server.pem", servers.primary / "server.key"
        listen += f"\n    client_tls: {{certificate: {certificate}, key: {key}, require: true}}"
    replacements = [
        (r"host: db1\.internal[\s\S]*?\n    port: 5432", f"host: {HOST}\n    port: {servers.primary_port}"),
        (r"host: db2\.internal[\s\S]*?\n    port: 5432", f"host: {HOST}\n    port: {servers.replica_port}"),
        (r"engine: postgres\b", f"engine: {servers.engine.protocol}"),
        (r"user: monitor\b", f"user: {servers.monitor_user}"),
        (r"password: \{env: MONITOR_PASSWORD\}", f"password: {servers.monitor_password}"),
        (r"name: postgres\b", database),
        (r"listen: 127\.0\.0\.1:6432", listen),
    ]
    text = SHIPPED_CONFIGURATION.read_text()
    for pattern, replacement in replacements:
        text, count = re.subn(pattern, replacement, text)
        if count == 0:
            raise ExperimentError(f"{SHIPPED_CONFIGURATION} has nothing like {pattern!r} any more")
    return text


def shipped_ping_timeout() -> float:
    """The `ping_timeout` of the shipped example, in seconds."""
    found = re.search(r"^ +ping_timeout: (\d+)s", SHIPPED_CONFIGURATION.read_text(), re.MULTILINE)
    if found is None:
        raise ExperimentError(f"{SHIPPED_CONFIGURATION} has no ping_timeout in whole seconds any more")
    return float(found[1])


def relays(binary: Path) -> dict[str, Relay[Job]]:
    """All relays by name. failover is run from `binary`."""
    known = [
        Relay("haproxy-default", haproxy_default, relay.haproxy),
        Relay("haproxy-tuned", haproxy_tuned, relay.haproxy),
        Relay(FAILOVER, with_failover, relay.failover(binary)),
    ]
    return {each.name: each for each in known}
