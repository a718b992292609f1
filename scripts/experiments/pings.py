"""`scripts/pings`: counts what each kind of ping costs its server."""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .admin import AdminClient
from .command import end_with, parser_of, positive
from .counters import Cost, MariaDB, Memcached, Postgres, RabbitMQ, Redis, Server
from .laboratory import HOST, ROOT, Laboratory, exported
from .process import ExperimentError, Process, holds_within
from .relay import failover

DESCRIPTION = """\
Counts what each kind of ping costs its server: connections, statements, lines of its log.

    scripts/pings [--pings N]

Runs the proxy in front of the laboratory's servers (first: scripts/lab up --services), makes it ping N times, once for
each request to the admin plane, and reads the servers' own counters before and after. Prints the table of
docs/choosing-your-numbers.md. FAILOVER_BINARY names the proxy; the default is the debug build.
"""
HEADINGS = [
    "ping of",
    "connections",
    "statements",
    "log lines",
    "connections a minute at 2 s",
    "log lines a minute at 2 s",
]
PINGS_A_MINUTE = 30
"""At 2 s."""
PATIENCE_SECONDS = 60


def nothing() -> None:
    """The server logs as it does anyway."""


@dataclass(frozen=True)
class Kind:
    """One kind of ping."""

    name: str
    server: Server
    target: str
    """The service or alias whose pings are counted."""
    configuration: str
    prepare: Callable[[], None] = nothing
    """Called before: changes how the server logs."""
    undo: Callable[[], None] = nothing
    """Called afterwards."""


class Proxy:
    """The proxy, which pings on request."""

    def __init__(self, client: AdminClient) -> None:
        self._client = client

    def ping(self, target: str) -> None:
        """Asks for one ping."""
        self._client.post(f"/api/v1/services/{target}/ping", {})

    def wait(self, target: str, count: int) -> None:
        """Waits until `count` pings have succeeded. A failed ping is an error."""

        def is_over() -> bool:
            succeeded, failed = self._pings(target)
            return succeeded >= count or failed > 0

        holds_within(PATIENCE_SECONDS, is_over)
        succeeded, failed = self._pings(target)
        if succeeded < count or failed:
            status = self._client.get("/api/v1/status")
            raise ExperimentError(f"{target}: {succeeded} pings succeeded, {failed} failed\n{status}")

    def _pings(self, target: str) -> tuple[int, int]:
        """How many pings of the target have succeeded, and how many have failed."""
        counts = {"ok": 0, "failed": 0}
        for line in self._client.get("/metrics").splitlines():
            for result in counts:
                if line.startswith(f'failover_pings_total{{result="{result}",service="{target}"}}'):
                    counts[result] = int(float(line.split()[-1]))
        return counts["ok"], counts["failed"]


@contextmanager
def running(configuration: str) -> Iterator[Proxy]:
    """The proxy with this configuration. It pings each service once when it starts."""
    binary = Path(os.environ.get("FAILOVER_BINARY", ROOT / ".build" / "debug" / "failover"))
    with tempfile.TemporaryDirectory(prefix="failover-pings-") as name:
        directory = Path(name)
        admin, path = directory / "admin", directory / "failover.yaml"
        path.write_text(f'admin: {{listen: "unix:{admin}"}}\nmonitoring_ping_frequency: 24h\n{configuration}')
        with Process("failover", failover(binary)(path), directory / "log") as process:
            process.wait_until(PATIENCE_SECONDS, admin.exists, "does not listen")
            client = AdminClient.over_unix_socket(admin)
            try:
                yield Proxy(client)
            finally:
                client.close()


def measure(kind: Kind, count: int) -> Cost:
    """The cost of `count` pings."""
    kind.prepare()
    try:
        with running(kind.configuration) as proxy:
            proxy.wait(kind.target, 1)
            if kind.target == "default":
                proxy.wait("slave", 1)
            first = kind.server.cost()
            before = kind.server.cost()
            for number in range(count):
                proxy.ping(kind.target)
                proxy.wait(kind.target, number + 2)
            after = kind.server.cost()
    finally:
        kind.undo()
    # The reader of the counters is counted too.
    return after.minus(before).minus(before.minus(first))


PINGS = [
    ("`SELECT 1`", ""),
    ("with `role`", ", role: replica"),
    ("with `role` and `max_lag`", ", role: replica, max_lag: 24h"),
    (
        "with `role`, `max_lag` and `heartbeat_query`",
        ", role: replica, max_lag: 24h, heartbeat_query: SELECT 0.5",
    ),
]
"""Of a replica: the name of a kind, and the keys of its alias."""


