"""Follows the load of one database."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Thread

from load.database import PRIMARY, REPLICA
from load.event import CLIENT, TRANSACTION, Event

from .compose import Broken, container

SETTLED_ANSWERS = 20
SESSIONS = 4


@dataclass(frozen=True)
class Engine:
    """A database engine, as services of the laboratory."""

    title: str
    load: str
    primary: str
    replica: str
    arguments: tuple[str, str, str]
    """Those of the load's `fill`, straight to the primary."""


POSTGRES = Engine(
    "PostgreSQL", "load-postgres", "postgres-primary", "postgres-replica", ("postgres", "postgres-primary", "5432")
)
MARIADB = Engine("MariaDB", "load-mysql", "mariadb-primary", "mariadb-replica", ("mysql", "mariadb-primary", "3306"))
ENGINES = [POSTGRES, MARIADB]


class Load:
    """The events of one engine's clients, from now on."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._lock = Lock()
        self._events: list[Event] = []
        argv = ["docker", "exec", "-i", container(engine.load), "python3", "-m", "load", "follow"]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        Thread(target=self._read, daemon=True).start()

    def stop(self) -> None:
        """Follows no more."""
        assert self._process.stdin is not None, "a pipe was asked for"
        self._process.stdin.close()
        self._process.wait()

    def events(self, since: float) -> list[Event]:
        """Those that ended since then, in the order in which they came in."""
        with self._lock:
            return [event for event in self._events if event.ended >= since]

    def back_since(self, since: float) -> float | None:
        """When the replica gave the first of enough answers in a row to new clients, with nothing between them."""
        row: list[Event] = []
        for event in self.events(since):
            if event.kind == CLIENT:
                row = [*row, event] if event.who == REPLICA else []
                if len(row) == SETTLED_ANSWERS:
                    return row[0].ended
        return None

    def sessions_back(self, since: float) -> float | None:
        """When the last of the open sessions was back on the replica; None while one is not."""
        first: dict[int, float] = {}
        for event in self.events(since):
            if event.kind == TRANSACTION and event.who == REPLICA and not event.error:
                first.setdefault(event.session, event.ended)
            elif event.kind == TRANSACTION and event.who == PRIMARY:
                first.pop(event.session, None)
        return max(first.values()) if len(first) == SESSIONS else None

    def is_settled(self, since: float) -> bool:
        """Whether everybody is served by the replica."""
        return self.back_since(since) is not None and self.sessions_back(since) is not None

    def served_by_primary(self, since: float) -> bool:
        return any(event.kind == CLIENT and event.who == PRIMARY for event in self.events(since))

    def _read(self) -> None:
        assert self._process.stdout is not None, "a pipe was asked for"
        for line in self._process.stdout:
            event = Event(**json.loads(line))
            with self._lock:
                self._events.append(event)


def await_all(what: str, seconds: float, condition: Callable[[], bool]) -> None:
    """Returns when the condition holds; fails when the time is over."""
    if not holds_within(seconds, condition):
        raise Broken(f"{what}: not within {seconds:g} s; see the log of failover")


def holds_within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether the condition comes to hold in that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
