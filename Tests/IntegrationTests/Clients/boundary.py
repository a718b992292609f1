#!/usr/bin/python3
"""Prints what the proxy says of an encrypted session's transaction boundary: boundary.py ENGINE PORT ADMIN_SOCKET

Three lines: at rest, in a transaction, and after it.
"""

import json
import subprocess
import sys
from typing import Any


def connect(engine: str, port: int) -> Any:
    if engine == "postgres":
        import psycopg

        return psycopg.connect(
            host="127.0.0.1",
            port=port,
            user="app",
            password="app-secret",
            dbname="app",
            sslmode="require",
            autocommit=True,
        )
    import pymysql

    return pymysql.connect(
        host="127.0.0.1",
        port=port,
        user="app",
        password="app-secret",
        database="app",
        autocommit=True,
        ssl={"verify_mode": "none", "check_hostname": False},
    )


def boundary(admin: str) -> str:
    command = ["curl", "-sS", "--unix-socket", admin, "http://localhost/api/v1/sessions"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    [session] = json.loads(answer)["sessions"]
    return str(session["boundary"])


def main() -> None:
    engine, port, admin = sys.argv[1:]
    with connect(engine, int(port)) as connection, connection.cursor() as cursor:
        for statement in ("select 1", "begin", "commit"):
            cursor.execute(statement)
            print(boundary(admin))


if __name__ == "__main__":
    main()
