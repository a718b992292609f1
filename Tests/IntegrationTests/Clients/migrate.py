#!/usr/bin/python3
"""Clients of a route whose sessions migrate: migrate.py PHASE PORT ADMIN_SOCKET REPLICA_PORT PRIMARY_PORT LAB_SCRIPT

PHASE is one of

  drain   working sessions, half of them with a setting, while the replica is drained and put back
  outage  resting sessions whose replica is killed and comes back, and a query that is cancelled afterwards
  pinned  what the proxy says of sessions that cannot migrate

The connections are never opened again, so each error counts. Prints what was seen; exit status 1 if a session saw an
error, lost its setting, or was not where it must be.
"""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg

WORKERS = 8
PATIENCE_SECONDS = 240
PHASE, PORT, ADMIN, REPLICA, PRIMARY, LAB = sys.argv[1:7]
Connection = psycopg.Connection[Any]


def connect() -> Connection:
    return psycopg.connect(
        host="127.0.0.1",
        port=PORT,
        user="trusted",
        dbname="app",
        sslmode="disable",
        autocommit=True,
        prepare_threshold=None,
    )


def curl(*arguments: str) -> Any:
    command = ["curl", "-sS", "--fail-with-body", "--unix-socket", ADMIN, *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def pinned() -> list[str | None]:
    """What the proxy says of each session, in the order of their beginning."""
    return [session["pinned"] for session in curl("http://localhost/api/v1/sessions")["sessions"]]


def wait_until(what: str, condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > limit:
            sys.exit(f"not within {PATIENCE_SECONDS} s: {what}")
        time.sleep(0.02)


def setting(number: int) -> str:
    return f"{2000 + number}kB" if number % 2 else "4MB"


def begin(number: int) -> Connection:
    connection = connect()
    if number % 2:
        connection.execute(f"set work_mem = '{setting(number)}'")
    return connection


def where(connection: Connection, number: int) -> str:
    """The server that answers."""
    row = connection.execute("select inet_server_port(), current_setting('work_mem')").fetchone()
    assert row is not None
    if row[1] != setting(number):
        sys.exit(f"session {number} has work_mem {row[1]}, not {setting(number)}")
    return str(row[0])


class Worker(threading.Thread):
    """A session that works until it is stopped, or has seen an error."""

    stopping = threading.Event()

    def __init__(self, number: int) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.places: Counter[str] = Counter()
        self.place = ""
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with begin(self.number) as connection:
                while not self.stopping.is_set():
                    self.work(connection)
        except (psycopg.Error, SystemExit) as error:
            self.error = error

    def work(self, connection: Connection) -> None:
        places = {where(connection, self.number)}
        with connection.transaction():
            places = {where(connection, self.number) for _ in range(3)}
        if len(places) > 1:
            sys.exit(f"a transaction at two servers: {places}")
        self.place = places.pop()
        self.places[self.place] += 1
        time.sleep(0.01 * self.number)


def drain() -> None:
    workers = [Worker(number) for number in range(WORKERS)]
    for worker in workers:
        worker.start()

    def all_at(place: str) -> Callable[[], bool]:
        return lambda: all(worker.place == place or worker.error for worker in workers)

    wait_until("all at the replica", all_at(REPLICA))
    for action, place in (("drain", PRIMARY), ("undrain", REPLICA), ("drain", PRIMARY), ("undrain", REPLICA)):
        curl("-H", "Content-Type: application/json", "-d", "{}", f"http://localhost/api/v1/aliases/slave/{action}")
        wait_until(f"all at {place} after {action}", all_at(place))
    Worker.stopping.set()
    for worker in workers:
        worker.join(PATIENCE_SECONDS)
    errors = [str(worker.error) for worker in workers if worker.error]
    print(f"{len(errors)} errors", *errors)
    print(f"{sum(1 for worker in workers if set(worker.places) == {REPLICA, PRIMARY})} sessions at both servers")


def outage() -> None:
    sessions = [begin(number) for number in range(WORKERS)]
    everywhere = [where(session, number) for number, session in enumerate(sessions)]
    wait_until("the state of all sessions is known", lambda: pinned() == [None] * WORKERS)
    subprocess.run([LAB, "fault", "postgres-replica", "kill"], check=True)
    during = [where(session, number) for number, session in enumerate(sessions)]
    cancelled = cancel(sessions[1])
    subprocess.run([LAB, "fault", "postgres-replica", "start"], check=True)
    wait_until(
        "all back at the replica",
        lambda: all(where(session, number) == REPLICA for number, session in enumerate(sessions)),
    )
    expected = [REPLICA] * WORKERS, [PRIMARY] * WORKERS
    if (everywhere, during) != expected:
        sys.exit(f"before {everywhere}, during the outage {during}")
    print("all went and came back")
    print("cancelled" if cancelled and cancel(sessions[0]) else "not cancelled")


def cancel(connection: Connection) -> bool:
    """Whether a query of the session is cancelled."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(0.2):
            connection.cancel()

    cancelling = threading.Thread(target=repeat)
    cancelling.start()
    try:
        connection.execute(f"select pg_sleep({PATIENCE_SECONDS})")
    except psycopg.errors.QueryCanceled:
        return True
    finally:
        over.set()
        cancelling.join()
    return False


PINNING = {
    "prepared_statements": ("prepare p as select 1", "deallocate p"),
    "cursors": ("declare c cursor with hold for select 1", "close c"),
    "advisory_locks": ("select pg_advisory_lock(7)", "select pg_advisory_unlock(7)"),
    "role": ("set role pg_monitor", "reset role"),
}


def pins() -> None:
    with connect() as connection:
        for reason, (statement, undo) in PINNING.items():
            for text, expected in ((statement, reason), (undo, None)):
                connection.execute(text)
                wait_until(f"{expected} after {text}", lambda expected=expected: pinned() == [expected])
        print("pinned and free again:", *PINNING)


if __name__ == "__main__":
    {"drain": drain, "outage": outage, "pinned": pins}[PHASE]()
