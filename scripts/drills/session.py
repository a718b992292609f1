"""A client's session, in either database's protocol, by the drivers that applications use."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

HOST = "127.0.0.1"
REPLICA = "replica"
PRIMARY = "primary"


@dataclass(frozen=True)
class Login:
    """Who clients are."""

    user: str
    password: str
    database: str
    sslmode: str
    """PostgreSQL's only."""


class Session(Protocol):
    """An open session: connected and logged in."""

    def who(self) -> str:
        """A small query: which server answers."""

    def run(self, statement: str) -> None:
        """Runs a statement that begins or ends a transaction."""

    def close(self) -> None:
        """Takes leave."""

    def abort(self) -> None:
        """Breaks the connection, from any thread: who waits for an answer gets an error."""


class PostgresSession:
    """A session by psycopg."""

    def __init__(self, port: int, replica_port: int, login: Login, limit: float | None) -> None:
        """Connects and logs in. No step takes longer than `limit` seconds."""
        # Installed when the drill begins, so not to be had before.
        import psycopg

        self._connection = psycopg.connect(
            host=HOST,
            port=port,
            user=login.user,
            password=login.password,
            dbname=login.database,
            sslmode=login.sslmode,
            connect_timeout=int(limit or 0),
            autocommit=True,
        )

    def who(self) -> str:
        row = self._connection.execute("select pg_is_in_recovery(), inet_server_port()").fetchone()
        assert row is not None, "a select without a table has one row"
        return REPLICA if row[0] else PRIMARY

    def run(self, statement: str) -> None:
        self._connection.execute(statement)

    def close(self) -> None:
        self._connection.close()

    def abort(self) -> None:
        _shut(self._connection.fileno)


class MySQLSession:
    """A session by PyMySQL."""

    def __init__(self, port: int, replica_port: int, login: Login, limit: float | None) -> None:
        """Connects and logs in. No step takes longer than `limit` seconds, or to connect, which a relay on loopback
        always lets one, PyMySQL's 10."""
        import pymysql

        self._replica_port = replica_port
        self._connection = pymysql.connect(
            host=HOST,
            port=port,
            user=login.user,
            password=login.password,
            database=login.database,
            read_timeout=limit,
            write_timeout=limit,
            autocommit=True,
        )

    def who(self) -> str:
        with self._connection.cursor() as cursor:
            cursor.execute("select @@port")
            [port] = cursor.fetchone()
        return REPLICA if port == self._replica_port else PRIMARY

    def run(self, statement: str) -> None:
        self._connection.query(statement)

    def close(self) -> None:
        if self._connection.open:
            self._connection.close()

    def abort(self) -> None:
        # PyMySQL has no public way to its socket.
        _shut(lambda: self._connection._sock.fileno())


def _shut(descriptor: Callable[[], int]) -> None:
    """Shuts a connection in both directions, whoever uses it."""
    # A connection that is closed already, or closes now, has its own driver's error for who asks for its descriptor.
    with suppress(Exception), socket.socket(fileno=os.dup(descriptor())) as connection:
        connection.shutdown(socket.SHUT_RDWR)
