"""A program that is an application of its own, and prints what happens to it."""

import json
from pathlib import Path
from typing import Self

from .event import Event
from .process import Process

START_SECONDS = 40


class ProgramLoad:
    """A program whose workers print their events as lines of JSON."""

    def __init__(self, argv: list[str], connections: int, log: Path) -> None:
        self.connections = connections
        self.least = 1
        self._process = Process("pool", argv, log)
        self._stopped = False

    def __enter__(self) -> Self:
        self._process.__enter__()
        try:
            self._process.wait_until(START_SECONDS, self._all_have_answers, "has no answer for each worker")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def events(self) -> list[Event]:
        """What happened, in the order of its end."""
        # The last line may be cut off.
        lines = self._process.log.read_text(errors="replace").split("\n")[:-1]
        found = [Event(**json.loads(line)) for line in lines if line.startswith("{")]
        return sorted(found, key=lambda event: event.ended)

    def stop(self) -> None:
        """Ends it."""
        if not self._stopped:
            self._stopped = True
            self._process.__exit__()

    def _all_have_answers(self) -> bool:
        return len({event.session for event in self.events() if event.who}) == self.connections
