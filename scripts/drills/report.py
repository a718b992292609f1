"""What the drill found: a Markdown table an engine, the promises, the raw answers."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .outcome import Outcome
from .relay import FAILOVER, shipped_ping_timeout

GRACE_SECONDS = 0.5
HEADINGS = [
    "fault",
    "relay",
    "clients failed during the fault",
    "failed while moving back",
    "first answer by the primary",
    "worst wait of a new client",
    "held sessions hung",
    "new clients back on the replica",
    "transactions cut",
    "sessions back on the replica",
]


@dataclass(frozen=True)
class Promise:
    """What failover promises for every row: `miss` says what a row shows instead, or None."""

    text: str
    miss: Callable[[Outcome], str | None]


def _miss_failed_during(outcome: Outcome) -> str | None:
    return _failed_during(outcome) if outcome.failed_during().failed or outcome.hung_till_undone() else None


def _miss_first_answer(outcome: Outcome) -> str | None:
    first = outcome.first_answer_by_primary()
    limit = outcome.fault.first_answer_limit
    return None if first is not None and first < limit else f"{_seconds(first)} (limit {limit:g} s)"


def _miss_failed_after(outcome: Outcome) -> str | None:
    count = outcome.failed_after()
    return str(count) if count.failed else None


def _miss_cut(outcome: Outcome) -> str | None:
    count = outcome.cut()
    if count.total == 0:
        return "no session could be opened on the primary"
    return str(count) if count.failed else None


def _promises() -> list[Promise]:
    limit = shipped_ping_timeout() + GRACE_SECONDS

    def miss_hung(outcome: Outcome) -> str | None:
        seconds, freed = outcome.held_hung()
        return None if seconds <= limit and freed else _hung(seconds, freed)

    limits = "under its limit after the fault"
    return [
        Promise("no client fails during a fault, or waits until it ends", _miss_failed_during),
        Promise(f"the first answer by the primary comes {limits}", _miss_first_answer),
        Promise(f"no held session hangs longer than ping_timeout + {GRACE_SECONDS:g} s = {limit:g} s", miss_hung),
        Promise("no client fails while it moves back", _miss_failed_after),
        Promise("no transaction is cut", _miss_cut),
    ]


class Report:
    """The outcomes of one run."""

    def __init__(self, outcomes: list[Outcome], skipped: str | None) -> None:
        """`skipped` says what was left out and why."""
        self._outcomes = outcomes
        self._skipped = skipped
        ours = [outcome for outcome in outcomes if outcome.relay == FAILOVER]
        self._verdicts = [(promise, _misses(promise, ours)) for promise in _promises()] if ours else []

    @property
    def all_met(self) -> bool:
        return not any(misses for _, misses in self._verdicts)

    def markdown(self) -> str:
        """The tables, then the promises."""
        parts = []
        for engine in dict.fromkeys(outcome.engine.name for outcome in self._outcomes):
            of_engine = [outcome for outcome in self._outcomes if outcome.engine.name == engine]
            rows = [HEADINGS, ["---"] * len(HEADINGS), *map(_row, of_engine)]
            parts.append(f"### {engine}\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows))
        if self._skipped:
            parts.append(self._skipped)
        parts.append("\n".join([*self._before_lines(), "", *self._promise_lines()]))
        return "\n\n".join(parts)

    def write(self, path: Path, conditions: dict[str, object]) -> None:
        """Writes every raw answer, with the conditions they were got under."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"conditions": conditions, "outcomes": [outcome.raw() for outcome in self._outcomes]}
        path.write_text(json.dumps(content, indent=1) + "\n")

    def _before_lines(self) -> list[str]:
        """How well everything went while nothing was wrong."""
        waits = [wait for outcome in self._outcomes if (wait := outcome.usual_wait()) is not None]
        lines = [f"New clients' median wait before the faults: {max(waits) * 1000:.0f} ms at worst."] if waits else []
        astray = [(outcome, outcome.astray()) for outcome in self._outcomes]
        return lines + [
            f"{_name(outcome)}, {outcome.relay}: before the fault the primary answered {count} new clients."
            for outcome, count in astray
            if count
        ]

    def _promise_lines(self) -> list[str]:
        lines = ["Promises of failover, in every row:"]
        for promise, misses in self._verdicts:
            verdict = f"MISSED: {promise.text}: " + "; ".join(misses) if misses else f"met: {promise.text}"
            lines.append(f"* {verdict}")
        return lines if self._verdicts else ["failover took no part: nothing is promised."]


def _misses(promise: Promise, outcomes: list[Outcome]) -> list[str]:
    found = ((outcome, promise.miss(outcome)) for outcome in outcomes)
    return [f"{_name(outcome)} {miss}" for outcome, miss in found if miss]


def _name(outcome: Outcome) -> str:
    return f"{outcome.engine.name} {outcome.fault.name}"


def _row(outcome: Outcome) -> list[str]:
    return [
        outcome.fault.title,
        outcome.relay,
        _failed_during(outcome),
        str(outcome.failed_after()),
        _seconds(outcome.first_answer_by_primary()),
        _seconds(outcome.worst_wait()),
        _hung(*outcome.held_hung()),
        _seconds(outcome.back()),
        str(outcome.cut()) if outcome.on_primary() else "none on the primary",
        _moved(outcome),
    ]


def _failed_during(outcome: Outcome) -> str:
    hung = outcome.hung_till_undone()
    caught = outcome.caught()
    return (
        f"{outcome.failed_during()}"
        + (f", {hung} more hung until its end" if hung else "")
        + (f" (and {caught} caught in the login)" if caught else "")
    )


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s" if value < 1 else f"{value:.1f} s"


def _hung(seconds: float, freed: bool) -> str:
    return _seconds(seconds) if freed else "never freed"


def _moved(outcome: Outcome) -> str:
    if not outcome.on_primary():
        return "–"
    moved = outcome.moved()
    return "stay on the primary" if moved is None else _seconds(moved)
