"""The application of docker/: new clients and sessions that stay open, without end, and what happens to them.

python3 -m experiments.load run ENGINE HOST PORT | fill ENGINE HOST PORT | follow | check | pager
"""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event as Flag
from threading import Lock, Thread

from .clients import NewClients, WorkingSession
from .database import Database, Login, Session
from .event import CLIENT, PRIMARY, REPLICA, TRANSACTION, Event

PASSWORD = Path("/run/secrets/app-password")
CLIENTS_PER_SECOND = 15
SESSIONS = range(1, 5)
"""The numbers of the sessions that stay open."""
COUNT_SECONDS = 5
FILLING_THREADS = 6
RETRY_SECONDS = 0.005
PAGER_PORT = 8080
FEED = "/tmp/load.sock"
QUEUED_EVENTS = 10_000


def main() -> None:
    """Does what the command line says."""
    match sys.argv[1:]:
        case ["run", engine, host, port]:
            run(database(engine, host, int(port)))
        case ["fill", engine, host, port]:
            fill(database(engine, host, int(port)))
        case ["follow"]:
            follow()
        case ["check"]:
            sys.exit(0 if check() else 1)
        case ["pager"]:
            ThreadingHTTPServer(("", PAGER_PORT), Pager).serve_forever()
        case _:
            sys.exit(__doc__)


def database(engine: str, host: str, port: int) -> Database:
    """The application's database. `engine` is postgres or mysql."""
    return Database(engine, host, port, Login("app", PASSWORD.read_text().strip(), "app"))


def run(target: Database) -> None:
    """Runs clients and sessions without end, counts events and publishes them."""
    counts = Counts(target.engine)
    feed = Feed()

    def publish(event: Event) -> None:
        counts.add(event)
        feed.publish(event)

    for number in SESSIONS:
        WorkingSession(number, target, publish)
    for work in (feed.serve, counts.print_on):
        Thread(target=work, daemon=True).start()
    NewClients(target, publish, CLIENTS_PER_SECOND, limit=None, first=time.time()).run()


class Counts:
    """Counts new clients and transactions, and prints a line every few seconds."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = Lock()
        self._total = self._failed = self._cut = 0
        self._recent: list[Event] = []

    def add(self, event: Event) -> None:
        with self._lock:
            if event.kind == CLIENT:
                self._total += 1
                self._failed += event.error is not None
                self._recent.append(event)
            elif event.kind == TRANSACTION and event.error:
                self._cut += 1
        if event.kind == CLIENT and event.error:
            print(f"{self._name}: a client failed after {event.seconds:.2f} s: {event.error}", flush=True)

    def print_on(self) -> None:
        """Prints without end."""
        while True:
            time.sleep(COUNT_SECONDS)
            print(self._line(), flush=True)

    def _line(self) -> str:
        with self._lock:
            recent, self._recent = self._recent, []
            totals = f"{self._failed} of {self._total} failed since the start; {self._cut} transactions lost"
        by = {who: sum(event.who == who for event in recent) for who in (REPLICA, PRIMARY)}
        worst = max((event.seconds for event in recent), default=0)
        return (
            f"{time.strftime('%H:%M:%S')} {self._name}: new clients: {by[REPLICA]} by the replica, "
            f"{by[PRIMARY]} by the primary, worst wait {worst:.2f} s; {totals}"
        )


class Feed:
    """Sends every event to all followers, over a Unix socket. One that does not read misses events and delays none."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._queues: list[Queue[str]] = []

    def publish(self, event: Event) -> None:
        with self._lock:
            queues = list(self._queues)
        for queue in queues:
            with suppress(Full):
                queue.put_nowait(event.line())

    def serve(self) -> None:
        """Accepts followers without end."""
        with suppress(FileNotFoundError):
            os.unlink(FEED)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(FEED)
        listener.listen()
        while True:
            follower, _ = listener.accept()
            Thread(target=self._send, args=(follower,), daemon=True).start()

    def _send(self, follower: socket.socket) -> None:
        queue: Queue[str] = Queue(QUEUED_EVENTS)
        with self._lock:
            self._queues.append(queue)
        try:
            with follower:
                while True:
                    try:
                        line = queue.get(timeout=1)
                    except Empty:
                        line = ""  # an empty line shows whether the follower is still there
                    follower.sendall(line.encode() + b"\n")
        except OSError:
            pass
        finally:
            with self._lock:
                self._queues.remove(queue)


def lines() -> Iterator[str]:
    """Every event from now on, a line of JSON each."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(FEED)
        for line in connection.makefile():
            if line.strip():
                yield line


def follow() -> None:
    """Prints every event from now on, until standard input ends."""
    Thread(target=_end_with_input, daemon=True).start()
    for line in lines():
        sys.stdout.write(line)
        sys.stdout.flush()


def _end_with_input() -> None:
    """Ends the program with standard input: the engine does not end it when the caller is gone."""
    sys.stdin.read()
    os._exit(0)


def check() -> bool:
    """Whether the next new client is served."""
    return any('"error": null' in line for line in lines() if '"kind": "client"' in line)


def fill(target: Database) -> None:
    """Takes every connection that a server has, until standard input ends.

    Prints `full` once the server has refused a connection.
    """
    ended, refused = Flag(), Flag()
    sessions: list[Session] = []

    def take() -> None:
        while not ended.is_set():
            try:
                sessions.append(target.dial())
            except Exception:  # each driver has its own
                refused.set()
                ended.wait(RETRY_SECONDS)

    threads = [Thread(target=take, daemon=True) for _ in range(FILLING_THREADS)]
    for thread in threads:
        thread.start()
    refused.wait()
    print("full", flush=True)
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()
    for session in list(sessions):
        session.close()
    print(f"{len(sessions)} connections returned", flush=True)


class Pager(BaseHTTPRequestHandler):
    """Receives failover's webhook: prints each event, which is JSON, as one line."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        print(body.decode(errors="replace").strip(), flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Prints nothing: the log has the events alone."""


if __name__ == "__main__":
    main()
