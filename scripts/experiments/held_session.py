"""Sessions of applications that know which server answers them, in clear and encrypted."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from .database import MySQLSession, PostgresSession, Session
from .event import PRIMARY, REPLICA
from .laboratory import HOST
from .local import Servers
from .process import ExperimentError, holds_within

LIMIT_SECONDS = 8
ARRIVES_SECONDS = 20
TABLE = "create table if not exists held (id int primary key, n int)"


class SelfCheckError(Exception):
    """Two reads of one transaction had different answers."""


class Asking(Session, Protocol):
    """A session that can be asked for its place."""

    def place(self) -> tuple[object, ...]:
        """The server's port, then what stays the same within a transaction."""


class PostgresAsking(PostgresSession):
    """By psycopg. `now()` is the time at which the transaction began."""

    def place(self) -> tuple[object, ...]:
        [row] = self._connection.execute(
            "select inet_server_port(), pg_backend_pid(), now(), n from held where id = 1"
        ).fetchall()
        return tuple(row)


class MySQLAsking(MySQLSession):
    """By PyMySQL as it comes, which encrypts."""

    def place(self) -> tuple[object, ...]:
        with self._connection.cursor() as cursor:
            cursor.execute("select @@port, connection_id(), n from held where id = 1")
            [row] = cursor.fetchall()
        return tuple(row)


class ClearMySQLAsking(MySQLAsking):
    """By PyMySQL without encryption."""

    IS_CLEAR = True


@dataclass(frozen=True)
class Client:
    """A driver, and whether it encrypts."""

    key: str
    """Its name on the command line."""
    title: str
    protocol: str
    is_encrypted: bool

    def dial(self, servers: Servers, port: int) -> Asking:
        """A new session through `port`."""
        login = replace(servers.client, sslmode="require" if self.is_encrypted else "disable")
        if self.protocol == "postgres":
            return PostgresAsking(HOST, port, login, LIMIT_SECONDS)
        kind = MySQLAsking if self.is_encrypted else ClearMySQLAsking
        return kind(HOST, port, login, LIMIT_SECONDS)


CLIENTS = [
    Client("clear", "psycopg 3, clear", "postgres", False),
    Client("tls", "psycopg 3, TLS", "postgres", True),
    Client("clear", "PyMySQL, clear", "mysql", False),
    Client("tls", "PyMySQL, TLS", "mysql", True),
]


def clients_of(protocol: str) -> list[Client]:
    """The clients for this protocol."""
    return [client for client in CLIENTS if client.protocol == protocol]


def who(servers: Servers, place: tuple[object, ...]) -> str:
    """REPLICA or PRIMARY."""
    return REPLICA if place[0] == servers.replica_port else PRIMARY


def transact(session: Asking, wait: Callable[[], object]) -> tuple[object, ...]:
    """What follows `begin`: two reads with a wait between, and `commit`. Both reads must have the same answer."""
    first = session.place()
    wait()
    second = session.place()
    session.run("commit")
    if first != second:
        raise SelfCheckError(f"one transaction was at {first} and at {second}")
    return second


def make_table(servers: Servers) -> None:
    """Makes the row that sessions read."""
    client = next(client for client in clients_of(servers.engine.protocol) if client.is_encrypted)
    session = client.dial(servers, servers.primary_port)
    session.run(TABLE)
    session.run("delete from held")
    session.run("insert into held values (1, 42)")
    session.close()

    def has_arrived() -> bool:
        try:
            found = client.dial(servers, servers.replica_port)
            row = found.place()
            found.close()
        except Exception:  # not yet: no table, no row
            return False
        return who(servers, row) == REPLICA

    if not holds_within(ARRIVES_SECONDS, has_arrived, 0.2):
        raise ExperimentError(f"{servers.engine.name}: the table does not reach the replica")
