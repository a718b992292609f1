"""New clients at a steady pace, none of which waits for another."""

import time
from collections.abc import Callable
from threading import Lock, Thread

from .database import Database
from .event import CLIENT, Event, attempt

PER_SECOND = 15
LIMIT_SECONDS = 8
"""How long a client waits before it counts as failed."""


class Clients:
    """Those who come, ask one question and go."""

    def __init__(self, database: Database, publish: Callable[[Event], None]) -> None:
        self._database = database
        self._publish = publish
        self._lock = Lock()
        self._waiting: dict[int, float] = {}

    def come(self) -> None:
        """Sends one after another, for ever."""
        number = 0
        start = time.monotonic()
        while True:
            time.sleep(max(0, start + number / PER_SECOND - time.monotonic()))
            number += 1
            Thread(target=self._client, args=(number,), daemon=True).start()
            self._give_up()

    def _client(self, number: int) -> None:
        with self._lock:
            self._waiting[number] = time.time()
        event = attempt(CLIENT, 0, self._ask, self._database.told)
        with self._lock:
            given_up = self._waiting.pop(number, None) is None
        if not given_up:
            self._publish(event)

    def _ask(self) -> str:
        session = self._database.dial()
        try:
            return session.who()
        finally:
            session.close()

    def _give_up(self) -> None:
        """Counts who has waited for too long."""
        now = time.time()
        with self._lock:
            late = {number: since for number, since in self._waiting.items() if now - since > LIMIT_SECONDS}
            for number in late:
                del self._waiting[number]
        for since in late.values():
            self._publish(Event(CLIENT, 0, since, now, None, f"no answer in {LIMIT_SECONDS} s", False))
