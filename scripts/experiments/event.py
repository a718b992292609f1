"""What happened to a client of a database, and what many such events come to."""

import json
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass

REPLICA = "replica"
PRIMARY = "primary"

CLIENT = "client"
"""A new client: connects, asks which server answers, leaves."""
HELD = "held"
"""A question of a session that stays open and only asks."""
CONNECT = "connect"
"""A session that works in transactions connects."""
TRANSACTION = "transaction"
"""A transaction of such a session."""
CLOSED = "closed"
"""Such a session finds itself closed before it begins a transaction: nothing is lost."""

ANSWERS_IN_A_ROW = 20
"""So many answers of the replica, one after another, show that new clients are back."""


@dataclass(frozen=True)
class Event:
    """An answer, or an error in its place. Times are the wall clock's, which containers share."""

    kind: str
    session: int
    """The number of an open session; 0 for a new client."""
    started: float
    ended: float
    who: str | None
    """The server that answered, or should have answered: REPLICA or PRIMARY."""
    error: str | None
    told: bool
    """Whether the error was an answer in the database's own protocol, not a broken connection."""

    @property
    def seconds(self) -> float:
        return self.ended - self.started

    def line(self) -> str:
        """The event as one line of JSON."""
        return json.dumps(asdict(self))


def attempt(kind: str, session: int, work: Callable[[], str], told: Callable[[Exception], bool]) -> Event:
    """Does the work now. Returns what happened. `work` returns the server that answered."""
    started = time.time()
    who = error = None
    protocol = False
    try:
        who = work()
    except Exception as failure:  # each driver has its own: to a client all of them are errors
        error = " ".join(f"{type(failure).__name__}: {failure}".split())
        protocol = told(failure)
    return Event(kind, session, started, time.time(), who, error, protocol)


@dataclass(frozen=True)
class Count:
    """The number of failures, and of all."""

    failed: int
    total: int

    def __str__(self) -> str:
        return f"{self.failed} of {self.total}"


def failed(events: Iterable[Event]) -> Count:
    """How many of the events are errors."""
    errors = [event.error for event in events]
    return Count(len(errors) - errors.count(None), len(errors))


def of_kind(kind: str, events: Iterable[Event]) -> list[Event]:
    """The events of this kind."""
    return [event for event in events if event.kind == kind]


def back_since(events: Iterable[Event], since: float) -> float | None:
    """When new clients were back on the replica.

    It is the first of enough answers of the replica in a row, without another answer or an error between them. The
    events are in the order of their end.
    """
    row: list[Event] = []
    for event in of_kind(CLIENT, events):
        if event.ended < since:
            continue
        row = [*row, event] if event.who == REPLICA else []
        if len(row) == ANSWERS_IN_A_ROW:
            return row[0].ended
    return None


def sessions_back(events: Iterable[Event], since: float, sessions: Collection[int]) -> float | None:
    """When the last of these sessions was back on the replica and stayed there. None while one of them is not."""
    first: dict[int, float] = {}
    for event in of_kind(TRANSACTION, events):
        if event.ended < since:
            continue
        if event.who == REPLICA and not event.error:
            first.setdefault(event.session, event.ended)
        elif event.who == PRIMARY:
            first.pop(event.session, None)
    return max(first.values()) if sessions and first.keys() >= set(sessions) else None
