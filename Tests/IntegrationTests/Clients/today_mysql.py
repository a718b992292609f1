#!/usr/bin/python3
"""Reads from MySQL or MariaDB with the drivers and programs of today, in each of their modes:
today_mysql.py ENGINE PORT

Prints a line for each: driver, mode, the answering server's port, whether the session was encrypted, and the results,
which do not depend on the server. Exit status 1 if one failed.
"""

import os
import sys
from typing import Any

import today_mysql_drivers as drivers
from today import DATABASE, PASSWORD, ROWS, USER, Answer, cases, run, show
from today_mysql_drivers import LINE, READ_ONLY, SERVER, SESSION, about

CA = os.environ["LAB_TLS_CA"]
CLEAR, TLS = "--ssl-mode=DISABLED", "--ssl-mode=REQUIRED"
DUMPED = {
    "clear": [CLEAR, "--get-server-public-key"],
    "tls": [TLS],
    "verified": ["--ssl-mode=VERIFY_IDENTITY", f"--ssl-ca={CA}"],
    "zlib": [CLEAR, "--compression-algorithms=zlib"],
    "tls-zlib": [TLS, "--compression-algorithms=zlib"],
}
# MariaDB has no such compression.
ZSTD = {"zstd": [CLEAR, "--compression-algorithms=zstd"], "tls-zstd": [TLS, "--compression-algorithms=zstd"]}
MARIADB: dict[str, list[str]] = {
    "default": [],
    "clear": ["--skip-ssl"],
    "verified": [f"--ssl-ca={CA}"],
    "zlib": ["--skip-ssl", "--compress"],
    "tls-zlib": [f"--ssl-ca={CA}", "--compress"],
}
NO_TLS: dict[str, Any] = {"ssl_disabled": True}
PYMYSQL = {"clear": NO_TLS, "default": {}, "tls": {"ssl": {"ca": CA}}}
# These encrypt nothing by default.
MYSQLDB = {"default": {}, "tls": {"ssl": {"ca": CA}}, "zlib": {"compress": True}}
ASYNCHRONOUS = {"default": {}, "tls": {"ssl": CA}}
CONNECTOR = {
    "default": {},
    "clear": NO_TLS,
    "tls": {"ssl_ca": CA, "ssl_verify_cert": True},
    "zlib": NO_TLS | {"compress": True},
    "tls-zlib": {"compress": True},
    "pure": {"use_pure": True},
    "pure-clear": NO_TLS | {"use_pure": True},
}
CONNECTOR_PACKAGE = "mysql-connector-python"
SCRIPT = f"""{SERVER};
{SESSION};
{ROWS};
{READ_ONLY};
select count(*) from today;
commit;
prepare text from '{LINE}?';
set @n = 7;
execute text using @n;
select missing from today;
select 'works';
"""


def client(program: str, port: int, options: list[str]) -> Answer:
    answer = Answer()
    words = [program, "--no-defaults", "-h127.0.0.1", f"-P{port}", f"-u{USER}", f"-D{DATABASE}", "--connect-timeout=60"]
    output = run([*words, "--batch", "--skip-column-names", "--force", *options], SCRIPT, MYSQL_PWD=PASSWORD)
    lines = [line.split("\t") for line in output.splitlines()]
    names = ("Ssl_version", "Compression", "Compression_algorithm")
    about(answer, lines[0], [line for line in lines if line[0] in names])
    answer.add("output", output.partition("\n")[2])
    return answer


def mysql(port: int, options: list[str]) -> Answer:
    return client("mysql", port, options)


def mariadb(port: int, options: list[str]) -> Answer:
    return client("mariadb", port, options)


def mysqldump(port: int, options: list[str]) -> Answer:
    # No server writes its port into a dump, and none would answer if these modes did not agree with the session.
    answer = Answer(encrypted="--ssl-mode=DISABLED" not in options)
    words = ["mysqldump", "--no-defaults", "-h127.0.0.1", f"-P{port}", f"-u{USER}", "--single-transaction"]
    words += ["--no-tablespaces", "--set-gtid-purged=OFF", "--skip-comments", *options, DATABASE, "today"]
    answer.add("dump", run(words, MYSQL_PWD=PASSWORD))
    return answer


def main() -> None:
    engine, port = sys.argv[1], int(sys.argv[2])
    dumped = DUMPED | (ZSTD if engine == "mysql" else {})
    show(
        cases("mysql", mysql, port, {"default": []} | dumped)
        + cases("mysqldump", mysqldump, port, dumped)
        + cases("mariadb", mariadb, port, MARIADB)
        + cases("PyMySQL", drivers.pymysql, port, PYMYSQL)
        + cases("MySQLdb", drivers.mysqldb, port, MYSQLDB, "mysqlclient")
        + cases("connector", drivers.connector, port, CONNECTOR, CONNECTOR_PACKAGE)
        + cases("connector-aio", drivers.connector_aio, port, {"default": {}, "clear": NO_TLS}, CONNECTOR_PACKAGE)
        + cases("aiomysql", drivers.aiomysql, port, ASYNCHRONOUS)
        + cases("asyncmy", drivers.asyncmy, port, ASYNCHRONOUS)
    )


if __name__ == "__main__":
    main()
