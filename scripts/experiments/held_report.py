"""The report of an experiment with held sessions: a title, a table, promises, raw values."""

from dataclasses import dataclass, field

from .held_outage import COLUMNS, HeldOutcome
from .report import Verdict, table_of


@dataclass(frozen=True)
class Report:
    """What is printed of one experiment."""

    title: str
    table: str
    verdicts: list[Verdict]
    raw: object
    """For JSON."""
    notes: list[str] = field(default_factory=list)
    """What was left out, and why; versions."""

    @property
    def is_met(self) -> bool:
        """Whether no promise is broken."""
        return not any(verdict.misses for verdict in self.verdicts)

    def markdown(self) -> str:
        """All of it, for a page."""
        lines = [f"# {self.title}", self.table, ""]
        lines += [verdict.line("MISSED") for verdict in self.verdicts]
        return "\n".join(lines + [f"* {note}" for note in self.notes])


def outage_report(title: str, outcomes: list[HeldOutcome], notes: list[str] | None = None) -> Report:
    """The report of applications that all saw the same kind of outage."""
    late = [f"{case.engine}, {case.title}" for case in outcomes if not case.is_met()]
    promise = "no transaction is cut at the return, and all are back on the replica within the bar"
    raw = [case.raw() for case in outcomes]
    return Report(title, table_of(COLUMNS, outcomes), [Verdict(promise, late)], raw, notes or [])
