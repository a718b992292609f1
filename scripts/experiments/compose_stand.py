"""Faults with Docker Compose: the replicas of both databases at the same time, under the load of docker/load."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Self

from .compose import in_load, struck
from .event import CLIENT, PRIMARY, Event, back_since, of_kind, sessions_back
from .load import SESSIONS
from .process import ExperimentError, holds_within

BACK_SECONDS = 45
"""How long putting back may take: servers start, and catch up."""


@dataclass(frozen=True)
class Engine:
    """A database engine, as services of the laboratory."""

    title: str
    load: str
    primary: str
    replica: str
    arguments: tuple[str, str, str]
    """The arguments of the application's `fill`, straight to the primary."""


POSTGRES = Engine(
    "PostgreSQL", "load-postgres", "postgres-primary", "postgres-replica", ("postgres", "postgres-primary", "5432")
)
MARIADB = Engine("MariaDB", "load-mysql", "mariadb-primary", "mariadb-replica", ("mysql", "mariadb-primary", "3306"))


class FollowedLoad:
    """The clients of one engine. They run in a container, and their events are followed from now on."""

    relay = "failover"

    def __init__(self, services: Engine) -> None:
        self.services = services
        self.engine = services.title
        self.replica = services.replica
        self._lock = Lock()
        self._events: list[Event] = []
        argv = in_load(services.load, "follow")
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        Thread(target=self._read, daemon=True).start()

    def close(self) -> None:
        """Follows no more."""
        assert self._process.stdin is not None, "a pipe was asked for"
        self._process.stdin.close()
        self._process.wait()

    def events(self, since: float) -> list[Event]:
        with self._lock:
            return [event for event in self._events if event.ended >= since]

    def clients(self, since: float) -> list[Event]:
        """The new clients whose answer came since then."""
        return of_kind(CLIENT, self.events(since))

    def are_back(self, undone: float) -> bool:
        """Whether the replica serves all clients and all sessions."""
        events = self.events(undone)
        return back_since(events, undone) is not None and sessions_back(events, undone, SESSIONS) is not None

    def served_by_primary(self, since: float) -> bool:
        return any(event.who == PRIMARY for event in self.clients(since))

    def moving(self, undone: float) -> list[int]:
        """All sessions work on the primary during a fault."""
        return list(SESSIONS)

    def fault_lasts(self) -> None:
        """The sessions are open already."""

    def stop(self) -> None:
        """The clients go on: they belong to the laboratory."""

    def finish(self) -> None:
        """Nothing has ended."""

    def log(self) -> str:
        """The engine keeps it: docker compose logs failover."""
        return ""

    def _read(self) -> None:
        assert self._process.stdout is not None, "a pipe was asked for"
        for line in self._process.stdout:
            event = Event(**json.loads(line))
            with self._lock:
                self._events.append(event)


class ComposeStand:
    """The laboratory of docker/, whose application is followed."""

    before_seconds = 2.0
    fault_seconds = 6.0
    back_seconds = float(BACK_SECONDS)

    def __enter__(self) -> Self:
        self.followed = [FollowedLoad(POSTGRES), FollowedLoad(MARIADB)]
        return self

    def __exit__(self, *_: object) -> None:
        for load in self.followed:
            load.close()

    @contextmanager
    def loads(self) -> Iterator[tuple[float, list[FollowedLoad]]]:
        """Waits until the replicas serve all clients."""
        since = time.time()
        await_all("the replicas serve all clients", BACK_SECONDS, lambda: all_back(self.followed, since))
        yield time.time(), self.followed

    def struck(self, replica: str, asked: float) -> float:
        return struck(replica, asked)


def all_back(loads: list[FollowedLoad], since: float) -> bool:
    """Whether the replicas serve all clients and sessions of these loads."""
    return all(load.are_back(since) for load in loads)


def await_all(what: str, seconds: float, condition: Callable[[], bool]) -> None:
    """Returns when the condition holds. Raises ExperimentError if it does not within `seconds`."""
    if not holds_within(seconds, condition, 0.1):
        raise ExperimentError(f"{what}: not within {seconds:g} s; see the log of failover")
