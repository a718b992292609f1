"""The drill's tables, and the promises of failover that they show kept or broken."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .notice import Notice
from .outcome import HopelessOutcome, Outcome

FIRST_ANSWER_SECONDS = 1.5
"""connect_timeout or greeting_timeout, 1 s each, and a login."""
HUNG_SECONDS = 2.5
"""ping_timeout, 2 s, and what goes round it."""
HEADINGS = [
    "the replica is",
    "database",
    "clients failed during the fault",
    "failed while moving back",
    "first answer by the primary",
    "worst wait of a new client",
    "open sessions hung",
    "new clients back on the replica",
    "open sessions back",
    "transactions cut on the primary",
]
HOPELESS_HEADINGS = [
    "nobody to serve",
    "database",
    "told why",
    "not told",
    "worst wait",
    "served again",
    "failed after that",
]


@dataclass
class Report:
    """What was played."""

    outcomes: list[Outcome] = field(default_factory=list)
    hopeless: list[HopelessOutcome] = field(default_factory=list)
    notice: Notice | None = None

    @property
    def all_met(self) -> bool:
        return not any(misses for _, misses in self._promises())

    def markdown(self) -> str:
        """Tables, what was read, promises."""
        parts = []
        if self.outcomes:
            parts.append(_table(HEADINGS, [_row(outcome) for outcome in self.outcomes]))
            waits = max(outcome.usual_wait() for outcome in self.outcomes)
            parts.append(f"New clients' median wait before the faults: {waits * 1000:.0f} ms at worst.")
        if self.hopeless:
            parts.append(_table(HOPELESS_HEADINGS, [_hopeless_row(outcome) for outcome in self.hopeless]))
            parts.append("\n".join(f"* {o.engine.title}, {o.title}: `{o.example()}`" for o in self.hopeless))
        if self.notice:
            parts.append("\n".join(_notice_lines(self.notice)))
        lines = ["Promises of failover:"]
        for promise, misses in self._promises():
            lines.append(f"* BROKEN: {promise}: " + "; ".join(misses) if misses else f"* met: {promise}")
        return "\n\n".join([*parts, "\n".join(lines)])

    def raw(self) -> dict[str, object]:
        """Every event, for JSON."""
        return {"faults": [o.raw() for o in self.outcomes], "hopeless": [o.raw() for o in self.hopeless]}

    def _promises(self) -> list[tuple[str, list[str]]]:
        """Each with who breaks it."""
        found: list[tuple[str, list[str]]] = []
        if self.outcomes:
            found += [(text, _misses(self.outcomes, kept, shown)) for text, kept, shown in _PROMISES]
        if self.hopeless:
            found += [(text, _misses(self.hopeless, kept, shown)) for text, kept, shown in _HOPELESS_PROMISES]
        if notice := self.notice:
            told = [name for name, event in (("outage", notice.outage), ("recovery", notice.recovery)) if not event]
            found.append(("a service that moves no route is told of: outage and recovery", told))
            failed = [str(notice.clients)] if notice.clients.failed else []
            found.append(("no database client fails meanwhile", failed))
        return found


_PROMISES: list[tuple[str, Callable[[Outcome], bool], Callable[[Outcome], str]]] = [
    (
        "no client fails during a fault, or waits until it ends",
        lambda o: o.failed_during().failed == 0 and o.hung() == 0,
        lambda o: _failed_during(o),
    ),
    (
        f"the primary answers new clients within {FIRST_ANSWER_SECONDS:g} s of the fault",
        lambda o: (o.first_answer() or 99) <= FIRST_ANSWER_SECONDS,
        lambda o: _seconds(o.first_answer()),
    ),
    (
        f"no open session hangs longer than {HUNG_SECONDS:g} s",
        lambda o: (99 if o.sessions_hung() is None else o.sessions_hung() or 0) <= HUNG_SECONDS,
        lambda o: _seconds(o.sessions_hung()),
    ),
    ("no client fails while it moves back", lambda o: o.failed_after().failed == 0, lambda o: str(o.failed_after())),
    ("new clients come back to the replica", lambda o: o.back is not None, lambda o: "never"),
    ("open sessions come back to the replica", lambda o: o.sessions_back is not None, lambda o: "never"),
    ("no transaction on the primary is cut", lambda o: o.cut().failed == 0, lambda o: str(o.cut())),
]
_HOPELESS_PROMISES: list[tuple[str, Callable[[HopelessOutcome], bool], Callable[[HopelessOutcome], str]]] = [
    (
        "with nobody to serve, each client reads why in its database's own protocol",
        lambda o: not o.untold() and o.told() > 0,
        lambda o: f"{len(o.untold())} were not told: {o.untold()[0].error if o.untold() else ''}",
    ),
    (
        f"each is told within {HUNG_SECONDS:g} s",
        lambda o: o.worst_wait() <= HUNG_SECONDS,
        lambda o: _seconds(o.worst_wait()),
    ),
    ("a primary that is back serves them again", lambda o: o.served is not None, lambda o: "never"),
    ("once one client is served, all are", lambda o: o.failed_after().failed == 0, lambda o: str(o.failed_after())),
]


def _misses(outcomes: list[Any], kept: Callable[[Any], bool], shown: Callable[[Any], str]) -> list[str]:
    return [f"{o.engine.title}, {o.title}: {shown(o)}" for o in outcomes if not kept(o)]


def _table(headings: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [headings, ["---"] * len(headings), *rows])


def _row(outcome: Outcome) -> list[str]:
    return [
        outcome.title,
        outcome.engine.title,
        _failed_during(outcome),
        str(outcome.failed_after()),
        _seconds(outcome.first_answer()),
        _seconds(outcome.worst_wait()),
        "never freed" if outcome.sessions_hung() is None else _seconds(outcome.sessions_hung()),
        _since(outcome.back, outcome.undone),
        _since(outcome.sessions_back, outcome.undone),
        str(outcome.cut()),
    ]


def _failed_during(outcome: Outcome) -> str:
    hung, caught = outcome.hung(), outcome.caught()
    return (
        f"{outcome.failed_during()}"
        + (f", {hung} more hung until its end" if hung else "")
        + (f" (and {caught} caught in the login)" if caught else "")
    )


def _hopeless_row(outcome: HopelessOutcome) -> list[str]:
    return [
        outcome.title,
        outcome.engine.title,
        f"{outcome.told()} of {len(outcome.during())}",
        str(len(outcome.untold())),
        _seconds(outcome.worst_wait()),
        _since(outcome.served, outcome.until),
        str(outcome.failed_after()),
    ]


def _notice_lines(notice: Notice) -> list[str]:
    lines = [f"A memcached killed: {notice.clients} clients of the databases failed."]
    for name, event, after in (
        ("outage", notice.outage, notice.outage_after),
        ("recovery", notice.recovery, notice.recovery_after),
    ):
        told = f"after {after:.1f} s `{event['message']}`" if event else "nothing"
        detail = f", {event['detail']}" if event and event.get("detail") else ""
        lines.append(f"* the pager was told of the {name}: {told}{detail}")
    return lines


def _since(moment: float | None, start: float) -> str:
    return _seconds(None if moment is None else moment - start)


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s" if value < 1 else f"{value:.1f} s"
