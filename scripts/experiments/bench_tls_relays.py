"""The relays of `scripts/bench tls`: each ends TLS with its clients and begins it with the server, on one thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import relay
from .bench_tls_client import TLSClient
from .laboratory import HOST, Primary
from .peers import RUN_HAPROXY, RUN_PGBOUNCER
from .poolers import pgbouncer_files
from .process import ExperimentError, Process
from .relay import Relay, free_ports

READY_SECONDS = 10
FAILOVER, HAPROXY, PGBOUNCER = "failover", "haproxy", "pgbouncer"
TAKES_REQUESTS = [FAILOVER, PGBOUNCER]
"""They take PostgreSQL's request for TLS. HAProxy's clients must begin TLS directly."""


@dataclass(frozen=True)
class Identity:
    """PEM files of the certificate that all relays and the server have."""

    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True)
class Job:
    """Sessions are taken on `listen` with TLS, and passed to the server at `server`."""

    listen: int
    server: int
    login: Primary
    identity: Identity
    sessions: int
    """The largest number of sessions at one time."""
    server_tls: bool = True
    """Whether the sessions to the server have TLS too."""
    has_passwords: bool = True
    """Whether clients must prove that they know the password. A pooler asks them itself."""


@contextmanager
def started(relay: Relay[Job], job: Job, directory: Path) -> Iterator[Process]:
    """Runs the relay. It takes sessions when this yields."""
    client = TLSClient(job.listen, asks=False)

    def answers() -> bool:
        try:
            client.shake_hands()
        except (OSError, ExperimentError):
            return False
        return True

    with relay.started(job, directory) as process:
        process.wait_until(READY_SECONDS, answers, f"did not take TLS on port {job.listen}")
        yield process


def new_port() -> int:
    """A loopback port that is free now."""
    [port] = free_ports(1)
    return port


def tls_relays(binary: Path) -> list[Relay[Job]]:
    """All relays. failover is run from `binary`."""
    return [
        Relay(HAPROXY, _haproxy, RUN_HAPROXY, _haproxy_files),
        Relay(PGBOUNCER, _pgbouncer, RUN_PGBOUNCER, _pgbouncer_files),
        Relay(FAILOVER, _failover, relay.failover(binary)),
    ]


def _haproxy(job: Job) -> str:
    """TCP mode, with the name of PostgreSQL's protocol that direct TLS needs.

    A client that ends its connection after the handshake causes none with the server, as with the other relays.
    """
    tls = " ssl verify none alpn postgresql" if job.server_tls else ""
    return f"""\
global
    nbthread 1
    maxconn {job.sessions}
    ssl-default-bind-options ssl-min-ver TLSv1.3
    ssl-default-bind-curves X25519
    ssl-default-server-curves X25519
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
listen postgres
    bind {HOST}:{job.listen} ssl crt haproxy.pem alpn postgresql
    tcp-request inspect-delay 10s
    tcp-request content accept if {{ req.len gt 0 }}
    tcp-request content reject
    server primary {HOST}:{job.server}{tls}
"""


def _haproxy_files(job: Job) -> dict[str, str]:
    return {"haproxy.pem": job.identity.certificate.read_text() + job.identity.key.read_text()}


def _pgbouncer(job: Job) -> str:
    """Session mode. It answers a new client from a connection to the server that is open already."""
    return f"""\
[databases]
{job.login.database} = host={HOST} port={job.server}
[pgbouncer]
listen_addr = {HOST}
listen_port = {job.listen}
unix_socket_dir =
auth_type = {"scram-sha-256" if job.has_passwords else "trust"}
auth_file = pgbouncer.users
pool_mode = session
max_client_conn = {job.sessions}
default_pool_size = {job.sessions}
client_tls_sslmode = require
client_tls_cert_file = pgbouncer.crt
client_tls_key_file = pgbouncer.key
client_tls_ca_file = pgbouncer.ca
client_tls_protocols = tlsv1.3
server_tls_sslmode = {"require" if job.server_tls else "disable"}
server_tls_ca_file = pgbouncer.ca
server_tls_protocols = tlsv1.3
log_connections = 0
log_disconnections = 0
"""


def _pgbouncer_files(job: Job) -> dict[str, str]:
    identity = job.identity
    files = {"pgbouncer.crt": identity.certificate, "pgbouncer.key": identity.key, "pgbouncer.ca": identity.authority}
    return pgbouncer_files(job.login) | {name: path.read_text() for name, path in files.items()}


def _failover(job: Job) -> str:
    """One worker thread."""
    login = job.login
    return f"""\
databases:
  primary:
    engine: postgres
    host: {HOST}
    port: {job.server}
    user: {login.user}
    password: {login.password}
    name: {login.database}
    tls: {"require" if job.server_tls else "disable"}
services:
  postgres:
    type: database
    db_alias: primary
    failover_db_alias: []
    listen: "{HOST}:{job.listen}"
    client_tls:
      certificate: {job.identity.certificate}
      key: {job.identity.key}
      min_version: "1.3"
worker_threads: 1
"""
