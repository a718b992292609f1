"""A session with either database, by the drivers that applications use."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from .event import PRIMARY, REPLICA


@dataclass(frozen=True)
class Login:
    """The user that clients log in as."""

    user: str
    password: str
    database: str
    sslmode: str = "prefer"
    """PostgreSQL's only."""


class Session(Protocol):
    """An open session: connected and logged in."""

    def who(self) -> str:
        """Asks which server answers: REPLICA or PRIMARY."""

    def run(self, statement: str) -> None:
        """Runs a statement without a result."""

    def close(self) -> None:
        """Ends the session in order."""

    def abort(self) -> None:
        """Breaks the connection, from any thread. A thread that waits for an answer gets an error."""


class PostgresSession:
    """A session by psycopg."""

    def __init__(self, host: str, port: int, login: Login, limit: float | None) -> None:
        """Connects and logs in, within `limit` seconds."""
        # The experiment installs the drivers when it begins. They are missing before.
        import psycopg

        self._connection = psycopg.connect(
            host=host,
            port=port,
            user=login.user,
            password=login.password,
            dbname=login.database,
            sslmode=login.sslmode,
            connect_timeout=int(limit or 0),
            autocommit=True,
        )

    def who(self) -> str:
        [(recovers,)] = self._connection.execute("select pg_is_in_recovery()").fetchall()
        return REPLICA if recovers else PRIMARY

    def run(self, statement: str) -> None:
        self._connection.execute(statement)

    def close(self) -> None:
        self._connection.close()

    def abort(self) -> None:
        _shut(self._connection.fileno)


class MySQLSession:
    """A session by PyMySQL as it comes, which encrypts where the server offers it."""

    IS_CLEAR = False
    """Whether encryption is turned off."""

    def __init__(self, host: str, port: int, login: Login, limit: float | None) -> None:
        """Connects and logs in. No read and no write takes longer than `limit` seconds."""
        import pymysql

        self._connection = pymysql.connect(
            host=host,
            port=port,
            user=login.user,
            password=login.password,
            database=login.database,
            read_timeout=limit,
            write_timeout=limit,
            autocommit=True,
            ssl_disabled=self.IS_CLEAR,
        )

    def who(self) -> str:
        with self._connection.cursor() as cursor:
            cursor.execute("select @@read_only")
            [(read_only,)] = cursor.fetchall()
        return REPLICA if read_only else PRIMARY

    def run(self, statement: str) -> None:
        self._connection.query(statement)

    def close(self) -> None:
        with suppress(Exception):  # the server has closed it
            self._connection.close()

    def abort(self) -> None:
        # PyMySQL has no public way to its socket.
        _shut(lambda: int(self._connection._sock.fileno()))


def _shut(descriptor: Callable[[], int]) -> None:
    """Shuts a connection in both directions while another thread uses it."""
    # A driver raises its own error if the connection is closed already.
    with suppress(Exception), socket.socket(fileno=os.dup(descriptor())) as connection:
        connection.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Database:
    """Where a database is reached, through a relay or directly."""

    engine: str
    """`postgres` or `mysql`."""
    host: str
    port: int
    login: Login

    def dial(self, limit: float | None = None) -> Session:
        """A new session. `limit`: see the sessions; None is no limit."""
        kind: type[PostgresSession] | type[MySQLSession] = (
            PostgresSession if self.engine == "postgres" else MySQLSession
        )
        return kind(self.host, self.port, self.login, limit)

    def ask(self, limit: float | None = None) -> str:
        """What a short-lived client does: connects, asks which server answers, disconnects."""
        session = self.dial(limit)
        try:
            return session.who()
        finally:
            session.close()

    def told(self, failure: Exception) -> bool:
        """Whether an error was an answer in the database's own protocol, not a broken connection."""
        if self.engine == "postgres":
            # While it connects, libpq passes on the text alone.
            return "FATAL:" in str(failure) or getattr(failure, "sqlstate", None) is not None
        # Numbers from 2000 are the client's own: no connection, connection lost.
        code = failure.args[0] if failure.args else None
        return isinstance(code, int) and 0 < code < 2000
