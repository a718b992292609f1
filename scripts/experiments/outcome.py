"""What the clients of one relay saw of one fault."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from statistics import median

from .event import (
    CLIENT,
    CLOSED,
    HELD,
    PRIMARY,
    TRANSACTION,
    Count,
    Event,
    back_since,
    failed,
    of_kind,
    sessions_back,
)

SLOW_SECONDS = 0.1
STUCK_SECONDS = 1
"""A client that waits for longer than this, and until the fault ends, was helped by its end alone."""


@dataclass(frozen=True)
class Moments:
    """When things happened, by the wall clock."""

    start: float
    """Of the load that counts."""
    asked: float
    """When the fault was asked for."""
    fault: float
    """When it took place."""
    undone: float
    """When undoing it began: a server that was killed starts from then on."""


@dataclass(frozen=True)
class Outcome:
    """The clients of one relay, and what they saw."""

    engine: str
    fault: str
    """The name of the fault."""
    title: str
    first_answer_limit: float
    """Within how many seconds failover promises an answer by the primary to new clients."""
    relay: str
    moments: Moments
    events: list[Event]
    """In the order of their end."""
    moving: Collection[int]
    """The sessions that should come back from the primary to the replica."""
    log: str = ""
    """The log of the relay."""

    @property
    def clients(self) -> list[Event]:
        """The new clients."""
        return of_kind(CLIENT, self.events)

    def failed_during(self) -> Count:
        """Of the clients that came during the fault."""
        since, until = self.moments.fault, self.moments.undone
        return failed(event for event in self.clients if since <= event.started < until)

    def caught(self) -> int:
        """Clients that failed because the replica had their login when the fault came.

        No relay can pass a login on to another server, least of all an encrypted one.
        """
        asked, fault = self.moments.asked, self.moments.fault
        return sum(event.error is not None and event.started < fault and event.ended >= asked for event in self.clients)

    def hung_till_undone(self) -> int:
        """Clients that were served only because the fault ended while they waited."""
        latest, undone = self.moments.undone - STUCK_SECONDS, self.moments.undone
        return sum(event.error is None and event.started < latest and event.ended > undone for event in self.clients)

    def failed_after(self) -> Count:
        """Of the clients that came while the relay moved back, and of the connects of working sessions."""
        connects = (event for event in self.events if event.kind not in (HELD, TRANSACTION, CLOSED))
        return failed(event for event in connects if event.started >= self.moments.undone)

    def first_answer_by_primary(self) -> float | None:
        """Seconds from the fault."""
        ends = (event.ended for event in self.clients if event.who == PRIMARY)
        return min((end - self.moments.fault for end in ends if end > self.moments.fault), default=None)

    def worst_wait(self) -> float:
        """The longest wait of a new client, failed or not, in seconds."""
        return max((event.seconds for event in self.clients), default=0)

    def usual_wait(self) -> float | None:
        """The median wait of a new client before the fault: how well the machine kept up."""
        waits = [event.seconds for event in self.clients if event.ended < self.moments.asked]
        return median(waits) if waits else None

    def astray(self) -> int:
        """Clients that the primary answered before the fault."""
        return sum(event.who == PRIMARY and event.ended < self.moments.asked for event in self.clients)

    def sessions_hung(self) -> tuple[float, bool]:
        """The longest wait of a session that was open before the fault, and whether the relay ended the wait."""
        waits = [self._longest_wait(events) for events in self._open_before().values()]
        seconds, freed = max(waits, default=(0.0, True))
        return seconds, freed or seconds < STUCK_SECONDS

    def _open_before(self) -> dict[int, list[Event]]:
        """The events of each session that was open before the fault."""
        of: dict[int, list[Event]] = {}
        for event in self.events:
            if event.kind != CLIENT:
                of.setdefault(event.session, []).append(event)
        return {session: events for session, events in of.items() if self._is_open_before(events)}

    def _is_open_before(self, events: Iterable[Event]) -> bool:
        before = [event for event in events if event.ended < self.moments.asked]
        return bool(before) and before[-1].error is None

    def _longest_wait(self, events: Iterable[Event]) -> tuple[float, bool]:
        """The longest wait during the fault, and whether it ended before the fault was undone."""
        fault, undone = self.moments.fault, self.moments.undone
        during = [event for event in events if event.ended > fault and event.started < undone]
        # Without an event the session still waits.
        waits = [(min(e.ended, undone) - max(e.started, fault), e.ended <= undone) for e in during]
        return max(waits, default=(undone - fault, False))

    def back(self) -> float | None:
        """Seconds from the end of the fault until new clients were back on the replica."""
        return self._since_undone(back_since(self.events, self.moments.undone))

    def sessions_back(self) -> float | None:
        """Seconds from the end of the fault until the last session was back on the replica."""
        return self._since_undone(sessions_back(self.events, self.moments.undone, self.moving))

    def _since_undone(self, moment: float | None) -> float | None:
        return None if moment is None else moment - self.moments.undone

    def cut(self) -> Count:
        """Of the transactions on the primary, and of the later ones of sessions that were opened there."""
        moving = [event for event in of_kind(TRANSACTION, self.events) if event.session in self.moving]
        before = self._open_before()
        return failed(event for event in moving if event.who == PRIMARY or event.session not in before)

    def raw(self) -> dict[str, object]:
        """Every event, for JSON. Times are in seconds from the start of the load. Quick answers to held sessions are
        left out."""
        start = self.moments.start
        shown = [e for e in self.events if e.kind != HELD or e.error or e.seconds >= SLOW_SECONDS]
        moments = {name: round(moment - start, 4) for name, moment in asdict(self.moments).items() if name != "start"}
        return {
            "engine": self.engine,
            "fault": self.fault,
            "relay": self.relay,
            **{f"{name}_at": moment for name, moment in moments.items()},
            "events": plain(shown, start),
            "relay_log": self.log.splitlines(),
        }


def plain(events: Iterable[Event], start: float) -> list[dict[str, object]]:
    """The events for JSON, with times in seconds from `start`."""
    times = ("started", "ended")
    return [asdict(event) | {time: round(getattr(event, time) - start, 4) for time in times} for event in events]
