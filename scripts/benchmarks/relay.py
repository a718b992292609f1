"""The relays that are compared, each with the configuration that makes the comparison fair."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .laboratory import Laboratory
from .memcached import free_ports, wait_until_answering
from .process import Process


@dataclass(frozen=True)
class Ports:
    """Where a relay listens, or where the servers behind it do."""

    postgres: int
    memcached: int


@dataclass(frozen=True)
class Administration:
    """Where an admin plane listens, and what clients of its port show."""

    socket: Path
    port: int
    token: str


@dataclass(frozen=True)
class Job:
    """What a relay shall do: take sessions on `listen`, pass them to `servers`."""

    laboratory: Laboratory
    listen: Ports
    servers: Ports
    sessions: int
    """The most sessions there will be at one time."""
    administration: Administration | None


@dataclass(frozen=True)
class Running:
    """A relay at work. `process` is None where clients connect to the servers directly."""

    ports: Ports
    process: Process | None
    administration: Administration | None = None

    def cpu_seconds(self) -> float:
        """CPU time that the relay used so far."""
        return self.process.cpu_seconds() if self.process else 0.0


@dataclass(frozen=True)
class Relay:
    """A program that can stand between clients and servers: how it is configured and started."""

    name: str
    configuration: Callable[[Job], str]
    command: Callable[[Path], list[str]]
    """The command line, given the path of the configuration file."""
    has_admin_plane: bool = False

    @contextmanager
    def started(self, laboratory: Laboratory, servers: Ports, sessions: int, directory: Path) -> Iterator[Running]:
        """Runs the relay afresh, ready to pass on sessions."""
        postgres, memcached, admin = free_ports(3)
        listen = Ports(postgres, memcached)
        administration = None
        if self.has_admin_plane:
            administration = Administration(directory / f"{self.name}.sock", admin, secrets.token_hex())
        path = directory / f"{self.name}.conf"
        path.write_text(self.configuration(Job(laboratory, listen, servers, sessions, administration)))
        with Process(self.name, self.command(path), directory / f"{self.name}.log") as process:
            wait_until_answering(process, listen.memcached)
            yield Running(listen, process, administration)


def haproxy_configuration(job: Job) -> str:
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
    server primary {job.laboratory.host}:{job.servers.postgres}
listen memcached
    bind 127.0.0.1:{job.listen.memcached}
    server cache 127.0.0.1:{job.servers.memcached}
"""


def nginx_configuration(job: Job) -> str:
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
    server {{ listen 127.0.0.1:{job.listen.postgres}; proxy_pass {job.laboratory.host}:{job.servers.postgres}; }}
    server {{ listen 127.0.0.1:{job.listen.memcached}; proxy_pass 127.0.0.1:{job.servers.memcached}; }}
}}
"""


def failover_configuration(job: Job) -> str:
    """This proxy on one worker thread; PostgreSQL's sessions are read by its protocol reader."""
    laboratory, administration = job.laboratory, job.administration
    admin = ""
    if administration:
        listen = f'["unix:{administration.socket}", "127.0.0.1:{administration.port}"]'
        admin = f'admin: {{listen: {listen}, token: "{administration.token}"}}\n'
    return f"""\
databases:
  primary:
    engine: postgres
    host: {laboratory.host}
    port: {job.servers.postgres}
    user: {laboratory.user}
    password: {laboratory.password}
    name: {laboratory.database}
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


HAPROXY = Relay("haproxy", haproxy_configuration, lambda path: ["haproxy", "-db", "-f", str(path)])
NGINX = Relay("nginx", nginx_configuration, lambda path: ["nginx", "-p", str(path.parent), "-c", str(path)])


def failover(binary: Path, name: str = "failover", has_admin_plane: bool = False) -> Relay:
    """This proxy, run from `binary`."""

    def command(path: Path) -> list[str]:
        return [str(binary), "serve", "--config", str(path)]

    return Relay(name, failover_configuration, command, has_admin_plane)


@contextmanager
def direct(servers: Ports) -> Iterator[Running]:
    """No relay at all: what the servers themselves can do."""
    yield Running(servers, None)
