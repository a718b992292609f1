"""The reports of fault tests: tables, and the promises of failover that were kept or broken."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .hopeless import COLUMNS as HOPELESS_COLUMNS
from .hopeless import PROMISES as HOPELESS_PROMISES
from .hopeless import HopelessOutcome
from .local import FAILOVER, shipped_ping_timeout
from .notice import Notice
from .outcome import Outcome
from .play import FIRST_ANSWER_SECONDS
from .report import Column, Promise, Verdict, seconds_text, table, table_of, write_json

GRACE_SECONDS = 0.5
HUNG_SECONDS = 2.5
"""ping_timeout of docker/config, 2 s, and GRACE_SECONDS."""


def _failed_during(outcome: Outcome) -> str:
    hung, caught = outcome.hung_till_undone(), outcome.caught()
    return (
        f"{outcome.failed_during()}"
        + (f", {hung} more hung until its end" if hung else "")
        + (f" (and {caught} caught in the login)" if caught else "")
    )


def _hung(outcome: Outcome) -> str:
    seconds, freed = outcome.sessions_hung()
    return seconds_text(seconds) if freed else "never freed"


def _moved(outcome: Outcome) -> str:
    """Of the local sessions, which are opened during the fault, and some of them not on the primary."""
    if not outcome.moving:
        return "–"
    moved = outcome.sessions_back()
    return "stay on the primary" if moved is None else seconds_text(moved)


CLIENT_COLUMNS: list[Column[Outcome]] = [
    Column("clients failed during the fault", _failed_during),
    Column("failed while moving back", lambda outcome: str(outcome.failed_after())),
    Column("first answer by the primary", lambda outcome: seconds_text(outcome.first_answer_by_primary())),
    Column("worst wait of a new client", lambda outcome: seconds_text(outcome.worst_wait())),
]
BACK: Column[Outcome] = Column("new clients back on the replica", lambda outcome: seconds_text(outcome.back()))
LOCAL_COLUMNS: list[Column[Outcome]] = [
    Column("fault", lambda outcome: outcome.title),
    Column("relay", lambda outcome: outcome.relay),
    *CLIENT_COLUMNS,
    Column("held sessions hung", _hung),
    BACK,
    Column("transactions cut", lambda outcome: str(outcome.cut()) if outcome.moving else "none on the primary"),
    Column("sessions back on the replica", _moved),
]
COMPOSE_COLUMNS: list[Column[Outcome]] = [
    Column("the replica is", lambda outcome: outcome.title),
    Column("database", lambda outcome: outcome.engine),
    *CLIENT_COLUMNS,
    Column("open sessions hung", _hung),
    BACK,
    Column("open sessions back", lambda outcome: seconds_text(outcome.sessions_back())),
    Column("transactions cut on the primary", lambda outcome: str(outcome.cut())),
]


def _miss_failed_during(outcome: Outcome) -> str | None:
    return _failed_during(outcome) if outcome.failed_during().failed or outcome.hung_till_undone() else None


def _miss_failed_after(outcome: Outcome) -> str | None:
    return str(outcome.failed_after()) if outcome.failed_after().failed else None


def _miss_own_limit(outcome: Outcome) -> str | None:
    first, limit = outcome.first_answer_by_primary(), outcome.first_answer_limit
    return None if first is not None and first < limit else f"{seconds_text(first)} (limit {limit:g} s)"


def _miss_first_answer(outcome: Outcome) -> str | None:
    first = outcome.first_answer_by_primary()
    return None if first is not None and first <= FIRST_ANSWER_SECONDS else seconds_text(first)


def _miss_back(outcome: Outcome) -> str | None:
    return None if outcome.back() is not None else "never"


def _miss_sessions_back(outcome: Outcome) -> str | None:
    return None if outcome.sessions_back() is not None else "never"


def _miss_cut(outcome: Outcome) -> str | None:
    return str(outcome.cut()) if outcome.cut().failed else None


def _miss_cut_or_none(outcome: Outcome) -> str | None:
    return _miss_cut(outcome) if outcome.moving else "no session could be opened on the primary"


NO_CLIENT_FAILS = Promise("no client fails during a fault, or waits until it ends", _miss_failed_during)
NO_CLIENT_FAILS_AFTER = Promise("no client fails while it moves back", _miss_failed_after)


def _not_hung(limit: float, text: str) -> Promise[Outcome]:
    def miss(outcome: Outcome) -> str | None:
        seconds, freed = outcome.sessions_hung()
        return None if seconds <= limit and freed else _hung(outcome)

    return Promise(text, miss)


def _local_promises() -> list[Promise[Outcome]]:
    limit = shipped_ping_timeout() + GRACE_SECONDS
    hung = f"no held session hangs longer than ping_timeout + {GRACE_SECONDS:g} s = {limit:g} s"
    return [
        NO_CLIENT_FAILS,
        Promise("the first answer by the primary comes under its limit after the fault", _miss_own_limit),
        _not_hung(limit, hung),
        NO_CLIENT_FAILS_AFTER,
        Promise("no transaction is cut", _miss_cut_or_none),
    ]


COMPOSE_PROMISES = [
    NO_CLIENT_FAILS,
    Promise(f"the primary answers new clients within {FIRST_ANSWER_SECONDS:g} s of the fault", _miss_first_answer),
    _not_hung(HUNG_SECONDS, f"no open session hangs longer than {HUNG_SECONDS:g} s"),
    NO_CLIENT_FAILS_AFTER,
    Promise("new clients come back to the replica", _miss_back),
    Promise("open sessions come back to the replica", _miss_sessions_back),
    Promise("no transaction on the primary is cut", _miss_cut),
]


def _failures(outcomes: Sequence[Outcome]) -> str:
    """The table of the failures alone: a row for each fault, and a column for each relay."""
    relays = list(dict.fromkeys(outcome.relay for outcome in outcomes))
    rows = []
    for title in dict.fromkeys(outcome.title for outcome in outcomes):
        cells = {outcome.relay: _without_answer(outcome) for outcome in outcomes if outcome.title == title}
        rows.append([title, *(cells.get(relay, "–") for relay in relays)])
    return table(["clients without an answer", *relays], rows)


def _without_answer(outcome: Outcome) -> str:
    """New clients that failed during the fault, or got an answer only when it ended. Then those that failed later."""
    during, later = outcome.failed_during(), outcome.failed_after().failed
    text = f"{during.failed + outcome.hung_till_undone()} of {during.total}"
    return f"{text}, {later} later" if later else text


def _usual_wait_lines(outcomes: Sequence[Outcome]) -> list[str]:
    """How well everything went while nothing was wrong."""
    waits = [wait for outcome in outcomes if (wait := outcome.usual_wait()) is not None]
    return [f"New clients' median wait before the faults: {max(waits) * 1000:.0f} ms at worst."] if waits else []


class LocalReport:
    """The outcomes of one run on this machine."""

    def __init__(self, outcomes: list[Outcome], skipped: str | None) -> None:
        """`skipped` says what was left out and why."""
        self._outcomes = outcomes
        self._skipped = skipped
        ours = [outcome for outcome in outcomes if outcome.relay == FAILOVER]
        promises = _local_promises() if ours else []
        self._verdicts = [Verdict(promise.text, promise.misses(ours, self._name)) for promise in promises]

    @property
    def all_met(self) -> bool:
        return not any(verdict.misses for verdict in self._verdicts)

    def markdown(self) -> str:
        """The tables, then the promises."""
        parts = []
        for engine in dict.fromkeys(outcome.engine for outcome in self._outcomes):
            of_engine = [outcome for outcome in self._outcomes if outcome.engine == engine]
            parts.append(f"### {engine}\n\n{_failures(of_engine)}\n\n{table_of(LOCAL_COLUMNS, of_engine)}")
        if self._skipped:
            parts.append(self._skipped)
        lines = ["Promises of failover, in every row:", *(verdict.line("MISSED") for verdict in self._verdicts)]
        promised = lines if self._verdicts else ["failover took no part: nothing is promised."]
        parts.append("\n".join([*_usual_wait_lines(self._outcomes), *self._astray_lines(), "", *promised]))
        return "\n\n".join(parts)

    def write(self, path: Path, conditions: dict[str, object]) -> None:
        """Writes every event, and the conditions of the run."""
        write_json(path, {"conditions": conditions, "outcomes": [o.raw() for o in self._outcomes]}, indent=1)

    def _astray_lines(self) -> list[str]:
        astray = [(outcome, count) for outcome in self._outcomes if (count := outcome.astray())]
        return [
            f"{self._name(outcome)}{outcome.relay}: before the fault the primary answered {count} new clients."
            for outcome, count in astray
        ]

    @staticmethod
    def _name(outcome: Outcome) -> str:
        return f"{outcome.engine} {outcome.fault} "


@dataclass
class ComposeReport:
    """What was played with Docker Compose."""

    outcomes: list[Outcome] = field(default_factory=list)
    hopeless: list[HopelessOutcome] = field(default_factory=list)
    notice: Notice | None = None

    @property
    def all_met(self) -> bool:
        return not any(verdict.misses for verdict in self._verdicts())

    def markdown(self) -> str:
        """Tables, what clients read, promises."""
        parts: list[str] = []
        if self.outcomes:
            parts += [table_of(COMPOSE_COLUMNS, self.outcomes), *_usual_wait_lines(self.outcomes)]
        if self.hopeless:
            parts.append(table_of(HOPELESS_COLUMNS, self.hopeless))
            parts.append("\n".join(f"* {o.engine}, {o.title}: `{o.example()}`" for o in self.hopeless))
        if self.notice:
            parts.append("\n".join(self.notice.lines()))
        verdicts = [verdict.line("BROKEN") for verdict in self._verdicts()]
        return "\n\n".join([*parts, "\n".join(["Promises of failover:", *verdicts])])

    def write(self, path: Path) -> None:
        """Writes every event."""
        content = {"faults": [o.raw() for o in self.outcomes], "hopeless": [o.raw() for o in self.hopeless]}
        write_json(path, content, indent=1)

    def _verdicts(self) -> list[Verdict]:
        found: list[Verdict] = []
        if self.outcomes:
            found += [Verdict(each.text, each.misses(self.outcomes, _place)) for each in COMPOSE_PROMISES]
        if self.hopeless:
            found += [Verdict(each.text, each.misses(self.hopeless, _place)) for each in HOPELESS_PROMISES]
        return found + (self.notice.verdicts() if self.notice else [])


def _place(outcome: Outcome | HopelessOutcome) -> str:
    return f"{outcome.engine}, {outcome.title}: "
