#!/usr/bin/python3
"""Logs in through the proxy with drivers that check its certificate: tls_mysql.py PORT AUTHORITY

With PyMySQL and with Connector/Python, which then becomes another user and back (COM_CHANGE_USER), and resets its
session.
Prints a line for each login: driver, user, version of TLS with the server. Exit status 1 if one failed.
"""

import ssl
import sys
from typing import Any

import mysql.connector
import pymysql

VERSION = "show status like 'Ssl_version'"


def place(port: int, user: str = "app", password: str = "app-secret") -> dict[str, Any]:
    return {"host": "localhost", "port": port, "user": user, "password": password}


def value(cursor: Any, query: str) -> Any:
    cursor.execute(query)
    [row] = cursor.fetchall()
    return row[-1]


def show(driver: str, cursor: Any) -> None:
    user = str(value(cursor, "select current_user()")).partition("@")[0]
    print(driver, user, value(cursor, VERSION))


def main() -> None:
    port, authority = int(sys.argv[1]), sys.argv[2]
    context = ssl.create_default_context(cafile=authority)
    with pymysql.connect(**place(port), ssl=context) as connection, connection.cursor() as cursor:
        show("pymysql", cursor)

    session: Any = mysql.connector.connect(
        **place(port), ssl_ca=authority, ssl_verify_cert=True, ssl_verify_identity=True, use_pure=True
    )
    for user, password in (("app", "app-secret"), ("monitor", "monitor-secret"), ("app", "app-secret")):
        session.cmd_change_user(user, password, "")
        show("connector", session.cursor())
    session.cmd_reset_connection()
    show("connector", session.cursor())
    session.close()


if __name__ == "__main__":
    main()
