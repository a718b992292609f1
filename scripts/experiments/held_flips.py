"""Transactions that check themselves, with TLS, while the replica goes and comes back again and again."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from .event import PRIMARY, TRANSACTION, Event
from .held_outage import BETWEEN, OUTAGE_SECONDS, PATIENCE_SECONDS, all_back, is_mixed, recovery
from .held_pool import workers
from .held_report import Report
from .held_run import Run
from .held_session import clients_of
from .held_stand import PRIMARY_ALIAS, REPLICA_ALIAS, HeldRoute
from .held_worker import Habits, WorkerLoad
from .local import Servers
from .outcome import plain
from .process import holds_within, say
from .report import Column, Verdict, seconds_text, table_of

TRANSACTIONS = 0.9
"""The fraction of a session's work that is within transactions."""
DRAINED_SECONDS = 3
"""How long the replica stays out of service, at least."""
OUTAGE, DRAIN = "outage", "drain"


@dataclass
class Flip:
    """The replica goes, and comes back."""

    kind: str
    gone: float
    """When it was killed, or drained. Times are the wall clock's."""
    returned: float
    """When its start began, or when it was put back."""
    back: float | None
    """Seconds from then, or from when failover noticed it, until the replica served all sessions."""
    at_primary: int
    """Sessions that the primary had when the replica came back."""
    end: float = field(default=0.0)


@dataclass(frozen=True)
class FlipsOutcome:
    """All flips of one engine."""

    engine: str
    title: str
    sessions: int
    bar: float
    flips: list[Flip]
    events: list[Event]

    def of_kind(self, kind: str) -> list[Flip]:
        """The outages, or the drains."""
        return [flip for flip in self.flips if flip.kind == kind]

    def going(self, kind: str, kinds: Iterable[str]) -> int:
        """Errors of these kinds while the replica was away for this reason."""
        return sum(self._count(flip.gone, flip.returned, kinds) for flip in self.of_kind(kind))

    def at_return(self, kinds: Iterable[str]) -> int:
        """Errors of these kinds after a return, until the next flip."""
        return sum(self._count(flip.returned, flip.end, kinds) for flip in self.flips)

    def mixed(self) -> int:
        """Transactions that were at two places."""
        return sum(map(is_mixed, self.events))

    def transactions(self) -> str:
        """How many were finished, and how many of them on the primary."""
        done = [event.who for event in self.events if event.kind == TRANSACTION and not event.error]
        return f"{len(done)} ({done.count(PRIMARY)})"

    def not_back(self) -> list[int]:
        """The numbers of the flips, from 1, after which not all sessions were back on the replica in time."""
        return [n for n, flip in enumerate(self.flips, 1) if flip.back is None or flip.back > self.bar]

    def not_gone(self) -> int:
        """How many flips did not move all sessions to the primary."""
        return sum(flip.at_primary < self.sessions for flip in self.flips)

    def slowest(self) -> str:
        """Of all returns."""
        times = [flip.back for flip in self.flips]
        return "never" if None in times else seconds_text(max((time for time in times if time is not None), default=0))

    def _count(self, since: float, until: float, kinds: Iterable[str]) -> int:
        """Of the errors that showed themselves in this time: at the end of what they stopped."""
        found = (event for event in self.events if event.error and event.kind in kinds and not is_mixed(event))
        return sum(since <= event.ended < until for event in found)

    def raw(self) -> dict[str, object]:
        """For JSON."""
        errors = [event for event in self.events if event.error]
        flips = [vars(flip) for flip in self.flips]
        return {
            "engine": self.engine,
            "client": self.title,
            "bar": self.bar,
            "flips": flips,
            "errors": plain(errors, 0),
        }


COLUMNS: list[Column[FlipsOutcome]] = [
    Column("engine", lambda case: case.engine),
    Column("client", lambda case: case.title),
    Column("flips (outages)", lambda case: f"{len(case.flips)} ({len(case.of_kind(OUTAGE))})"),
    Column("transactions (on the primary)", FlipsOutcome.transactions),
    Column("outages: lost between", lambda case: str(case.going(OUTAGE, BETWEEN))),
    Column("outages: within", lambda case: str(case.going(OUTAGE, [TRANSACTION]))),
    Column("drains: lost between", lambda case: str(case.going(DRAIN, BETWEEN))),
    Column("drains: within", lambda case: str(case.going(DRAIN, [TRANSACTION]))),
    Column("returns: lost between", lambda case: str(case.at_return(BETWEEN))),
    Column("returns: within", lambda case: str(case.at_return([TRANSACTION]))),
    Column("transactions at two servers", lambda case: str(case.mixed())),
    Column("least sessions on the primary", lambda case: str(min(flip.at_primary for flip in case.flips))),
    Column("flips after which all were back", lambda case: f"{len(case.flips) - len(case.not_back())}"),
    Column("slowest return", FlipsOutcome.slowest),
]


