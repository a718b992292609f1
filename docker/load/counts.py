"""What the application noticed so far, a line every few seconds."""

import time
from threading import Lock

from .database import PRIMARY, REPLICA
from .event import CLIENT, TRANSACTION, Event

EVERY_SECONDS = 5


class Counts:
    """Counts new clients and transactions."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = Lock()
        self._total = self._failed = self._cut = 0
        self._recent: list[Event] = []

    def add(self, event: Event) -> None:
        with self._lock:
            if event.kind == CLIENT:
                self._total += 1
                self._failed += event.error is not None
                self._recent.append(event)
            elif event.kind == TRANSACTION and event.error:
                self._cut += 1
        if event.kind == CLIENT and event.error:
            print(f"{self._name}: a client failed after {event.seconds:.2f} s: {event.error}", flush=True)

    def print_on(self) -> None:
        """For ever."""
        while True:
            time.sleep(EVERY_SECONDS)
            print(self._line(), flush=True)

    def _line(self) -> str:
        with self._lock:
            recent, self._recent = self._recent, []
            totals = f"{self._failed} of {self._total} failed since the start; {self._cut} transactions lost"
        by = {who: sum(event.who == who for event in recent) for who in (REPLICA, PRIMARY)}
        worst = max((event.seconds for event in recent), default=0)
        return (
            f"{time.strftime('%H:%M:%S')} {self._name}: new clients: {by[REPLICA]} by the replica, "
            f"{by[PRIMARY]} by the primary, worst wait {worst:.2f} s; {totals}"
        )
