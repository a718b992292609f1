"""What one fault came to through one relay."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from statistics import median

from .answer import Answer
from .fault import Fault
from .held import HeldSession, WorkingSession
from .load import CLIENT_SECONDS
from .session import PRIMARY, REPLICA
from .stand import Engine

ANSWERS_IN_A_ROW = 20
SLOW_SECONDS = 0.1
STUCK_SECONDS = 1
"""Who waits for so long when the fault ends, and until then, was not helped by the relay."""


@dataclass(frozen=True)
class Moments:
    """When things happened, by the monotonic clock."""

    start: float
    fault: float
    undone: float
    """When undoing the fault began: a server that was killed starts from then on."""


@dataclass(frozen=True)
class Count:
    """So many failed, of so many."""

    failed: int
    total: int

    def __str__(self) -> str:
        return f"{self.failed} of {self.total}"


@dataclass(frozen=True)
class Outcome:
    """The clients of one relay, and what they met."""

    engine: Engine
    fault: Fault
    relay: str
    moments: Moments
    answers: list[Answer]
    """Of the new clients, in the order in which they came in."""
    held: list[HeldSession]
    working: list[WorkingSession]
    log: str
    """The relay's."""

    def failed_during(self) -> Count:
        """Of the clients that came while the fault lasted."""
        since, until = self.moments.fault, self.moments.undone
        return _failed(answer for answer in self.answers if since <= answer.started < until)

    def caught(self) -> int:
        """Clients whose login was in the replica's hands when the fault came, and who failed: no relay can have another
        server go on with a login, least of all an encrypted one."""
        fault = self.moments.fault
        return sum(answer.error is not None and answer.started < fault <= answer.ended for answer in self.answers)

    def hung_till_undone(self) -> int:
        """Clients that did not fail, but only because the fault ended while they waited."""
        return sum(
            answer.error is None
            and answer.started < self.moments.undone - STUCK_SECONDS
            and answer.ended > self.moments.undone
            for answer in self.answers
        )

    def failed_after(self) -> Count:
        """Of the clients that came later, while the relay moves back, and of the working sessions' reconnects."""
        refused = [answer for session in self.working for answer in session.refused]
        return _failed(answer for answer in [*self.answers, *refused] if answer.started >= self.moments.undone)

    def first_answer_by_primary(self) -> float | None:
        """Seconds from the fault."""
        ends = (answer.ended for answer in self.answers if answer.who == PRIMARY)
        return min((end - self.moments.fault for end in ends if end > self.moments.fault), default=None)

    def worst_wait(self) -> float:
        """The longest wait of a new client, failed or not."""
        return max((min(answer.seconds, CLIENT_SECONDS) for answer in self.answers), default=0)

    def usual_wait(self) -> float | None:
        """The median wait of a new client before the fault: how well the machine kept up."""
        waits = [answer.seconds for answer in self.answers if answer.ended < self.moments.fault]
        return median(waits) if waits else None

    def astray(self) -> int:
        """Clients that the primary answered while the replica was well, before the fault."""
        return sum(answer.who == PRIMARY and answer.ended < self.moments.fault for answer in self.answers)

    def held_hung(self) -> tuple[float, bool]:
        """The longest wait of a held session after the fault, and whether the relay ended it."""
        waits = [session.longest_wait(self.moments.fault, self.moments.undone) for session in self.held]
        seconds, freed = max(waits, default=(0.0, True))
        return seconds, freed or seconds < STUCK_SECONDS

    def back(self) -> float | None:
        """Seconds from the fault's end until new clients were back on the replica."""
        since = back_since(self.answers, self.moments.undone)
        return None if since is None else since - self.moments.undone

    def on_primary(self) -> list[WorkingSession]:
        """The working sessions that were opened on the primary, as they should."""
        return [session for session in self.working if session.began_on_primary(self.moments.undone)]

    def cut(self) -> Count:
        """Of the transactions of sessions on the primary."""
        cut = sum(len(session.cut) for session in self.on_primary())
        return Count(cut, cut + sum(len(session.transactions) for session in self.on_primary()))

    def moved(self) -> float | None:
        """Seconds from the fault's end until the last working session was back on the replica."""
        times = [session.moved() for session in self.on_primary()]
        if not times or None in times:
            return None
        return max(time for time in times if time is not None) - self.moments.undone

    def raw(self) -> dict[str, object]:
        """Every answer, for JSON; times in seconds from the start of the load."""
        return {
            "engine": self.engine.name,
            "fault": self.fault.name,
            "relay": self.relay,
            "fault_at": round(self.moments.fault - self.moments.start, 4),
            "undone_at": round(self.moments.undone - self.moments.start, 4),
            "new_clients": list(self._plain(self.answers)),
            "held_sessions_slow_or_failed": [
                list(self._plain(a for a in session.answers if a.error or a.seconds >= SLOW_SECONDS))
                for session in self.held
            ],
            "working_sessions": [
                {
                    "committed": list(self._plain(session.transactions)),
                    "cut": list(self._plain(session.cut)),
                    "not_connected": list(self._plain(session.refused)),
                }
                for session in self.working
            ],
            "relay_log": self.log.splitlines(),
        }

    def _plain(self, answers: Iterable[Answer]) -> Iterator[dict[str, object]]:
        for answer in answers:
            times = {"started": round(answer.started - self.moments.start, 4), "seconds": round(answer.seconds, 4)}
            yield asdict(answer) | times


def _failed(answers: Iterable[Answer]) -> Count:
    errors = [answer.error for answer in answers]
    return Count(len(errors) - errors.count(None), len(errors))


def back_since(answers: list[Answer], undone: float) -> float | None:
    """When the replica gave the first of enough answers in a row, with no other answer and no error between them."""
    row: list[Answer] = []
    for answer in answers:
        if answer.ended < undone:
            continue
        row = [*row, answer] if answer.who == REPLICA else []
        if len(row) == ANSWERS_IN_A_ROW:
            return row[0].ended
    return None
