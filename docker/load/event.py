"""What happened to a client."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

CLIENT = "client"
"""A new client: connects, asks who answers, leaves."""
CONNECT = "connect"
"""A session that stays open connects."""
TRANSACTION = "transaction"
"""A transaction of such a session."""
CLOSED = "closed"
"""Such a session finds itself closed as it wants to begin a transaction: nothing is lost."""


@dataclass(frozen=True)
class Event:
    """An answer, or an error in its place. Times are the clock's of the machine, which its containers share."""

    kind: str
    session: int
    """Which of the open sessions; 0 for a new client."""
    started: float
    ended: float
    who: str | None
    """The server that answered, or was to: replica or primary."""
    error: str | None
    told: bool
    """Whether the error was an answer in the database's own protocol."""

    @property
    def seconds(self) -> float:
        return self.ended - self.started

    def line(self) -> str:
        return json.dumps(asdict(self))


def attempt(kind: str, session: int, work: Callable[[], str], told: Callable[[Exception], bool]) -> Event:
    """Works now, and tells what came of it. `work` returns who answered."""
    started = time.time()
    who = error = None
    protocol = False
    try:
        who = work()
    except Exception as failure:  # whatever the drivers raise: to a client all of it is an error
        error = " ".join(f"{type(failure).__name__}: {failure}".split())
        protocol = told(failure)
    return Event(kind, session, started, time.time(), who, error, protocol)
