"""The relays that the benchmark compares, each with a fair configuration, and the memcached behind them."""

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import relay
from .admin import Administration
from .laboratory import HOST, Primary
from .process import ExperimentError, Process
from .relay import Relay, free_ports

READY_SECONDS = 10
EXCHANGE_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Ports:
    """Where a relay listens, or where the servers behind it do."""

    postgres: int
    memcached: int


@dataclass(frozen=True)
class Job:
    """Sessions are taken on `listen` and passed to `servers`."""

    primary: Primary
    listen: Ports
    servers: Ports
    sessions: int
    """The largest number of sessions at one time."""
    administration: Administration | None


@dataclass(frozen=True)
class Running:
    """A relay at work. `process` is None where clients connect to the servers directly."""

    ports: Ports
    process: Process | None
    administration: Administration | None = None

    def cpu_seconds(self) -> float:
        """CPU time that the relay has used so far."""
        return self.process.cpu_seconds() if self.process else 0.0


def exchange(session: socket.socket) -> None:
    """Sends `version` over an open session and reads the answer."""
    session.sendall(b"version\r\n")
    answer = b""
    while not answer.endswith(b"\r\n"):
        piece = session.recv(256)
        if not piece:
            raise ExperimentError("a relay closed a memcached session in the middle of an exchange")
        answer += piece
    if not answer.startswith(b"VERSION "):
        raise ExperimentError(f"memcached answered {answer!r}")


def open_session(port: int) -> socket.socket:
    """A new connection to memcached, or to a relay in front of it."""
    return socket.create_connection(("127.0.0.1", port), timeout=EXCHANGE_TIMEOUT_SECONDS)


def wait_until_answering(process: Process, port: int) -> None:
    """Returns after the first successful exchange over `port`, which `process` serves."""

    def answers() -> bool:
        try:
            with open_session(port) as session:
                exchange(session)
        except (OSError, ExperimentError):
            return False
        return True

    process.wait_until(READY_SECONDS, answers, f"did not answer on port {port}")


@contextmanager
def memcached(directory: Path, sessions: int) -> Iterator[int]:
    """Runs a memcached for `sessions` sessions at a time. Yields its port."""
    [port] = free_ports(1)
    argv = f"memcached -u nobody -l 127.0.0.1 -p {port} -U 0 -t 1 -m 16 -c {sessions}".split()
    with Process("memcached", argv, directory / "memcached.log") as process:
        wait_until_answering(process, port)
        yield port


@dataclass(frozen=True)
class Candidate:
    """A relay in the comparison."""

    relay: Relay[Job]
    has_admin_plane: bool = False
    has_memcached: bool = True
    """Whether it passes on memcached's sessions. All pass on PostgreSQL's."""

    @property
    def name(self) -> str:
        return self.relay.name

    @contextmanager
    def started(self, primary: Primary, servers: Ports, sessions: int, directory: Path) -> Iterator[Running]:
        """Starts the relay. It passes on sessions when this yields."""
        postgres, memcached, admin = free_ports(3)
        listen = Ports(postgres, memcached)
        administration = None
        if self.has_admin_plane:
            administration = Administration(directory / f"{self.name}.sock", admin, secrets.token_hex())
        job = Job(primary, listen, servers, sessions, administration)
        with self.relay.started(job, directory) as process:
            if self.has_memcached:
                wait_until_answering(process, listen.memcached)
            else:
                process.wait_until(READY_SECONDS, lambda: primary.answers_at(listen.postgres), "did not answer")
            yield Running(listen, process, administration)


@contextmanager
def direct(servers: Ports) -> Iterator[Running]:
    """No relay at all: what the servers themselves can do."""
    yield Running(servers, None)


def _haproxy(job: Job) -> str:
    """HAProxy's usual TCP mode on one thread."""
    return f"""\
global
    nbthread 1
    maxconn {job.sessions}
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
listen postgres
    bind 127.0.0.1:{job.listen.postgres}
    server primary {HOST}:{job.servers.postgres}
listen memcached
    bind 127.0.0.1:{job.listen.memcached}
    server cache 127.0.0.1:{job.servers.memcached}
"""


def _nginx(job: Job) -> str:
    """nginx's stream module in one worker. A session takes two of the worker's connections."""
    return f"""\
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
user nobody nogroup;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections {2 * job.sessions + 16}; }}
stream {{
    proxy_connect_timeout 10s;
    proxy_timeout 1h;
    server {{ listen 127.0.0.1:{job.listen.postgres}; proxy_pass {HOST}:{job.servers.postgres}; }}
    server {{ listen 127.0.0.1:{job.listen.memcached}; proxy_pass 127.0.0.1:{job.servers.memcached}; }}
}}
"""


def _failover(job: Job) -> str:
    """This proxy on one worker thread; PostgreSQL's sessions are read by its protocol reader."""
    primary, administration = job.primary, job.administration
    admin = ""
    if administration:
        listen = f'["unix:{administration.socket}", "127.0.0.1:{administration.port}"]'
        admin = f'admin: {{listen: {listen}, token: "{administration.token}"}}\n'
    return f"""\
databases:
  primary:
    engine: postgres
    host: {HOST}
    port: {job.servers.postgres}
    user: {primary.user}
    password: {primary.password}
    name: {primary.database}
  cache:
    engine: tcp
    host: 127.0.0.1
    port: {job.servers.memcached}
services:
  postgres:
    type: database
    db_alias: primary
    failover_db_alias: []
    listen: "127.0.0.1:{job.listen.postgres}"
  memcached:
    type: database
    db_alias: cache
    failover_db_alias: []
    listen: "127.0.0.1:{job.listen.memcached}"
worker_threads: 1
{admin}"""


HAPROXY = Candidate(Relay("haproxy", _haproxy, relay.haproxy))
NGINX = Candidate(Relay("nginx", _nginx, relay.nginx))


def failover(binary: Path, name: str = "failover", has_admin_plane: bool = False) -> Candidate:
    """This proxy, run from `binary`."""
    return Candidate(Relay(name, _failover, relay.failover(binary)), has_admin_plane)
