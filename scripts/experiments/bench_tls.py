"""`scripts/bench tls`: TLS that ends at the relay and begins again to the server, compared with today's relays."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from .bench_tls_client import TLSClient, handshakes
from .bench_tls_relays import HAPROXY, TAKES_REQUESTS, Identity, Job, new_port, started
from .bench_tls_sessions import fake_postgres, growth_per_session
from .command import call_function
from .comparison import Sample
from .laboratory import ROOT, Primary
from .measurement import Conditions, Values, pgbench
from .process import say
from .relay import Relay

CLIENTS = 8
SPARE_SESSIONS = 100
CLIENT_TLS = """\
openssl_conf = all
[all]
ssl_conf = tls
[tls]
system_default = clients
[clients]
MinProtocol = TLSv1.3
Ciphersuites = TLS_AES_256_GCM_SHA384
Groups = X25519
"""
"""Of pgbench. All relays then have the same key exchange and cipher with it. With the server they have this cipher too,
because it is PostgreSQL's first choice."""


@dataclass(frozen=True)
class TLSPrimary(Primary):
    """The laboratory's primary, as a pgbench of today uses it with TLS."""

    tls_conf: Path

    def client_environment(self) -> dict[str, str]:
        """The environment for libpq's programs: today's, with TLS that begins directly."""
        path = f"{ROOT / '.build' / 'newest' / 'programs'}:{os.environ['PATH']}"
        tls = {"PGSSLMODE": "require", "PGSSLNEGOTIATION": "direct", "OPENSSL_CONF": str(self.tls_conf)}
        return super().client_environment() | tls | {"PATH": path}


@dataclass(frozen=True)
class Stand:
    """What every measurement works with."""

    primary: TLSPrimary
    identity: Identity
    seconds: int
    idle_sessions: int
    directory: Path

    def job(self) -> Job:
        """The passing on of sessions to the primary."""
        sessions = self.idle_sessions + SPARE_SESSIONS
        return Job(new_port(), self.primary.port, self.primary, self.identity, sessions)


Run = Callable[[Stand, Relay[Job] | None], Values]


def pgbench_run(options: list[str]) -> Run:
    """pgbench with eight clients. Without a relay they connect to the server."""

    def run(stand: Stand, relay: Relay[Job] | None) -> Values:
        conditions = Conditions(stand.primary, stand.seconds, 0, stand.directory)
        if relay is None:
            result = pgbench(conditions, stand.primary.port, CLIENTS, options)
            return {"per_s": result.tps, "latency_ms": result.latency_ms}
        job = stand.job()
        with started(relay, job, stand.directory) as process:
            before = process.cpu_seconds()
            result = pgbench(conditions, job.listen, CLIENTS, options)
            cpu = process.cpu_seconds() - before
        return {"per_s": result.tps, "latency_ms": result.latency_ms, "cpu_us": cpu / result.transactions * 1e6}

    return run


def handshake_run(asks: bool) -> Run:
    """Eight clients that make handshakes only."""

    def run(stand: Stand, relay: Relay[Job] | None) -> Values:
        assert relay is not None, "a server without a relay makes other handshakes"
        job = stand.job()
        with started(relay, job, stand.directory) as process:
            before = process.cpu_seconds()
            result = handshakes(TLSClient(job.listen, asks), CLIENTS, stand.seconds)
            cpu = process.cpu_seconds() - before
        return {
            "per_s": result.count / result.seconds,
            "cpu_us": cpu / result.count * 1e6,
            "busy": cpu / result.seconds,
            "client_us": result.client_cpu / result.count * 1e6,
        }

    return run


def idle_run(server_tls: bool) -> Run:
    """Many idle sessions, with TLS on one side or on both."""

    def run(stand: Stand, relay: Relay[Job] | None) -> Values:
        assert relay is not None, "without a relay no memory is measured"
        with fake_postgres(stand.identity) as port:
            job = replace(stand.job(), server=port, server_tls=server_tls, has_passwords=False)
            client = TLSClient(job.listen, asks=False)
            with started(relay, job, stand.directory) as process:
                growth = growth_per_session(process, client, stand.primary, stand.idle_sessions)
        return {"bytes": growth, "sessions": stand.idle_sessions}

    return run


@dataclass(frozen=True)
class TLSMeasurement:
    """One thing to measure, and the relays that it fits."""

    name: str
    run: Run
    fits: Callable[[str], bool] = lambda _: True


MEASUREMENTS = [
    TLSMeasurement("select-8", pgbench_run(["-S", "-M", "prepared"])),
    TLSMeasurement("handshakes", handshake_run(asks=False), lambda name: name != "direct"),
    TLSMeasurement("handshakes-asked", handshake_run(asks=True), lambda name: name in TAKES_REQUESTS),
    TLSMeasurement("reconnect-8", pgbench_run(["-S", "-C"])),
    TLSMeasurement("idle-client", idle_run(server_tls=False), lambda name: name != "direct"),
    TLSMeasurement("idle-both", idle_run(server_tls=True), lambda name: name != "direct"),
]


def need_tls_relays() -> None:
    """Installs the other relays, if they are missing."""
    call_function(["packages", "newest"], "need_in_newest", HAPROXY, "pgbouncer")


def measure(
    relays: list[Relay[Job] | None], measurements: list[TLSMeasurement], rounds: int, stand: Stand
) -> list[Sample]:
    """Measures through each relay, newly started, in an order that rotates. None stands for no relay."""
    samples = []
    for round_ in range(rounds):
        for number, measurement in enumerate(measurements):
            say(f"round {round_ + 1} of {rounds}: {measurement.name}")
            first = (round_ + number) % len(relays)
            for relay in relays[first:] + relays[:first]:
                name = relay.name if relay else "direct"
                if measurement.fits(name):
                    samples.append(Sample(round_ + 1, measurement.name, name, measurement.run(stand, relay)))
    return samples
