"""What today_mysql.py does with drivers for Python: functions that take a port and the options of a mode."""

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from today import DATABASE, PASSWORD, ROWS, SLEEP_SECONDS, USER, Answer, Cancelled, place

SERVER = "select @@port, @@version"
SESSION = "show status where variable_name in ('Ssl_version', 'Compression', 'Compression_algorithm')"
LINE = "select line from today where id = "
SLEEP = f"select sleep({SLEEP_SECONDS})"
# MariaDB may end a query that is killed before its sleep has begun in another way than one that sleeps.
ASLEEP = "select count(*) from information_schema.processlist where id = %d and state = 'User sleep'"
READ_ONLY = "start transaction with consistent snapshot, read only"


def about(answer: Answer, server: Any, session: Any) -> None:
    """Tells the server by its row, the session by its status."""
    (port, version), status = server, {str(name): value for name, value in session}
    answer.is_from(port, status.pop("Ssl_version"))
    answer.add("version", version)
    answer.add("compression", status.get("Compression_algorithm") or status["Compression"])


def reads(connect: Callable[[], Any], answer: Answer, error: type[Exception], unbuffered: dict[str, Any]) -> Any:
    """What all drivers of Python's DB-API do. Returns their session."""

    def query(session: Any, text: str, *parameters: Any, **kind: Any) -> Any:
        with session.cursor(**kind) as cursor:
            cursor.execute(text, *parameters)
            return cursor.fetchall()

    connection, other = connect(), connect()
    about(answer, query(connection, SERVER)[0], query(connection, SESSION))
    answer.add("rows", query(connection, ROWS))
    answer.add("lines", [query(connection, LINE + "%s", (n,)) for n in range(50)])
    with connection.cursor(**unbuffered) as cursor:
        cursor.execute(ROWS)
        rows: list[Any] = []
        while part := cursor.fetchmany(1000):
            rows += part
        answer.add("unbuffered", rows)
    with connection.cursor() as cursor:
        cursor.execute(READ_ONLY)
        answer.add("transaction", [query(connection, "select count(*) from today") for _ in range(2)])
        cursor.execute("commit")
        try:
            cursor.execute("select missing from today")
        except error as failure:
            answer.add("error", failure)
        cursor.execute(f"prepare text from '{LINE}?'")
        cursor.execute("set @n = 7")
        cursor.execute("execute text using @n")
        answer.add("prepared", cursor.fetchall())
    number = query(connection, "select connection_id()")[0][0]

    def cancel() -> None:
        with other.cursor() as cursor:
            cursor.execute(f"kill query {number}")

    with Cancelled(lambda: bool(query(other, ASLEEP % number)[0][0]), cancel):
        try:
            answer.add("cancelled", query(connection, SLEEP))
        except error as failure:
            answer.add("cancelled", failure)
    answer.add("then", query(connection, "select 1"))
    other.close()
    return connection


def pymysql(port: int, options: dict[str, Any]) -> Answer:
    import pymysql as driver
    from pymysql.constants import CLIENT

    def connect() -> Any:
        several = CLIENT.MULTI_STATEMENTS
        return driver.connect(**place(port), database=DATABASE, client_flag=several, autocommit=True, **options)

    answer = Answer()
    with reads(connect, answer, driver.Error, {"cursor": driver.cursors.SSCursor}) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"select 1; {ROWS}; select 3")
            results = [cursor.fetchall()]
            while cursor.nextset():
                results.append(cursor.fetchall())
        answer.add("several", results)
        connection.ping(reconnect=False)
    return answer


def mysqldb(port: int, options: dict[str, Any]) -> Answer:
    driver = importlib.import_module("MySQLdb")
    cursors = importlib.import_module("MySQLdb.cursors")
    answer = Answer()
    reads(
        lambda: driver.connect(**place(port), database=DATABASE, autocommit=True, **options),
        answer,
        driver.Error,
        {"cursorclass": cursors.SSCursor},
    ).close()
    return answer


def connector(port: int, options: dict[str, Any]) -> Answer:
    # Without this line it finds Debian 12's OpenSSL in its process, which is too old for its C library, and is in pure
    # Python.
    importlib.import_module("_mysql_connector")
    import mysql.connector as driver

    assert driver.HAVE_CEXT
    answer = Answer()
    connection = reads(
        lambda: driver.connect(**place(port), database=DATABASE, autocommit=True, **options),
        answer,
        driver.Error,
        {"buffered": False},
    )
    with connection.cursor(prepared=True) as cursor:
        lines = []
        for number in range(50):
            cursor.execute(LINE + "?", (number,))
            lines.append(cursor.fetchall())
        answer.add("statement", lines)
        cursor.execute(ROWS)
        answer.add("binary", cursor.fetchall())
    connection.cmd_reset_connection()
    connection.cmd_change_user(USER, PASSWORD, DATABASE)
    with connection.cursor() as cursor:
        cursor.execute("select @n, current_user()")
        answer.add("reset", cursor.fetchall())
    connection.close()
    return answer


def asynchronous(package: str, port: int, options: dict[str, Any], *unbuffered: str) -> Answer:
    """What the asynchronous drivers do. They have one interface, but for the class of unbuffered cursors."""
    import asyncio
    import ssl

    driver: Any = importlib.import_module(package)
    kinds = [getattr(importlib.import_module(f"{package}.cursors"), name) for name in unbuffered]
    if "ssl" in options:
        options = {"ssl": ssl.create_default_context(cafile=options["ssl"])}
    answer = Answer()

    async def result(value: Any) -> Any:
        return await value if inspect.isawaitable(value) else value

    async def work() -> None:
        database = {"db" if package == "aiomysql" else "database": DATABASE}
        connection = await driver.connect(**place(port), **database, **options)

        async def query(text: str, *kind: Any) -> list[Any]:
            cursor = await result(connection.cursor(*kind))
            await cursor.execute(text)
            rows = list(await cursor.fetchall())
            await cursor.close()
            return rows

        about(answer, (await query(SERVER))[0], await query(SESSION))
        answer.add("rows", await query(ROWS))
        answer.add("unbuffered", await query(ROWS, *kinds))
        # What queries begin by themselves ends.
        await connection.rollback()
        if hasattr(connection, "start_transaction"):
            await connection.start_transaction(readonly=True)
        else:
            await connection.begin()
        answer.add("transaction", [await query("select count(*) from today") for _ in range(2)])
        await connection.commit()
        try:
            await query("select missing from today")
        except Exception as failure:
            answer.add("error", repr(failure))
        answer.add("then", await query("select 1"))
        await result(connection.close())

    asyncio.run(work())
    return answer


def aiomysql(port: int, options: dict[str, Any]) -> Answer:
    return asynchronous("aiomysql", port, options, "SSCursor")


def asyncmy(port: int, options: dict[str, Any]) -> Answer:
    return asynchronous("asyncmy", port, options, "SSCursor")


def connector_aio(port: int, options: dict[str, Any]) -> Answer:
    return asynchronous("mysql.connector.aio", port, options)