def play_flips(run: Run) -> Report:
    """The flips of each engine."""
    outcomes = [_play_engine(run, name, servers) for name, servers in run.servers.items()]
    cut = [f"{case.engine}: {case.at_return([TRANSACTION])}" for case in outcomes if case.at_return([TRANSACTION])]
    mixed = [f"{case.engine}: {case.mixed()}" for case in outcomes if case.mixed()]
    drained = [
        f"{case.engine}: {case.going(DRAIN, [TRANSACTION])}" for case in outcomes if case.going(DRAIN, [TRANSACTION])
    ]
    late = [f"{case.engine}: {len(case.not_back())} of {len(case.flips)}" for case in outcomes if case.not_back()]
    stayed = [f"{case.engine}: {case.not_gone()} of {len(case.flips)}" for case in outcomes if case.not_gone()]
    verdicts = [
        Verdict("no return cuts a transaction", cut),
        Verdict("no drain cuts a transaction", drained),
        Verdict("no transaction is at two servers", mixed),
        Verdict("each outage and each drain moves all sessions to the primary", stayed),
        Verdict("after each return all sessions are back on the replica within the bar", late),
    ]
    title = f"{run.options.workers} sessions with TLS, transactions that check themselves; the replica goes and returns"
    return Report(title, table_of(COLUMNS, outcomes), verdicts, [case.raw() for case in outcomes])


def _play_engine(run: Run, name: str, servers: Servers) -> FlipsOutcome:
    client = next(client for client in clients_of(servers.engine.protocol) if client.is_encrypted)
    count: int = run.options.flips
    bar = run.drain.bar(run.options.workers)
    flips: list[Flip] = []
    habits = Habits(transactions=TRANSACTIONS, thinks_first=run.options.think_first)
    with run.route(servers) as route:
        load = workers(route, client, run.options.workers, habits)
        try:
            for number in range(count):
                # The outages are spread evenly among the drains.
                is_outage = number * run.options.outages // count != (number + 1) * run.options.outages // count
                flips.append(_flip(route, load, OUTAGE if is_outage else DRAIN, bar))
                seconds = seconds_text(flips[-1].back)
                say(f"flips: {name}: {number + 1} of {count}: {flips[-1].kind}; all back: {seconds}")
        finally:
            load.stop()
    return FlipsOutcome(name, client.title, run.options.workers, bar, flips, load.events())


def _all_gone(route: HeldRoute, connections: int) -> bool:
    sessions = route.sessions()
    return sessions[REPLICA_ALIAS] == 0 and sessions[PRIMARY_ALIAS] >= connections


def _flip(route: HeldRoute, load: WorkerLoad, kind: str, bar: float) -> Flip:
    """One flip, of a route whose sessions are all on the replica."""
    if kind == OUTAGE:
        gone = route.kill_replica()
        time.sleep(OUTAGE_SECONDS)
        # A worker that pauses connects again after its pause.
        at_primary = route.sessions()[PRIMARY_ALIAS]
        returned = route.start_replica()
        since = recovery(route, returned)
    else:
        gone = time.time()
        route.drain()
        time.sleep(DRAINED_SECONDS)
        # Sessions that stay on a drained alias have not been moved: there is nothing to bring back.
        holds_within(bar + PATIENCE_SECONDS, lambda: _all_gone(route, load.connections), 0.2)
        at_primary = route.sessions()[PRIMARY_ALIAS]
        since = returned = time.time()
        route.undrain()
    is_back = holds_within(bar + PATIENCE_SECONDS, lambda: all_back(route, load.connections), 0.1)
    flip = Flip(kind, gone, returned, time.time() - since if is_back else None, at_primary)
    time.sleep(1)
    if not is_back:
        # The next flip begins with all sessions on the replica too. What this closes is no fault of the return.
        flip.end = time.time()
        route.close_sessions(PRIMARY_ALIAS)
        holds_within(PATIENCE_SECONDS, lambda: all_back(route, load.connections), 0.1)
        time.sleep(1)
    flip.end = flip.end or time.time()
    return flip
