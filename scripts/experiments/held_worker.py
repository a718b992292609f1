"""Workers that hold one connection each, as an application's threads do."""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event as Flag
from threading import Lock, Thread

from .event import CLOSED, CONNECT, HELD, TRANSACTION, Event, attempt
from .held_session import Asking, transact
from .process import ExperimentError, holds_within

END_SECONDS = 2
READY_SECONDS = 30


@dataclass(frozen=True)
class Habits:
    """How a worker spends its time."""

    between_seconds: float = 0.05
    """Between two reads."""
    think_seconds: tuple[float, float] = (0.05, 0.3)
    """Between the two reads of a transaction: at random, from the first to the second."""
    transactions: float = 0.2
    """The fraction of reads that are within a transaction."""
    thinks_first: bool = False
    """Whether there is such a wait before the first read too."""
    pause_seconds: tuple[float, float] = (1.0, 1.4)
    pause_every: float = 5.0
    """The mean time between two pauses, which come at random moments."""


class Events:
    """What has happened to all workers, in the order of its end."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._events: list[Event] = []

    def publish(self, event: Event) -> None:
        with self._lock:
            self._events.append(event)

    def all(self) -> list[Event]:
        with self._lock:
            return list(self._events)


class Worker:
    """Works, and pauses now and then, in a thread of its own."""

    def __init__(self, number: int, habits: Habits) -> None:
        self._number = number
        self._habits = habits
        self._random = random.Random(number)
        self._stopping = Flag()

    def start(self, events: Events) -> None:
        """Works until `end` is called."""
        self._events = events
        self._thread = Thread(target=self._work_on, daemon=True)
        self._thread.start()

    def tell_to_end(self) -> None:
        """It publishes nothing more."""
        self._stopping.set()

    def end(self) -> None:
        """Returns when it has ended, or hangs."""
        self._stopping.set()
        self._thread.join(END_SECONDS)

    def _work(self) -> None:
        """One piece of work."""
        raise NotImplementedError

    def _leave(self) -> None:
        """Gives up what it holds."""

    def _work_on(self) -> None:
        self._stopping.wait(self._random.uniform(0, self._habits.pause_seconds[1]))
        pause_at = time.monotonic() + self._next_pause()
        while not self._stopping.is_set():
            self._work()
            if time.monotonic() >= pause_at:
                self._stopping.wait(self._random.uniform(*self._habits.pause_seconds))
                pause_at = time.monotonic() + self._next_pause()
            else:
                self._stopping.wait(self._habits.between_seconds)
        self._leave()

    def _next_pause(self) -> float:
        return self._random.uniform(0.5, 1.5) * self._habits.pause_every

    def _chooses_transaction(self) -> bool:
        return self._random.random() < self._habits.transactions

    def _think(self) -> None:
        """Waits within a transaction. It is a plain sleep: a transaction that has begun is finished."""
        time.sleep(self._random.uniform(*self._habits.think_seconds))

    def _do(self, kind: str, work: Callable[[], str], publish_success: bool = True) -> bool:
        """Returns whether the work was done. After an error the worker leaves."""
        event = attempt(kind, self._number, work, lambda _: False)
        if event.error:
            self._leave()
        if (event.error or publish_success) and not self._stopping.is_set():
            self._events.publish(event)
        return event.error is None


class HeldWorker(Worker):
    """Holds one connection. It reads, alone and within transactions, and connects again after each error."""

    def __init__(
        self, number: int, dial: Callable[[], Asking], who: Callable[[tuple[object, ...]], str], habits: Habits
    ) -> None:
        """`who` says which server a place is at."""
        super().__init__(number, habits)
        self._dial = dial
        self._who = who
        self._session: Asking | None = None

    def _work(self) -> None:
        """The first piece of work connects."""
        if self._session is None:
            self._do(CONNECT, self._connect)
        else:
            self._work_in(self._session)

    def _work_in(self, session: Asking) -> None:
        if not self._chooses_transaction():
            self._do(HELD, lambda: self._who(session.place()))
        elif self._do(CLOSED, lambda: self._begin(session), publish_success=False):
            self._do(TRANSACTION, lambda: self._who(self._transact(session)))

    def _transact(self, session: Asking) -> tuple[object, ...]:
        if self._habits.thinks_first:
            self._think()
        return transact(session, self._think)

    def _begin(self, session: Asking) -> str:
        session.run("begin")
        return ""

    def _connect(self) -> str:
        self._session = self._dial()
        return self._who(self._session.place())

    def _leave(self) -> None:
        session, self._session = self._session, None
        if session:
            with suppress(Exception):
                session.close()


class WorkerLoad:
    """Workers in this process. All of them have had an answer when this is made."""

    def __init__(self, workers: Sequence[Worker], least: int) -> None:
        """`least`: how many connections are open at any time."""
        self.connections = len(workers)
        self.least = least
        self._events = Events()
        self._workers = workers
        for worker in workers:
            worker.start(self._events)
        if not holds_within(READY_SECONDS, lambda: self._answered() >= set(range(len(workers))), 0.1):
            self.stop()
            raise ExperimentError(f"only {len(self._answered())} of {len(workers)} workers got an answer")

    def events(self) -> list[Event]:
        """What happened, in the order of its end."""
        return self._events.all()

    def stop(self) -> None:
        """Ends all workers."""
        for worker in self._workers:
            worker.tell_to_end()
        for worker in self._workers:
            worker.end()

    def _answered(self) -> set[int]:
        return {event.session for event in self._events.all() if event.who}
