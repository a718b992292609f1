#!/usr/bin/python3
"""Reads from PostgreSQL with the drivers and programs of today, in each of their modes: today_postgres.py PORT

Prints a line for each: driver, mode, the answering server's port, whether the session was encrypted, and the results,
which do not depend on the server. Exit status 1 if one failed.
"""

import importlib
import io
import os
import re
import sys
import time
from collections.abc import Callable
from typing import Any

from today import DATABASE, PASSWORD, ROWS, SLEEP_SECONDS, USER, Answer, Cancelled, cases, place, run, show

SERVER = "select inet_server_port(), ssl from pg_stat_ssl where pid = pg_backend_pid()"
LINE = "select line from today where id = "
SERIES = "select generate_series(1, 200000)"
SLEEP = f"select pg_sleep({SLEEP_SECONDS})"
READ_ONLY = "isolation level repeatable read, read only"
LIBPQ: dict[str, dict[str, str]] = {
    "default": {},
    "clear": {"sslmode": "disable"},
    "tls": {"sslmode": "require"},
    "direct": {"sslmode": "require", "sslnegotiation": "direct"},
    "channel-binding": {"sslmode": "require", "channel_binding": "require"},
    "verified": {"sslmode": "verify-full", "sslrootcert": os.environ["LAB_TLS_CA"]},
}
PROTOCOL = {"min_protocol_version": "3.2", "max_protocol_version": "latest"}
LIBPQ_18 = LIBPQ | {"protocol-3.2": PROTOCOL, "protocol-3.2-clear": PROTOCOL | LIBPQ["clear"]}
ASYNCPG = {
    "default": {},
    "clear": {"ssl": False},
    "tls": {"ssl": "require"},
    "direct": {"ssl": "require", "direct_tls": True},
}
PG8000 = {"default": {}, "clear": {"ssl_context": False}, "tls": {"ssl_context": True}}
ACTIVE = "select count(*) from pg_stat_activity where pid = %d and wait_event = 'PgSleep'"


def libpq(port: int, options: dict[str, str]) -> str:
    words = {"host": "127.0.0.1", "port": port, "user": USER, "dbname": DATABASE, "connect_timeout": 60} | options
    return " ".join(f"{key}={value}" for key, value in words.items())


def begins(query: Callable[[str], Any], process: int) -> Callable[[], bool]:
    """Asks another session whether a server's process sleeps."""
    return lambda: bool(query(ACTIVE % process)[0][0])


def psycopg(port: int, options: dict[str, str]) -> Answer:
    import psycopg as driver

    def connect() -> driver.Connection[tuple[Any, ...]]:
        return driver.connect(libpq(port, options), password=PASSWORD, autocommit=True)

    answer = Answer()
    with connect() as connection, connect() as other:
        answer.is_from(*connection.execute(SERVER).fetchall()[0])
        answer.add("protocol", getattr(connection.pgconn, "full_protocol_version", ""))
        answer.add("rows", connection.execute(ROWS).fetchall())
        answer.add("prepared", [connection.execute(LINE + "%s", [n], prepare=True).fetchall() for n in range(50)])
        with connection.cursor(binary=True) as cursor:
            answer.add("streamed", list(cursor.stream(ROWS)))
        with connection.transaction():
            connection.execute(f"set transaction {READ_ONLY}")
            with connection.cursor("held") as cursor:
                answer.add("cursor", cursor.execute(ROWS).fetchall())
        with connection.pipeline():
            answers = [connection.execute(LINE + "%s", [n]) for n in range(200)]
        answer.add("pipeline", [one.fetchall() for one in answers])
        with connection.cursor() as cursor, cursor.copy(f"copy ({SERIES}) to stdout") as copied:
            answer.add("copy", b"".join(bytes(part) for part in copied))
        try:
            connection.execute("select 1 / 0")
        except driver.errors.DivisionByZero as error:
            answer.add("error", error)
        begun = begins(lambda query: other.execute(query).fetchall(), connection.info.backend_pid)
        # The second request is encrypted if the session is.
        for cancel in (connection.cancel, getattr(connection, "cancel_safe", connection.cancel)):
            with Cancelled(begun, cancel):
                try:
                    connection.execute(SLEEP)
                except driver.errors.QueryCanceled as error:
                    answer.add("cancelled", error)
        answer.add("then", connection.execute("select 1").fetchall())
    return answer


