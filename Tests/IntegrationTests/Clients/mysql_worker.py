"""What a worker of flips.py does with MariaDB or MySQL, through PyMySQL and MySQL's Connector/Python."""

import itertools
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import mysql.connector
import pymysql
from pymysql.constants import CLIENT

# Large enough that no account becomes negative: Connector/Python binds 1 as unsigned.
TOTAL = 10_000_000


class BetweenTransactions(Exception):
    """The session had ended when the next transaction was about to begin."""


class WrongAnswer(Exception):
    """The server's answer violates an invariant."""


class PyMySQLSession:
    """One connection through PyMySQL. Each kind of transaction in turn."""

    LOST: tuple[type[Exception], ...] = (pymysql.err.OperationalError, pymysql.err.InterfaceError, ConnectionError)

    def __init__(self, port: int, replica_port: int, data: str, tls: bool = False) -> None:
        self._connection = pymysql.connect(
            host="127.0.0.1",
            port=port,
            user="app",
            password="app-secret",
            database="app",
            autocommit=True,
            local_infile=True,
            client_flag=CLIENT.MULTI_STATEMENTS,
            connect_timeout=200,
            ssl_disabled=not tls,
            ssl={"verify_mode": "none", "check_hostname": False} if tls else None,
        )
        self._replica_port, self._data = replica_port, data
        self.thinking = 0.0
        self._kinds = itertools.cycle([self._transfer, self._load_data, self._several])

    def place(self) -> str:
        [[port]] = self._run("select @@port")
        return "replica" if port == self._replica_port else "primary"

    def _run(self, sql: str) -> Any:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall()
            while cursor.nextset():
                rows = cursor.fetchall()
            return rows

    def transaction(self, place: str, number: int) -> None:
        try:
            self._run("start transaction with consistent snapshot" if place == "replica" else "begin")
        except self.LOST as failure:
            raise BetweenTransactions from failure
        if place == "replica":
            sums = [int(self._run("select sum(balance) from accounts")[0][0]) for _ in range(2)]
            if sums != [TOTAL, TOTAL]:
                raise WrongAnswer(f"sums on the replica: {sums}")
            time.sleep(self.thinking)
        else:
            kind = next(self._kinds)
            kind(number)
            # MariaDB's plugin metadata_lock_info does not show a transaction that has used no table.
            if kind != self._several:
                time.sleep(self.thinking)
        self._run("commit")

    def _transfer(self, number: int) -> None:
        self._run(f"update accounts set balance = balance - 1 where id = {number % 10}")
        self._run(f"update accounts set balance = balance + 1 where id = {(number + 1) % 10}")

    def _load_data(self, number: int) -> None:
        self._run(f"load data local infile '{self._data}' into table log")

    def _several(self, number: int) -> None:
        if self._run("select 1; select 2; select 3") != ((3,),):
            raise WrongAnswer("the last of several results is another")

    def close(self) -> None:
        with suppress(pymysql.err.Error):
            self._connection.close()


class ConnectorSession(PyMySQLSession):
    """The same through Connector/Python, in pure Python, with prepared statements."""

    LOST: tuple[type[Exception], ...] = (mysql.connector.Error, ConnectionError)

    def __init__(self, port: int, replica_port: int, data: str, tls: bool = False) -> None:
        self._connection = mysql.connector.connect(
            host="127.0.0.1",
            port=port,
            user="app",
            password="app-secret",
            database="app",
            autocommit=True,
            allow_local_infile=True,
            connection_timeout=200,
            ssl_disabled=not tls,
            use_pure=True,
        )
        self._replica_port, self._data = replica_port, data
        self.thinking = 0.0
        self._kinds = itertools.cycle([self._transfer, self._load_data])

    def _run(self, sql: str) -> Any:
        cursor = self._connection.cursor()
        cursor.execute(sql)
        rows = cursor.fetchall() if cursor.with_rows else []
        cursor.close()
        return rows

    def _transfer(self, number: int) -> None:
        cursor = self._connection.cursor(prepared=True)
        for change, account in ((-1, number % 10), (1, (number + 1) % 10)):
            cursor.execute("update accounts set balance = balance + ? where id = ?", (change, account))
        cursor.close()

    def close(self) -> None:
        with suppress(mysql.connector.Error):
            self._connection.close()


class Worker:
    """Makes sessions through the proxy, of either library in turn, and looks at the primary itself."""

    BetweenTransactions = BetweenTransactions
    WrongAnswer = WrongAnswer

    def __init__(self, port: int, replica_port: int, tls: bool = False) -> None:
        self._port, self._replica_port, self._tls = port, replica_port, tls
        self._file = tempfile.NamedTemporaryFile("w", suffix=".txt")
        self._file.write("1\n" * 50)
        self._file.flush()
        self._kinds = itertools.cycle([PyMySQLSession, ConnectorSession])

    def connect(self) -> PyMySQLSession:
        return next(self._kinds)(self._port, self._replica_port, self._file.name, self._tls)

    def is_message(self, failure: BaseException | None) -> bool:
        """Whether the session ended with a message that the client should connect again: ER_SERVER_SHUTDOWN."""
        return failure is not None and 1053 in failure.args[:1]

    def _direct(self, port: int) -> PyMySQLSession:
        return PyMySQLSession(port, self._replica_port, self._file.name)

    def _primary(self) -> PyMySQLSession:
        is_mysql = os.environ.get("LAB_MYSQL_REPLICA_PORT") == str(self._replica_port)
        return self._direct(int(os.environ["LAB_MYSQL_PRIMARY_PORT" if is_mysql else "LAB_MY_PRIMARY_PORT"]))

    def prepare(self) -> None:
        primary = self._primary()
        primary._run("drop table if exists accounts, log")
        primary._run("create table accounts (id int primary key, balance bigint)")
        primary._run("create table log (worker int)")
        primary._run("insert into accounts values " + ", ".join(f"({n}, {TOTAL // 10})" for n in range(10)))
        [[version]] = primary._run("select version()")
        is_mariadb = "MariaDB" in version
        [[position]] = primary._run("select @@gtid_binlog_pos" if is_mariadb else "select @@gtid_executed")
        primary.close()
        replica = self._direct(self._replica_port)
        wait = "master_gtid_wait" if is_mariadb else "wait_for_executed_gtid_set"
        replica._run(f"select {wait}('{position}', 30)")
        replica.close()

    def check(self, wrong: Callable[[str], None]) -> None:
        primary = self._primary()
        [[total]] = primary._run("select sum(balance) from accounts")
        primary.close()
        if int(total) != TOTAL:
            wrong(f"the sum is {total} in the end")
