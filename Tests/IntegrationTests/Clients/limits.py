#!/usr/bin/python3
"""What clients see at the limits of a route: limits.py WHAT PORT ...

held PORT COUNT    PostgreSQL ends COUNT sessions that are idle, whose clients do not read; one more must be served
cancel PORT        two queries on a route that has no place for more; both must be cancelled
copy PORT SECONDS  a COPY that waits for a lock so long, with more bytes under way than any buffer holds
waits ENGINE PORT SECONDS    a query of SECONDS, then as long without traffic; prints the error of the next one
idle ENGINE PORT   an idle session; prints the error of its next query, once a line comes on the standard input
"""

import select
import sys
import threading
import time
from typing import Any

import psycopg
import pymysql


def postgres(port: int, **more: Any) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(
        host="127.0.0.1",
        port=port,
        user="app",
        password="app-secret",
        dbname="app",
        sslmode="disable",
        autocommit=True,
        **more,
    )


def mariadb(port: int) -> Any:
    return pymysql.connect(
        host="127.0.0.1", port=port, user="app", password="app-secret", database="app", autocommit=True
    )


def held(port: int, count: int) -> None:
    sessions = [postgres(port, options="-c idle_session_timeout=300") for _ in range(count)]
    for session in sessions:
        assert select.select([session.fileno()], [], [], 60)[0], "the server did not end an idle session"
    # The server's last message and its end of the stream arrive one after the other.
    deadline = time.monotonic() + 5
    while True:
        try:
            [(answer,)] = postgres(port).execute("select 1").fetchall()
            print(answer)
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise


def cancel(port: int) -> None:
    sessions = [postgres(port) for _ in range(2)]
    outcomes: list[str] = []

    def run(session: psycopg.Connection[tuple[Any, ...]]) -> None:
        try:
            session.execute("select pg_sleep(60)")
            outcomes.append("ran to its end")
        except psycopg.errors.QueryCanceled:
            outcomes.append("cancelled")

    threads = [threading.Thread(target=run, args=[session]) for session in sessions]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.1)
        for session, thread in zip(sessions, threads, strict=True):
            if thread.is_alive():
                session.cancel()
    for outcome in outcomes:
        print(outcome)


def copy(port: int, seconds: float) -> None:
    holder, writer = postgres(port), postgres(port)
    holder.execute("drop table if exists copied; create table copied (line text)")
    holder.execute("begin; lock table copied")
    threading.Timer(seconds, lambda: holder.execute("commit")).start()
    start = time.monotonic()
    with writer.cursor() as cursor, cursor.copy("copy copied from stdin") as lines:
        for _ in range(300):
            lines.write("x" * 99_999 + "\n")
    assert time.monotonic() - start >= seconds, "it did not wait for the lock"
    [(count,)] = writer.execute("select count(*) from copied").fetchall()
    print(count)
    writer.execute("drop table copied")


def waits(engine: str, port: int, seconds: float) -> None:
    session: Any = postgres(port) if engine == "postgres" else mariadb(port)
    with session.cursor() as cursor:
        cursor.execute(f"select {'pg_sleep' if engine == 'postgres' else 'sleep'}({seconds})")
    print("answered")
    descriptor = session.fileno() if engine == "postgres" else session._sock.fileno()
    select.select([descriptor], [], [], 60)
    ask(session)


def idle(engine: str, port: int) -> None:
    session: Any = postgres(port) if engine == "postgres" else mariadb(port)
    if engine == "postgres":
        session.execute("select 1")
    print("idle", flush=True)
    sys.stdin.readline()
    ask(session)


def ask(session: Any) -> None:
    """Prints the error of the next query: MySQL's code, or PostgreSQL's text: psycopg has no SQLSTATE here."""
    try:
        with session.cursor() as cursor:
            cursor.execute("select 1")
        print("no error")
    except psycopg.Error as error:
        print(str(error).splitlines()[0])
    except pymysql.Error as error:
        print(error.args[0])


def main() -> None:
    match sys.argv[1:]:
        case ["held", port, count]:
            held(int(port), int(count))
        case ["cancel", port]:
            cancel(int(port))
        case ["copy", port, seconds]:
            copy(int(port), float(seconds))
        case ["waits", engine, port, seconds]:
            waits(engine, int(port), float(seconds))
        case ["idle", engine, port]:
            idle(engine, int(port))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
