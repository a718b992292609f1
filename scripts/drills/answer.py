"""What one question came to."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """An answer, or an error in its place."""

    started: float
    """By the monotonic clock."""
    seconds: float
    who: str | None
    error: str | None

    @property
    def ended(self) -> float:
        return self.started + self.seconds


def ask(question: Callable[[], str]) -> Answer:
    """Asks now, and waits."""
    started = time.monotonic()
    who = error = None
    try:
        who = question()
    except Exception as failure:  # whatever the drivers raise: to a client all of it is an error
        error = f"{type(failure).__name__}: {failure}"
    return Answer(started, time.monotonic() - started, who, error)
