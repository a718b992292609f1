"""New clients, one after another at a steady pace, none of which waits for another."""

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Lock, Thread

from .answer import Answer, ask

CLIENTS_PER_SECOND = 20
CLIENT_SECONDS = 8
"""How long a client waits before it counts as failed."""
NO_ANSWER = f"no answer in {CLIENT_SECONDS} s"


class Load:
    """The new clients of one relay. `question` is all that a client does."""

    def __init__(self, question: Callable[[], str], first: float) -> None:
        """The first client starts at the time `first`."""
        self._question = question
        self._first = first
        self._stopping = Event()
        self._lock = Lock()
        self._waiting: dict[int, float] = {}
        self._answers: list[Answer] = []
        self._pacer = Thread(target=self._start_clients, daemon=True)
        self._pacer.start()

    def answers(self) -> list[Answer]:
        """In the order in which they came in."""
        with self._lock:
            return list(self._answers)

    def stop(self) -> None:
        """Starts no more clients."""
        self._stopping.set()
        self._pacer.join()

    def wait_for_clients(self) -> None:
        """After `stop`: returns when every client has an answer, an error or waited for too long."""
        while self._youngest_wait() < CLIENT_SECONDS:
            time.sleep(0.02)
        with self._lock:
            for started in self._waiting.values():
                self._answers.append(Answer(started, CLIENT_SECONDS, None, NO_ANSWER))
            self._waiting.clear()

    def _youngest_wait(self) -> float:
        """How long the youngest client that still waits has been waiting; a whole client's time if none does."""
        with self._lock:
            return time.monotonic() - max(self._waiting.values()) if self._waiting else CLIENT_SECONDS

    def _start_clients(self) -> None:
        number = 0
        while not self._stopping.wait(max(0, self._first + number / CLIENTS_PER_SECOND - time.monotonic())):
            # A client that nothing wakes any more must not keep the drill from ending: a daemon.
            Thread(target=self._client, args=(number,), daemon=True).start()
            number += 1

    def _client(self, number: int) -> None:
        with self._lock:
            self._waiting[number] = time.monotonic()
        answer = ask(self._question)
        if answer.seconds > CLIENT_SECONDS:
            answer = replace(answer, seconds=CLIENT_SECONDS, who=None, error=NO_ANSWER)
        with self._lock:
            if self._waiting.pop(number, None) is not None:
                self._answers.append(answer)
