"""What one fault came to for one engine's clients."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median

from load.database import PRIMARY
from load.event import CLIENT, CLOSED, TRANSACTION, Event

from .load import SESSIONS, Engine

STUCK_SECONDS = 1
"""Who waits for so long when a fault ends, and until then, was helped by its end alone."""


@dataclass(frozen=True)
class Count:
    """So many failed, of so many."""

    failed: int
    total: int

    def __str__(self) -> str:
        return f"{self.failed} of {self.total}"


@dataclass(frozen=True)
class Outcome:
    """The clients of a fault, and what they met."""

    engine: Engine
    title: str
    asked: float
    """When the engine was asked to play the fault."""
    fault: float
    """When it did."""
    undone: float
    """When undoing the fault began."""
    back: float | None
    """When new clients were back on the replica."""
    sessions_back: float | None
    """When all open sessions were."""
    events: list[Event]

    def failed_during(self) -> Count:
        """Of the clients that came while the fault lasted."""
        return failed(event for event in self._clients() if self.fault <= event.started < self.undone)

    def caught(self) -> int:
        """Clients whose login was in the replica's hands when the fault came, and who failed: no relay can have another
        server go on with a login."""
        return sum(e.error is not None and e.started < self.fault and e.ended > self.asked for e in self._clients())

    def hung(self) -> int:
        """Clients that were answered only because the fault ended."""
        return sum(
            e.error is None and self.fault <= e.started < self.undone - STUCK_SECONDS and e.ended > self.undone
            for e in self._clients()
        )

    def failed_after(self) -> Count:
        """Of the clients that came later, while the proxy moves back, and of the open sessions' reconnects."""
        return failed(e for e in self.events if e.kind not in (TRANSACTION, CLOSED) and e.started >= self.undone)

    def first_answer(self) -> float | None:
        """Seconds from the fault until the primary answered a new client."""
        ends = (e.ended for e in self._clients() if e.who == PRIMARY and e.started >= self.fault)
        return min((end - self.fault for end in ends), default=None)

    def worst_wait(self) -> float:
        """The longest wait of a new client since the fault."""
        return max((e.seconds for e in self._clients() if e.ended >= self.fault), default=0)

    def usual_wait(self) -> float:
        """The median wait of a new client before the fault."""
        return median([e.seconds for e in self._clients() if e.ended < self.asked] or [0])

    def sessions_hung(self) -> float | None:
        """The longest wait of an open session for an answer, an error or a close; None if one was never freed."""
        ended = [e for e in self.events if e.kind != CLIENT and self.fault < e.ended < self.undone]
        if len({e.session for e in ended}) < SESSIONS:
            return None
        return max(e.ended - max(e.started, self.fault) for e in ended)

    def cut(self) -> Count:
        """Of the transactions on the primary."""
        return failed(e for e in self.events if e.kind == TRANSACTION and e.who == PRIMARY)

    def raw(self) -> dict[str, object]:
        times = {"asked": self.asked, "fault": self.fault, "undone": self.undone, "back": self.back}
        return {"engine": self.engine.title, "title": self.title} | times | {"events": list(map(asdict, self.events))}

    def _clients(self) -> list[Event]:
        return [event for event in self.events if event.kind == CLIENT]


@dataclass(frozen=True)
class HopelessOutcome:
    """Clients while nobody could serve them, and after it."""

    engine: Engine
    title: str
    since: float
    until: float
    """When giving the primary back began."""
    served: float | None
    """When the primary answered a new client again."""
    back: float | None
    """When the replica, which was put back later, answered."""
    events: list[Event]

    def during(self) -> list[Event]:
        """The clients that came while nobody could serve."""
        return [e for e in self.events if e.kind == CLIENT and self.since <= e.started and e.ended < self.until]

    def told(self) -> int:
        """Those who read why, in the database's own protocol."""
        return sum(event.told for event in self.during())

    def untold(self) -> list[Event]:
        """Those whose connection broke, or who got no answer."""
        return [event for event in self.during() if event.error and not event.told]

    def worst_wait(self) -> float:
        return max((event.seconds for event in self.during()), default=0)

    def failed_after(self) -> Count:
        """Of the clients that came once the primary had answered one again."""
        return failed(e for e in self.events if e.kind == CLIENT and self.served and e.started >= self.served)

    def example(self) -> str:
        """What one of them read."""
        return next((event.error for event in self.during() if event.told and event.error), "nothing")

    def raw(self) -> dict[str, object]:
        times = {"since": self.since, "until": self.until, "served": self.served, "back": self.back}
        return {"engine": self.engine.title, "title": self.title} | times | {"events": list(map(asdict, self.events))}


def failed(events: Iterable[Event]) -> Count:
    """How many of them failed."""
    errors = [event.error for event in events]
    return Count(len(errors) - errors.count(None), len(errors))