def psycopg2(port: int, options: dict[str, str]) -> Answer:
    driver: Any = importlib.import_module("psycopg2")

    def query(connection: Any, text: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchall()

    answer = Answer()
    connection, other = (driver.connect(libpq(port, options), password=PASSWORD) for _ in range(2))
    connection.autocommit = other.autocommit = True
    answer.is_from(*query(connection, SERVER)[0])
    answer.add("rows", query(connection, ROWS))
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
    with connection, connection.cursor("held") as cursor:
        cursor.execute(ROWS)
        answer.add("cursor", cursor.fetchall())
    with connection, connection.cursor() as cursor:
        copied = io.BytesIO()
        cursor.copy_expert(f"copy ({SERIES}) to stdout", copied)
        answer.add("copy", copied.getvalue())
    try:
        query(connection, "select 1 / 0")
    except driver.errors.DivisionByZero as error:
        answer.add("error", error)
        connection.rollback()
    with Cancelled(begins(lambda text: query(other, text), connection.info.backend_pid), connection.cancel):
        try:
            query(connection, SLEEP)
        except driver.errors.QueryCanceled as error:
            answer.add("cancelled", error)
            connection.rollback()
    answer.add("then", query(connection, "select 1"))
    connection.close()
    return answer


def asyncpg(port: int, options: dict[str, Any]) -> Answer:
    import asyncio

    driver: Any = importlib.import_module("asyncpg")

    async def work() -> Answer:
        answer = Answer()
        connection = await driver.connect(**place(port), database=DATABASE, **options)
        answer.is_from(*await connection.fetchrow(SERVER))
        answer.add("rows", await connection.fetch(ROWS))
        statement = await connection.prepare(LINE + "$1")
        answer.add("prepared", [await statement.fetch(n) for n in range(50)])
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            answer.add("cursor", [row async for row in connection.cursor(ROWS)])
        copied = io.BytesIO()
        await connection.copy_from_query(SERIES, output=copied)
        answer.add("copy", copied.getvalue())
        try:
            await connection.fetch("select 1 / 0")
        except driver.DivisionByZeroError as error:
            answer.add("error", error)
        start = time.monotonic()
        try:
            # At the end of this time it sends a cancel request, which is encrypted if the session is.
            await connection.fetch(SLEEP, timeout=1)
        except TimeoutError:
            answer.add("then", await connection.fetch("select 1"))
        if time.monotonic() - start >= SLEEP_SECONDS:
            raise RuntimeError("the query was not cancelled")
        await connection.close()
        return answer

    return asyncio.run(work())


def pg8000(port: int, options: dict[str, Any]) -> Answer:
    driver: Any = importlib.import_module("pg8000.native")
    answer = Answer()
    connection = driver.Connection(**place(port), database=DATABASE, **options)
    answer.is_from(*connection.run(SERVER)[0])
    answer.add("rows", connection.run(ROWS))
    statement = connection.prepare(LINE + ":n")
    answer.add("prepared", [statement.run(n=n) for n in range(50)])
    connection.run(f"begin {READ_ONLY}")
    connection.run(f"declare held cursor for {ROWS}")
    answer.add("cursor", connection.run("fetch all from held"))
    connection.run("commit")
    copied = io.BytesIO()
    connection.run(f"copy ({SERIES}) to stdout", stream=copied)
    answer.add("copy", copied.getvalue())
    try:
        connection.run("select 1 / 0")
    except driver.DatabaseError as error:
        answer.add("error", error.args[0]["C"])
    answer.add("then", connection.run("select 1"))
    connection.close()
    return answer


PSQL = rf"""{SERVER};
{ROWS};
\set FETCH_COUNT 100
{ROWS};
\unset FETCH_COUNT
{LINE} $1 \parse prepared
\bind_named prepared 7 \g
\startpipeline
{LINE} $1 \bind 8 \sendpipeline
{ROWS};
\endpipeline
begin {READ_ONLY};
select count(*) from today;
select 1 / 0;
rollback;
copy ({SERIES}) to stdout;
select 'works';
\conninfo
"""


def psql(port: int, options: dict[str, str]) -> Answer:
    answer = Answer()
    output = run(["psql", "-XAtq", libpq(port, options)], PSQL, PGPASSWORD=PASSWORD)
    first, _, rest = output.partition("\n")
    server, encrypted = first.split("|")
    answer.is_from(server, encrypted == "t")
    session = dict(line.split("|", 1) for line in rest.splitlines() if line.count("|") == 1)
    answer.add("protocol", session["Protocol Version"])
    answer.add("cipher", session.get("SSL Cipher"))
    # What is of this server or this session.
    answer.add("output", re.sub("^(Server Port|Backend PID|Hot Standby).*\n", "", rest, flags=re.MULTILINE))
    return answer


def pg_dump(port: int, options: dict[str, str]) -> Answer:
    # No server writes its port into a dump, and none would answer if these modes did not agree with the session.
    answer = Answer(encrypted=options["sslmode"] != "disable")
    command = ["pg_dump", "--table=today", "--restrict-key=today", f"--dbname={libpq(port, options)}"]
    answer.add("dump", run(command, PGPASSWORD=PASSWORD))
    return answer


def main() -> None:
    port = int(sys.argv[1])
    show(
        cases("psql", psql, port, LIBPQ_18)
        + cases("pg_dump", pg_dump, port, {mode: LIBPQ[mode] for mode in ("clear", "tls", "direct")})
        + cases("psycopg", psycopg, port, LIBPQ_18)
        + cases("psycopg2", psycopg2, port, LIBPQ, "psycopg2-binary")
        + cases("asyncpg", asyncpg, port, ASYNCPG)
        + cases("pg8000", pg8000, port, PG8000)
    )


if __name__ == "__main__":
    main()
