"""What reports are made of: tables, durations, promises with a verdict, raw values as JSON."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

Case = TypeVar("Case")
"""What a row of a table, or a promise, is about: the outcome of one fault, for example."""


@dataclass(frozen=True)
class Column(Generic[Case]):
    """A column of a table: the heading, and the text of a cell."""

    heading: str
    cell: Callable[[Case], str]


@dataclass(frozen=True)
class Promise(Generic[Case]):
    """A promise of failover. `miss` returns None for a case that keeps it, or what the case shows instead."""

    text: str
    miss: Callable[[Case], str | None]

    def misses(self, cases: Sequence[Case], name: Callable[[Case], str]) -> list[str]:
        """The cases that break the promise, each with its name and what it shows."""
        found = ((name(case), self.miss(case)) for case in cases)
        return [f"{case}{shown}" for case, shown in found if shown is not None]


@dataclass(frozen=True)
class Verdict:
    """A promise, and what breaks it. It is kept if nothing does."""

    promise: str
    misses: list[str]

    def line(self, broken: str) -> str:
        """The line of a report. `broken` is the word before a promise that is not kept."""
        return f"* {broken}: {self.promise}: {'; '.join(self.misses)}" if self.misses else f"* met: {self.promise}"


def verdict_line(kept: bool, promise: str) -> str:
    """The line of a report about a promise that is kept or not."""
    return f"* {'met' if kept else 'MISSED'}: {promise}"


def table(headings: list[str], rows: list[list[str]], numbers: bool = False) -> str:
    """A table in Markdown. With `numbers` all columns but the first are aligned to the right."""
    rule = ["---"] + ["---:" if numbers else "---"] * (len(headings) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [headings, rule, *rows])


def table_of(columns: Sequence[Column[Case]], cases: Sequence[Case]) -> str:
    """A table in Markdown with a row for each case."""
    return table([column.heading for column in columns], [[column.cell(case) for column in columns] for case in cases])


def seconds_text(seconds: float | None) -> str:
    """A duration with two significant digits; `never` for None."""
    return "never" if seconds is None else f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"


def write_json(path: Path, content: object, indent: int) -> None:
    """Writes the content, and makes the folder if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=indent) + "\n")