def route(engine: str, replica: Server, primary: Server, keys: str = "", primary_keys: str = "") -> str:
    """The configuration of a route. The keys are added to the aliases."""
    name = ", name: app" if engine == "postgres" else ""
    alias = f"engine: {engine}, host: {HOST}, user: monitor, password: monitor-secret{name}"
    return f"""databases:
  default: {{{alias}, port: {primary.port}{primary_keys}}}
  slave: {{{alias}, port: {replica.port}{keys}}}
services:
  slave: {{type: database, listen: "{HOST}:0"}}
"""


def postgres_kinds(lab: Laboratory) -> Iterator[Kind]:
    replica, primary = Postgres(lab, "postgres-replica"), Postgres(lab, "postgres-primary")
    for name, keys in PINGS:
        yield Kind(f"PostgreSQL, {name}", replica, "slave", route("postgres", replica, primary, keys))
    log_end = route("postgres", replica, primary, ", role: replica, max_lag_bytes: 64MB", ", role: primary")
    yield Kind("PostgreSQL primary with `role`, of a replica with `max_lag_bytes`", primary, "default", log_end)
    yield Kind(
        "PostgreSQL, `SELECT 1`, `log_connections` and `log_disconnections` on",
        replica,
        "slave",
        route("postgres", replica, primary),
        lambda: replica.log_sessions("on"),
        lambda: replica.log_sessions("off"),
    )


def mariadb_kinds(lab: Laboratory) -> Iterator[Kind]:
    replica, primary = MariaDB(lab, "mariadb-replica"), MariaDB(lab, "mariadb-primary")
    for name, keys in PINGS:
        yield Kind(f"MariaDB, {name}", replica, "slave", route("mysql", replica, primary, keys))
    yield Kind(
        "MariaDB, `SELECT 1`, `log_warnings = 9`",
        replica,
        "slave",
        route("mysql", replica, primary),
        lambda: replica.set(log_warnings="9"),
        lambda: replica.set(log_warnings="2"),
    )
    yield Kind(
        "MariaDB, `SELECT 1`, general log on",
        replica,
        "slave",
        route("mysql", replica, primary),
        lambda: replica.set(general_log_file="'measured.log'", general_log="1"),
        lambda: replica.set(general_log="0"),
    )


def service_kinds(lab: Laboratory) -> Iterator[Kind]:
    def service(name: str, server: Server, keys: str) -> Kind:
        return Kind(name, server, "it", f"services: {{it: {{{keys}}}}}\n")

    redis = Redis(lab, "redis-primary")
    url = f"redis://monitor:{lab['REDIS_USER_PASSWORD']}@{HOST}:{redis.port}/0"
    yield service("Redis", redis, f'type: redis, url: "{url}"')
    memcached = Memcached(lab, "memcached-1")
    yield service("Memcached, each server", memcached, f'type: memcached, servers: ["{HOST}:{memcached.port}"]')
    rabbit = RabbitMQ(lab, "rabbitmq")
    url = f"amqp://monitor:{lab['RABBITMQ_PASSWORD']}@{HOST}:{rabbit.port}/app"
    yield service("RabbitMQ", rabbit, f'type: rabbitmq, url: "{url}"')
    yield service("TCP, here of memcached", memcached, f"type: tcp, host: {HOST}, port: {memcached.port}")


def figure(count: int | None, pings: int, per: float = 1) -> str:
    """A count for each ping, or for `per` pings."""
    if count is None:
        return "–"
    value = count / pings * per
    return f"{value:.0f}" if abs(value - round(value)) < 0.05 else f"{value:.1f}"


def main() -> None:
    """Parses the command line, measures and prints the table."""
    parser = parser_of(DESCRIPTION)
    parser.add_argument("--pings", type=positive, default=30, help="of each kind (30)")
    parser.add_argument("--only", default="", help="kinds whose name contains this")
    options = parser.parse_args()
    end_with(lambda: pings(options))


def pings(options: argparse.Namespace) -> bool:
    """Prints the table, each row as soon as it is measured."""
    print("| " + " | ".join(HEADINGS) + " |")
    print("|" + "---|" + "---:|" * (len(HEADINGS) - 1))
    lab = exported()
    for kind in [*postgres_kinds(lab), *mariadb_kinds(lab), *service_kinds(lab)]:
        if options.only not in kind.name:
            continue
        cost, count = measure(kind, options.pings), options.pings
        cells = [figure(number, count) for number in (cost.connections, cost.statements, cost.lines)]
        cells += [figure(number, count, PINGS_A_MINUTE) for number in (cost.connections, cost.lines)]
        print(f"| {kind.name} | {' | '.join(cells)} |", flush=True)
    return True
