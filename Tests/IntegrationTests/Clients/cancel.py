#!/usr/bin/python3
"""Cancels a running query through the proxy: cancel.py PORT [FILE]

With FILE, one query in clear, not before that file exists.

With sessions in clear and encrypted ones, from a session that the server serves and beside others. Prints the port of
the server for each; exit status 1 if a query ran to its end.
"""

import pathlib
import sys
import threading
import time

import psycopg


def run(port: int, mode: str, starts: pathlib.Path | None = None) -> None:
    connection = psycopg.connect(
        host="127.0.0.1", port=port, user="app", password="app-secret", dbname="app", sslmode=mode, autocommit=True
    )
    [answer] = connection.execute("select inet_server_port()").fetchone()
    done = threading.Event()

    def cancel() -> None:
        # A cancel that comes before the query is lost, with or without a proxy.
        while not done.wait(0.1):
            if starts is None or starts.exists():
                connection.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    start = time.monotonic()
    try:
        connection.execute("select pg_sleep(600)")
        sys.exit(f"{mode}: the query was not cancelled")
    except psycopg.errors.QueryCanceled:
        print(f"{mode} {answer} cancelled after {time.monotonic() - start:.1f} s", file=sys.stderr)
        print(f"{mode} {answer}")
    finally:
        done.set()
        canceller.join()
        connection.close()


def main() -> None:
    if len(sys.argv) > 2:
        return run(int(sys.argv[1]), "disable", pathlib.Path(sys.argv[2]))
    for mode in ("disable", "require"):
        run(int(sys.argv[1]), mode)


if __name__ == "__main__":
    main()
