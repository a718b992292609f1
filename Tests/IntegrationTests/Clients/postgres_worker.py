"""What a worker of flips.py does with PostgreSQL, through psycopg 3."""

import itertools
import logging
import os
import time
from collections.abc import Callable
from typing import Any

import psycopg

TOTAL = 1000
Connection = psycopg.Connection[tuple[Any, ...]]
# psycopg's messages about pipelines whose session was closed are not of interest here.
logging.getLogger("psycopg").setLevel(logging.CRITICAL)


class BetweenTransactions(Exception):
    """The session had ended when the next transaction was about to begin."""


class WrongAnswer(Exception):
    """The server's answer violates an invariant."""


def value(connection: Connection, query: str, *parameters: object) -> Any:
    """The one value of a query's one row."""
    [(only,)] = connection.execute(query, parameters or None).fetchall()
    return only


class Session:
    """One connection. Each kind of transaction in turn."""

    def __init__(self, connection: Connection, worker: "Worker") -> None:
        self._connection = connection
        self._worker = worker
        self.thinking = 0.0
        self._kinds = itertools.cycle([self._transfer, self._batch, self._copy])

    def place(self) -> str:
        port = value(self._connection, "select inet_server_port()")
        return "replica" if port == self._worker.replica_port else "primary"

    def transaction(self, place: str, number: int) -> None:
        kind = self._read if place == "replica" else next(self._kinds)
        kind(number)

    def _begin(self, how: str = "begin") -> None:
        try:
            self._connection.execute(how)
        except psycopg.OperationalError as failure:
            raise BetweenTransactions from failure

    def _read(self, number: int) -> None:
        self._begin("begin isolation level repeatable read")
        sums = [value(self._connection, "select sum(balance) from accounts") for _ in range(2)]
        time.sleep(self.thinking)
        self._connection.execute("commit")
        if sums != [TOTAL, TOTAL]:
            raise WrongAnswer(f"sums on the replica: {sums}")

    def _transfer(self, number: int) -> None:
        self._begin()
        for sign in ("-", "+"):
            self._connection.execute(
                f"update accounts set balance = balance {sign} 1 where id = %s",
                [(number + (sign == "+")) % 10],
                prepare=True,
            )
        time.sleep(self.thinking)
        self._connection.execute("commit")

    def _batch(self, number: int) -> None:
        """Sent as a whole, and all or nothing: if the session was closed before, no statement was run."""
        before = self._worker.logged_by(number)
        try:
            with self._connection.pipeline():
                for _ in range(3):
                    self._connection.execute("insert into log values (%s)", [number])
        except psycopg.OperationalError as failure:
            if self._worker.logged_by(number) != before:
                raise WrongAnswer(f"a batch was cut from its answer: {failure!r}") from failure
            raise BetweenTransactions from failure

    def _copy(self, number: int) -> None:
        self._begin()
        with self._connection.cursor() as cursor, cursor.copy("copy log from stdin") as copy:
            for _ in range(50):
                copy.write_row([number])
        time.sleep(self.thinking)
        self._connection.execute("commit")

    def close(self) -> None:
        self._connection.close()


class Worker:
    """Makes sessions through the proxy, and looks at the primary itself."""

    BetweenTransactions = BetweenTransactions
    WrongAnswer = WrongAnswer

    def __init__(self, port: int, replica_port: int, tls: bool = False) -> None:
        self._port, self.replica_port, self._tls = port, replica_port, tls

    def _connect(self, port: int) -> Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=port,
            user="app",
            password="app-secret",
            dbname="app",
            sslmode="require" if self._tls and port == self._port else "disable",
            autocommit=True,
            connect_timeout=200,
        )

    def connect(self) -> Session:
        return Session(self._connect(self._port), self)

    def is_message(self, failure: BaseException | None) -> bool:
        """Whether the session ended with a message that the client should connect again."""
        # libpq has read it by the time that it sends the next statement, so it is a part of the error's text.
        return "Connect again" in str(failure)

    def logged_by(self, number: int) -> int:
        with self.primary() as primary:
            return int(value(primary, "select count(*) from log where worker = %s", number))

    def primary(self) -> Connection:
        return self._connect(int(os.environ["LAB_PG_PRIMARY_PORT"]))

    def prepare(self) -> None:
        with self.primary() as primary:
            primary.execute("drop table if exists accounts, log")
            primary.execute("create table accounts (id int primary key, balance bigint)")
            primary.execute("create table log (worker int)")
            primary.execute(f"insert into accounts select n, {TOTAL // 10} from generate_series(0, 9) n")
            position = value(primary, "select pg_current_wal_lsn()")
        with self._connect(self.replica_port) as replica:
            while not value(replica, "select pg_last_wal_replay_lsn() >= %s::pg_lsn", position):
                pass

    def check(self, wrong: Callable[[str], None]) -> None:
        with self.primary() as primary:
            total = value(primary, "select sum(balance) from accounts")
        if total != TOTAL:
            wrong(f"the sum is {total} in the end")
