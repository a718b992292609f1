"""Pools of Python, in this process, and workers that share one."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from .event import CLOSED, HELD, TRANSACTION
from .held_outage import HeldLoad
from .held_session import SelfCheckError
from .held_stand import HeldRoute
from .held_worker import Habits, Worker, WorkerLoad
from .laboratory import HOST

Ask = Callable[[str], tuple[Any, ...] | None]
"""Runs a statement. Returns the row, if there is one."""
Lend = Callable[[], AbstractContextManager[Ask]]
"""Takes a connection from the pool, and gives it back at the end."""
QUESTIONS = {
    "postgres": "select inet_server_port(), pg_backend_pid(), now(), n from held where id = 1",
    "mysql": "select @@port, connection_id(), n from held where id = 1",
}


def psycopg_pool(check: bool) -> Callable[[HeldRoute, int, ExitStack], HeldLoad]:
    """psycopg_pool of a fixed size. With `check` each connection is asked before it is lent."""

    def lease(route: HeldRoute, workers: int, stack: ExitStack) -> HeldLoad:
        from psycopg_pool import ConnectionPool  # type: ignore[import]

        # It reports each connection that it discards.
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
        login = route.servers.client
        words = {"host": HOST, "port": route.port, "user": login.user, "password": login.password}
        words |= {"dbname": login.database, "sslmode": login.sslmode, "autocommit": True}
        checked = {"check": ConnectionPool.check_connection} if check else {}
        pool = ConnectionPool(kwargs=words, min_size=workers, max_size=workers, open=True, **checked)
        stack.callback(pool.close)
        pool.wait()

        @contextmanager
        def lend() -> Iterator[Ask]:
            with pool.connection() as connection:

                def ask(statement: str) -> tuple[Any, ...] | None:
                    cursor = connection.execute(statement)
                    return cursor.fetchone() if cursor.description else None

                yield ask

        return _load(route, lend, workers)

    return lease


def sqlalchemy_pool(dialect: str) -> Callable[[HeldRoute, int, ExitStack], HeldLoad]:
    """SQLAlchemy's pool with `pool_pre_ping`: a connection is pinged whenever it is lent."""

    def lease(route: HeldRoute, workers: int, stack: ExitStack) -> HeldLoad:
        from sqlalchemy import URL, create_engine  # type: ignore[import]

        login = route.servers.client
        url = URL.create(dialect, login.user, login.password, HOST, route.port, login.database)
        # PyMySQL encrypts as it comes.
        plain = {"ssl_disabled": True} if login.sslmode == "disable" else {}
        arguments = {"sslmode": login.sslmode} if dialect.startswith("postgresql") else plain
        size = {"pool_size": workers, "max_overflow": 0}
        engine = create_engine(url, pool_pre_ping=True, isolation_level="AUTOCOMMIT", connect_args=arguments, **size)
        stack.callback(engine.dispose)
        with ExitStack() as opened:
            for _ in range(workers):
                opened.enter_context(engine.connect())

        @contextmanager
        def lend() -> Iterator[Ask]:
            with engine.connect() as connection:

                def ask(statement: str) -> tuple[Any, ...] | None:
                    result = connection.exec_driver_sql(statement)
                    return tuple(result.one()) if result.returns_rows else None

                yield ask

        return _load(route, lend, workers)

    return lease


def _load(route: HeldRoute, lend: Lend, workers: int) -> HeldLoad:
    question = QUESTIONS[route.servers.engine.protocol]
    replica = route.servers.replica_port
    return WorkerLoad([PoolWorker(number, lend, question, replica) for number in range(workers)], least=1)


class PoolWorker(Worker):
    """Takes a connection from a pool for each piece of work."""

    def __init__(self, number: int, lend: Lend, question: str, replica_port: int) -> None:
        super().__init__(number, Habits())
        self._lend = lend
        self._question = question
        self._replica_port = replica_port

    def _work(self) -> None:
        if not self._chooses_transaction():
            self._do(HELD, self._read)
            return
        with ExitStack() as lent:
            asks: list[Ask] = []
            if self._do(CLOSED, lambda: self._begin(lent, asks), publish_success=False):
                self._do(TRANSACTION, lambda: self._transact(lent, asks[0]))

    def _read(self) -> str:
        with self._lend() as ask:
            return self._who(ask(self._question))

    def _begin(self, lent: ExitStack, asks: list[Ask]) -> str:
        ask = lent.enter_context(self._lend())
        ask("begin")
        asks.append(ask)
        return ""

    def _transact(self, lent: ExitStack, ask: Ask) -> str:
        """What follows `begin`. The connection goes back to the pool at the end, or with the error."""
        with lent:
            first = ask(self._question)
            self._think()
            second = ask(self._question)
            ask("commit")
        if first != second:
            raise SelfCheckError(f"one transaction was at {first} and at {second}")
        return self._who(second)

    def _who(self, row: tuple[Any, ...] | None) -> str:
        return "replica" if row and row[0] == self._replica_port else "primary"
