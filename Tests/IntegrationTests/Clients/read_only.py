#!/usr/bin/python3
"""Tries to write through the proxy in every way that drivers have: read_only.py ENGINE PORT

Prints a line for each: driver, what was done before, and `writes`, `read only` or another error. The table
`guarded` exists.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

USER, PASSWORD, DATABASE = "app", "app-secret", "app"
WRITE = "insert into guarded values (1)"

Outcomes = Iterator[tuple[str, str]]
"""What was done before, and the outcome of a write after it."""


def outcome(write: Callable[[], object]) -> str:
    try:
        write()
    except Exception as failure:
        words = str(getattr(failure, "stderr", None) or failure)
        is_refused = "read-only transaction" in words or "READ ONLY transaction" in words
        return "read only" if is_refused else f"{failure!r} {words}".replace("\n", " ")
    return "writes"


def psql(port: int) -> Outcomes:
    def run(*statements: str, **variables: str) -> list[str]:
        command = [
            "psql",
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            f"host=127.0.0.1 port={port} user={USER} dbname={DATABASE} sslmode=disable",
        ]
        for statement in statements:
            command += ["-c", statement]
        environment = {"PATH": os.environ["PATH"], "PGPASSWORD": PASSWORD} | variables
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=True)
        words: list[str] = done.stdout.split()
        return words

    assert run("select 1") == ["1"]
    yield "at once", outcome(lambda: run(WRITE))
    yield "own options", outcome(lambda: run(WRITE, PGOPTIONS="-c default_transaction_read_only=off"))
    yield "RESET ALL", outcome(lambda: run("reset all", WRITE))
    yield "DISCARD ALL", outcome(lambda: run("set default_transaction_read_only = off", "discard all", WRITE))
    yield "BEGIN READ WRITE", outcome(lambda: run(f"begin read write; {WRITE}; rollback"))


def psycopg(port: int) -> Outcomes:
    import psycopg as driver

    def connect(**more: Any) -> driver.Connection[tuple[Any, ...]]:
        return driver.connect(
            host="127.0.0.1",
            port=port,
            user=USER,
            password=PASSWORD,
            dbname=DATABASE,
            sslmode="disable",
            connect_timeout=200,
            autocommit=True,
            **more,
        )

    with connect() as connection:
        assert connection.execute("select 1").fetchone() == (1,)
        yield "at once", outcome(lambda: connection.execute(WRITE))
        with connection.pipeline():
            connection.execute("discard all")
        yield "DISCARD ALL", outcome(lambda: connection.execute(WRITE))
    with connect(options="-c default_transaction_read_only=off -c statement_timeout=600s") as connection:
        yield "own options", outcome(lambda: connection.execute(WRITE))


def mariadb(port: int) -> Outcomes:
    yield from _client(["mariadb", "--no-defaults", "--skip-ssl"], port)


def mysql(port: int) -> Outcomes:
    yield from _client(["mysql", "--no-defaults", "--ssl-mode=DISABLED", "--get-server-public-key"], port)


def _client(program: list[str], port: int) -> Outcomes:
    def run(statements: str) -> list[str]:
        command = [
            *program,
            "-h",
            "127.0.0.1",
            "-P",
            str(port),
            "-u",
            USER,
            "-D",
            DATABASE,
        ]
        done = subprocess.run(
            [*command, "-BNe", statements],
            env={"PATH": os.environ["PATH"], "MYSQL_PWD": PASSWORD},
            capture_output=True,
            text=True,
            timeout=200,
            check=True,
        )
        words: list[str] = done.stdout.split()
        return words

    assert run("select 1") == ["1"]
    yield "at once", outcome(lambda: run(WRITE))
    yield "READ WRITE", outcome(lambda: run(f"set session transaction read write; begin; {WRITE}; rollback"))


def pymysql(port: int) -> Outcomes:
    import pymysql as driver

    connection = driver.connect(
        host="127.0.0.1",
        port=port,
        user=USER,
        password=PASSWORD,
        database=DATABASE,
        connect_timeout=200,
        ssl_disabled=True,
        autocommit=True,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("select 1")
        assert cursor.fetchall() == ((1,),)
        yield "at once", outcome(lambda: cursor.execute(WRITE))

        # COM_RESET_CONNECTION and the query in one packet: the server could run the query at once.
        def piped() -> None:
            query = b"\x03" + WRITE.encode()
            connection._write_bytes(b"\x01\0\0\0\x1f" + len(query).to_bytes(3, "little") + b"\0" + query)
            for _ in range(2):
                connection._next_seq_id = 1
                connection._read_packet()

        yield "piped reset", outcome(piped)
        yield "then", outcome(lambda: cursor.execute(WRITE))


def connector(port: int) -> Outcomes:
    import mysql.connector as driver

    connection = driver.connect(
        host="127.0.0.1",
        port=port,
        user=USER,
        password=PASSWORD,
        database=DATABASE,
        connection_timeout=200,
        ssl_disabled=True,
        use_pure=True,
        autocommit=True,
    )

    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute(WRITE)

    def read() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
            return cursor.fetchall()

    def refused_change() -> None:
        try:
            connection.cmd_change_user("app", "wrong", DATABASE)
        except driver.Error as failure:
            assert failure.errno == 1045, failure
        else:
            raise AssertionError("let in with a wrong password")

    assert read() == [(1,)]
    yield "at once", outcome(write)
    for name, forget in [
        ("reset", connection.cmd_reset_connection),
        ("change of user", lambda: connection.cmd_change_user(USER, PASSWORD, DATABASE)),
        ("refused change of user", refused_change),
        ("reset again", connection.cmd_reset_connection),
    ]:
        forget()
        if not connection.is_connected():
            # MySQL ends a session whose change of user it refuses; MariaDB goes on with it.
            return
        assert read() == [(1,)]
        yield name, outcome(write)
    connection.close()


DRIVERS: dict[str, list[Callable[[int], Outcomes]]] = {
    "postgres": [psql, psycopg],
    "mariadb": [mariadb, pymysql, connector],
    "mysql": [mysql, pymysql, connector],
}


def main() -> None:
    engine, port = sys.argv[1:]
    for driver in DRIVERS[engine]:
        for before, found in driver(int(port)):
            print(f"{driver.__name__}, {before}: {found}")


if __name__ == "__main__":
    main()
