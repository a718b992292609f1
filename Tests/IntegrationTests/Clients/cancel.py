#!/usr/bin/python3
"""Cancels a running query through the proxy: cancel.py PORT [FILE]

With FILE, cancels one clear-text query once that file exists.

Without FILE, cancels one query in a clear-text session and one in an encrypted session. Prints the port of the server
for each. Exit status 1 if a query ran to its end.
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
    [(answer,)] = connection.execute("select inet_server_port()").fetchall()
    done = threading.Event()

    def cancel() -> None:
        # A cancel request that arrives before the query has no effect, with or without a proxy.
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
        run(int(sys.argv[1]), "disable", pathlib.Path(sys.argv[2]))
        return
    for mode in ("disable", "require"):
        run(int(sys.argv[1]), mode)


if __name__ == "__main__":
    main()
