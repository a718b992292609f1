"""A session with either database, by the drivers that applications use."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

REPLICA = "replica"
PRIMARY = "primary"
USER = "app"
PASSWORD = Path("/run/secrets/app-password")


class Session(Protocol):
    """An open session: connected and logged in."""

    def who(self) -> str:
        """Asks which server answers."""

    def run(self, statement: str) -> None:
        """Runs a statement without a result."""

    def close(self) -> None:
        """Takes leave."""


@dataclass(frozen=True)
class Database:
    """How a database is reached, and what its errors say."""

    dial: Callable[[], Session]
    told: Callable[[Exception], bool]
    """Whether an error was an answer in the database's own protocol, not a connection that broke."""


class PostgresSession:
    """By psycopg."""

    def __init__(self, host: str, port: int) -> None:
        import psycopg

        self._connection = psycopg.connect(
            host=host, port=port, user=USER, password=PASSWORD.read_text().strip(), dbname="app", autocommit=True
        )

    def who(self) -> str:
        [(recovers,)] = self._connection.execute("select pg_is_in_recovery()").fetchall()
        return REPLICA if recovers else PRIMARY

    def run(self, statement: str) -> None:
        self._connection.execute(statement)

    def close(self) -> None:
        self._connection.close()


class MySQLSession:
    """By PyMySQL."""

    def __init__(self, host: str, port: int) -> None:
        import pymysql

        self._connection = pymysql.connect(
            host=host, port=port, user=USER, password=PASSWORD.read_text().strip(), database="app", autocommit=True
        )

    def who(self) -> str:
        with self._connection.cursor() as cursor:
            cursor.execute("select @@read_only")
            [(read_only,)] = cursor.fetchall()
        return REPLICA if read_only else PRIMARY

    def run(self, statement: str) -> None:
        self._connection.query(statement)

    def close(self) -> None:
        with suppress(Exception):  # one that the server has closed
            self._connection.close()


def database(engine: str, host: str, port: int) -> Database:
    """`engine` is postgres or mysql."""
    if engine == "postgres":
        return Database(lambda: PostgresSession(host, port), _told_by_postgres)
    return Database(lambda: MySQLSession(host, port), _told_by_mysql)


def _told_by_postgres(failure: Exception) -> bool:
    # While connecting libpq hands on the text alone.
    return "FATAL:" in str(failure) or getattr(failure, "sqlstate", None) is not None


def _told_by_mysql(failure: Exception) -> bool:
    # From 2000 on they are the client's own: no connection, connection lost.
    code = failure.args[0] if failure.args else None
    return isinstance(code, int) and 0 < code < 2000
