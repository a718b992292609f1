"""Pools of connections of several languages, and how they notice that a connection was closed."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from .held_needs import GO_PACKAGES, JAVA_PACKAGES, go_pools, java_pool, package_versions
from .held_outage import OUTAGE_SECONDS, HeldLoad, HeldOutcome, play_outage
from .held_program import ProgramLoad
from .held_python_pools import psycopg_pool, sqlalchemy_pool
from .held_report import Report, outage_report
from .held_run import Run
from .held_stand import HeldRoute
from .laboratory import HOST
from .process import ExperimentError, say

Lease = Callable[[HeldRoute, int, ExitStack], HeldLoad]
"""Workers over a pool of as many connections behind a route. The stack ends what they need."""
QUESTIONS = {"postgres": "select inet_server_port(), pg_backend_pid()", "mysql": "select @@port, connection_id()"}


@dataclass(frozen=True)
class Pool:
    """A pool, and how it is configured."""

    key: str
    title: str
    protocol: str
    lease: Lease


def _go(driver: str) -> Lease:
    """database/sql. Its driver decides whether a connection is still good."""

    def lease(route: HeldRoute, workers: int, stack: ExitStack) -> HeldLoad:
        login, protocol = route.servers.client, route.servers.engine.protocol
        dsn = f"postgres://{login.user}:{login.password}@{HOST}:{route.port}/{login.database}?sslmode={login.sslmode}"
        if protocol == "mysql":
            tls = "skip-verify" if login.sslmode == "require" else "false"
            dsn = f"{login.user}:{login.password}@tcp({HOST}:{route.port})/{login.database}?tls={tls}"
        words = [driver, dsn, str(workers), str(route.servers.replica_port), QUESTIONS[protocol]]
        return _program([*go_pools(), *words], route, workers, stack)

    return lease


def _hikari(route: HeldRoute, workers: int, stack: ExitStack) -> HeldLoad:
    login = route.servers.client
    url = f"jdbc:postgresql://{HOST}:{route.port}/{login.database}?sslmode={login.sslmode}"
    words = [url, login.user, login.password, str(workers), str(route.servers.replica_port), QUESTIONS["postgres"]]
    return _program([*java_pool(), *words], route, workers, stack)


def _program(argv: list[str], route: HeldRoute, workers: int, stack: ExitStack) -> HeldLoad:
    return stack.enter_context(ProgramLoad(argv, workers, route.folder / "pool.log"))


POOLS = [
    Pool("psycopg_pool", "psycopg_pool", "postgres", psycopg_pool(check=False)),
    Pool("psycopg_pool-check", "psycopg_pool, `check=check_connection`", "postgres", psycopg_pool(check=True)),
    Pool("sqlalchemy", "SQLAlchemy, `pool_pre_ping`", "postgres", sqlalchemy_pool("postgresql+psycopg")),
    Pool("go-pq", "Go database/sql, lib/pq", "postgres", _go("postgres")),
    Pool("go-pgx", "Go database/sql, pgx 4", "postgres", _go("pgx")),
    Pool("hikari", "HikariCP, pgjdbc", "postgres", _hikari),
    Pool("sqlalchemy", "SQLAlchemy, `pool_pre_ping`, PyMySQL", "mysql", sqlalchemy_pool("mysql+pymysql")),
    Pool("go-mysql", "Go database/sql, go-sql-driver", "mysql", _go("mysql")),
]


def play_pools(run: Run) -> Report:
    """One outage for each pool. A pool that cannot be made is left out, with the reason."""
    outcomes: list[HeldOutcome] = []
    notes: list[str] = []
    for name, servers in run.servers.items():
        for pool in POOLS:
            if pool.protocol != servers.engine.protocol or pool.key not in run.options.pools:
                continue
            title = f"{pool.title}, {'clear' if run.options.clear else 'TLS'}"
            say(f"pools: {name}: {title}")
            with ExitStack() as stack:
                route = stack.enter_context(run.route(servers))
                try:
                    load = pool.lease(route, run.options.workers, stack)
                except ExperimentError as reason:
                    notes.append(f"{name}, {title}: left out: {reason}")
                    continue
                outcomes.append(play_outage(route, load, title, run.drain))
    title = f"Pools of {run.options.workers} connections; replica killed for {OUTAGE_SECONDS} s, then back"
    notes += package_versions(GO_PACKAGES + JAVA_PACKAGES)
    return outage_report(title, outcomes, notes)
