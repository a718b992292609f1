#!/usr/bin/python3
"""Asks through the proxy which server answers, with every driver and every mode of encryption: drivers.py ENGINE PORT

Prints a line for each: driver, mode, the answering server's port, whether the session was encrypted. Exit status 1 if
one failed.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

USER, PASSWORD, DATABASE = "app", "app-secret", "app"
POSTGRES_QUERY = "select inet_server_port(), ssl from pg_stat_ssl where pid = pg_backend_pid()"

Answer = tuple[int, bool]
"""The port of the server that answers, and whether the session is encrypted."""


def psycopg(port: int, mode: str) -> Answer:
    import psycopg as driver

    with driver.connect(
        host="127.0.0.1", port=port, user=USER, password=PASSWORD, dbname=DATABASE, sslmode=mode, connect_timeout=200
    ) as connection:
        [(answer, encrypted)] = connection.execute(POSTGRES_QUERY).fetchall()
    return answer, encrypted


def psql(port: int, mode: str) -> Answer:
    done = subprocess.run(
        [
            "psql",
            "-XAtq",
            "-F",
            " ",
            f"host=127.0.0.1 port={port} user={USER} dbname={DATABASE} sslmode={mode}",
            "-c",
            POSTGRES_QUERY,
        ],
        env={"PATH": os.environ["PATH"], "PGPASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    )
    answer, encrypted = done.stdout.split()
    return int(answer), encrypted == "t"


def pymysql(port: int, mode: str) -> Answer:
    import ssl

    import pymysql as driver

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = driver.connect(
        host="127.0.0.1",
        port=port,
        user=USER,
        password=PASSWORD,
        database=DATABASE,
        connect_timeout=200,
        ssl=context if mode == "require" else None,
        ssl_disabled=mode != "require",
    )
    with connection, connection.cursor() as cursor:
        return _mysql_answer(cursor)


def connector(port: int, mode: str) -> Answer:
    import mysql.connector as driver

    connection = driver.connect(
        host="127.0.0.1",
        port=port,
        user=USER,
        password=PASSWORD,
        database=DATABASE,
        connection_timeout=200,
        ssl_disabled=mode != "require",
        use_pure=True,
    )
    try:
        return _mysql_answer(connection.cursor())
    finally:
        connection.close()


def _mysql_answer(cursor: Any) -> Answer:
    cursor.execute("select @@port")
    [[answer]] = cursor.fetchall()
    cursor.execute("show status like 'Ssl_cipher'")
    [[_, cipher]] = cursor.fetchall()
    return answer, cipher != ""


def mariadb(port: int, mode: str) -> Answer:
    return _client(["mariadb", "--no-defaults", "--ssl" if mode == "require" else "--skip-ssl"], port)


def mysql(port: int, mode: str) -> Answer:
    modes = {"disable": "DISABLED", "prefer": "PREFERRED", "require": "REQUIRED"}
    return _client(["mysql", "--no-defaults", f"--ssl-mode={modes[mode]}", "--get-server-public-key"], port)


def _client(command: list[str], port: int) -> Answer:
    done = subprocess.run(
        [
            *command,
            "-h",
            "127.0.0.1",
            "-P",
            str(port),
            "-u",
            USER,
            "-D",
            DATABASE,
            "-BNe",
            "select @@port; show status like 'Ssl_cipher'",
        ],
        env={"PATH": os.environ["PATH"], "MYSQL_PWD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    )
    answer, cipher = done.stdout.splitlines()
    return int(answer), cipher.split("\t")[1] != ""


DRIVERS: dict[str, list[tuple[Callable[[int, str], Answer], str]]] = {
    "postgres": [(driver, mode) for driver in (psql, psycopg) for mode in ("disable", "prefer", "require")],
    "mariadb": [(driver, mode) for driver in (mariadb, pymysql, connector) for mode in ("disable", "require")],
    "mysql": [(driver, mode) for driver in (mysql, pymysql, connector) for mode in ("disable", "require")],
}


def main() -> None:
    engine, port = sys.argv[1:]
    failed = False
    for driver, mode in DRIVERS[engine]:
        try:
            answer, encrypted = driver(int(port), mode)
        except Exception as failure:
            failed = True
            words = getattr(failure, "stderr", None) or repr(failure)
            print(f"{driver.__name__} {mode} FAILED {words}".replace("\n", " "))
        else:
            print(f"{driver.__name__} {mode} {answer} {'encrypted' if encrypted else 'clear'}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
