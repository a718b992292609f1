"""An outage of the replica under applications that hold connections, and what they saw of it."""

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Protocol

from .event import CLOSED, CONNECT, HELD, PRIMARY, REPLICA, TRANSACTION, Event
from .held_stand import PRIMARY_ALIAS, REPLICA_ALIAS, Drain, HeldRoute
from .outcome import plain
from .process import ExperimentError, holds_within, say
from .report import Column, seconds_text

BEFORE_SECONDS = 4
OUTAGE_SECONDS = 6
RECOVERY_SECONDS = 30
AFTER_SECONDS = 2
PATIENCE_SECONDS = 10
"""How much longer than the bar sessions are waited for."""
BETWEEN = (CLOSED, HELD, CONNECT)


class HeldLoad(Protocol):
    """An application with open connections."""

    @property
    def connections(self) -> int:
        """How many connections it holds."""

    @property
    def least(self) -> int:
        """How many of them are open at any time. A pool may open one only when it needs it."""

    def events(self) -> list[Event]:
        """What happened, in the order of its end. Complete after `stop`."""

    def stop(self) -> None:
        """Ends it."""


@dataclass(frozen=True)
class Moments:
    """By the wall clock."""

    killed: float
    started: float
    """When the replica's start began. What begins from then on belongs to the return."""
    recovered: float
    """When failover noticed that the replica is back."""
    end: float


@dataclass(frozen=True)
class HeldOutcome:
    """What an application saw of one outage and of the return."""

    engine: str
    title: str
    connections: int
    bar: float
    """Within how many seconds all have to be back."""
    moments: Moments
    on_replica: int
    on_primary: int
    """Sessions that each serves at the end."""
    events: list[Event]
    log: str

    def errors(self, is_return: bool, kinds: Iterable[str]) -> int:
        """Errors of these kinds, in the outage or at the return. Failed checks of transactions are not among them."""
        found = (event for event in self._failed(is_return) if not is_mixed(event))
        return sum(event.kind in kinds for event in found)

    def mixed(self) -> int:
        """Transactions that were at two places."""
        return sum(map(is_mixed, self.events))

    def first_error(self, is_return: bool) -> str:
        """The text of one error, or nothing."""
        return next((event.error or "" for event in self._failed(is_return)), "")

    def back(self) -> float | None:
        """Seconds from the recovery until the last worker had its first answer of the replica. None: not all have."""
        times = []
        for events in self._answers().values():
            at_primary = max((event.ended for event in events if event.who == PRIMARY), default=self.moments.killed)
            since = max(at_primary, self.moments.started)
            later = [event.ended for event in events if event.ended > since]
            if not later:
                return None
            times.append(later[0] - self.moments.recovered)
        return max(0.0, *times) if times else None

    def workers_back(self) -> str:
        """How many of the workers had their last answer of the replica."""
        last = [events[-1].who for events in self._answers().values()]
        return f"{last.count(REPLICA)} of {len(last)}"

    def is_met(self) -> bool:
        """Whether all are back in time, and no transaction was cut or mixed."""
        back = self.back()
        is_whole = self.errors(True, [TRANSACTION]) == 0 and self.mixed() == 0
        return is_whole and back is not None and back <= self.bar and self.on_primary == 0

    def raw(self) -> dict[str, object]:
        """For JSON. Answers are counted, errors are listed."""
        errors = [event for event in self.events if event.error]
        return {
            "engine": self.engine,
            "application": self.title,
            "moments": {name: round(at - self.moments.killed, 3) for name, at in asdict(self.moments).items()},
            "answers": len(self.events) - len(errors),
            "on_replica": self.on_replica,
            "on_primary": self.on_primary,
            "connections": self.connections,
            "back": self.back(),
            "bar": self.bar,
            "errors": plain(errors, self.moments.killed),
            "log": self.log.splitlines(),
        }

    def _failed(self, is_return: bool) -> Iterable[Event]:
        """Errors of what began before the replica's start, or from then on."""
        for event in self.events:
            if not event.error or event.ended < self.moments.killed:
                continue
            if (event.started >= self.moments.started) == is_return:
                yield event

    def _answers(self) -> dict[int, list[Event]]:
        """The answers that each worker had, of this outage."""
        found: dict[int, list[Event]] = {}
        for event in self.events:
            if event.who and event.ended >= self.moments.killed:
                found.setdefault(event.session, []).append(event)
        return found


def is_mixed(event: Event) -> bool:
    """Whether a transaction was at two places."""
    return (event.error or "").startswith("SelfCheckError")


COLUMNS: list[Column[HeldOutcome]] = [
    Column("engine", lambda case: case.engine),
    Column("client", lambda case: case.title),
    Column("outage: errors between transactions", lambda case: str(case.errors(False, BETWEEN))),
    Column("outage: within", lambda case: str(case.errors(False, [TRANSACTION]))),
    Column("return: errors between transactions", lambda case: str(case.errors(True, BETWEEN))),
    Column("return: transactions cut", lambda case: str(case.errors(True, [TRANSACTION]))),
    Column("transactions at two servers", lambda case: str(case.mixed())),
    Column("workers back on the replica", HeldOutcome.workers_back),
    Column("connections on the replica", lambda case: f"{case.on_replica} of {case.on_replica + case.on_primary}"),
    Column("last back after", lambda case: seconds_text(case.back())),
    Column("bar", lambda case: f"{case.bar:.1f} s"),
]


def play_outage(route: HeldRoute, load: HeldLoad, title: str, drain: Drain) -> HeldOutcome:
    """Kills the replica, starts it after some seconds, and waits until all sessions are back or the bar is far away."""
    bar = drain.bar(load.connections)
    try:
        time.sleep(BEFORE_SECONDS)
        killed = route.kill_replica()
        time.sleep(max(0.0, killed + OUTAGE_SECONDS - time.time()))
        started = route.start_replica()
        recovered = recovery(route, started)
        holds_within(bar + PATIENCE_SECONDS, lambda: all_back(route, load.least), 0.2)
        time.sleep(AFTER_SECONDS)
        sessions = route.sessions()
        end = time.time()
    finally:
        load.stop()
    moments = Moments(killed, started, recovered, end)
    engine = route.servers.engine.name
    places = sessions[REPLICA_ALIAS], sessions[PRIMARY_ALIAS]
    outcome = HeldOutcome(engine, title, load.connections, bar, moments, *places, load.events(), route.log())
    say(f"{engine}: {title}: {outcome.workers_back()} back; {outcome.first_error(True) or 'no error at the return'}")
    return outcome


def recovery(route: HeldRoute, started: float) -> float:
    """When failover noticed that the replica is back. Waits for it."""
    if not holds_within(RECOVERY_SECONDS, lambda: route.recovered(started) is not None, 0.1):
        raise ExperimentError(f"failover did not notice within {RECOVERY_SECONDS} s that the replica is back")
    return route.recovered(started) or time.time()


def all_back(route: HeldRoute, least: int) -> bool:
    """Whether the replica serves all sessions again, and the replica has at least `least`."""
    sessions = route.sessions()
    return sessions[PRIMARY_ALIAS] == 0 and sessions[REPLICA_ALIAS] >= least
