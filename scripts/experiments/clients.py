"""Clients of a database: new ones at a steady pace, sessions that only ask, sessions that work in transactions."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from threading import Condition, Thread
from threading import Event as Flag

from .database import Database, Session
from .event import CLIENT, CLOSED, CONNECT, HELD, TRANSACTION, Event, attempt

LIMIT_SECONDS = 8
"""How long a new client waits before it counts as failed."""
NO_ANSWER = f"no answer in {LIMIT_SECONDS} s"
PAUSE_SECONDS = 0.1
TRANSACTIONS_BETWEEN_RESTS = 10
REST_SECONDS = 1.2
"""How often and how long a working session rests, as one of a pool does. A drain waits for that."""
END_SECONDS = 1

Publish = Callable[[Event], None]


class NewClients:
    """Clients that connect, ask one question and leave. None of them waits for another."""

    def __init__(
        self, database: Database, publish: Publish, per_second: int, limit: float | None, first: float
    ) -> None:
        """The first client starts at the time `first`. `limit` is that of a session; see `Database.dial`."""
        self._database = database
        self._publish = publish
        self._per_second = per_second
        self._limit = limit
        self._first = first
        self._stopping = Flag()
        self._changed = Condition()
        self._waiting: dict[int, float] = {}

    def run(self) -> None:
        """Starts clients until `stop` is called."""
        number = 0
        while not self._stopping.wait(max(0.0, self._first + number / self._per_second - time.time())):
            # A daemon: a client that waits without end must not keep the program from ending.
            Thread(target=self._client, args=(number,), daemon=True).start()
            number += 1
            self._give_up(time.time())

    def stop(self) -> None:
        """Starts no more clients."""
        self._stopping.set()

    def wait(self) -> None:
        """After `stop`: returns when each client has an answer or an error, or has waited for LIMIT_SECONDS."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, LIMIT_SECONDS)
        self._give_up(float("inf"))

    def _client(self, number: int) -> None:
        with self._changed:
            self._waiting[number] = time.time()
        event = attempt(CLIENT, 0, lambda: self._database.ask(self._limit), self._database.told)
        with self._changed:
            given_up = self._waiting.pop(number, None) is None
        if not given_up:
            self._publish(_late(event.started) if event.seconds > LIMIT_SECONDS else event)
        with self._changed:
            self._changed.notify_all()

    def _give_up(self, now: float) -> None:
        """Counts the clients that have waited for too long as failed."""
        with self._changed:
            late = {number: since for number, since in self._waiting.items() if now - since > LIMIT_SECONDS}
            for number in late:
                del self._waiting[number]
        for since in late.values():
            self._publish(_late(since))


def _late(started: float) -> Event:
    return Event(CLIENT, 0, started, started + LIMIT_SECONDS, None, NO_ANSWER, False)


class HeldSession:
    """An open session that asks every 100 ms until its first error. It is not opened again."""

    def __init__(self, number: int, session: Session, database: Database, publish: Publish) -> None:
        self._number = number
        self._session = session
        self._database = database
        self._publish = publish
        self._asking_since: float | None = None
        self._stopping = Flag()
        self._thread = Thread(target=self._ask_on, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ends it. A question without an answer is published as an error that comes now."""
        self._stopping.set()
        self._session.abort()
        self._thread.join(END_SECONDS)
        if self._thread.is_alive() and (since := self._asking_since) is not None:
            self._publish(Event(HELD, self._number, since, time.time(), None, "no answer until the end", False))
        with suppress(Exception):
            self._session.close()

    def _ask_on(self) -> None:
        while not self._stopping.is_set():
            self._asking_since = time.time()
            event = attempt(HELD, self._number, self._session.who, self._database.told)
            self._asking_since = None
            self._publish(event)
            if event.error:
                return
            self._stopping.wait(PAUSE_SECONDS)


class WorkingSession:
    """A session that works in transactions, is within one half of the time, and rests now and then.

    It connects again when it is closed. Between transactions a close does no harm; within one the work is lost.
    """

    def __init__(self, number: int, database: Database, publish: Publish, pause: float = PAUSE_SECONDS) -> None:
        """It pauses for `pause` seconds within each transaction, and as long between two of them."""
        self._number = number
        self._database = database
        self._publish = publish
        self._pause = pause
        self._session: Session | None = None
        self._who: str | None = None
        self._stopping = Flag()
        self._thread = Thread(target=self._work_on, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ends it. What it waits for is not published."""
        self._stopping.set()
        if session := self._session:
            session.abort()
        self._thread.join(END_SECONDS)

    def _work_on(self) -> None:
        done = 0
        while not self._stopping.is_set():
            if self._session is None:
                self._do(CONNECT, self._connect)
            else:
                self._transaction(self._session)
                done += 1
            self._stopping.wait(self._pause if (done + self._number) % TRANSACTIONS_BETWEEN_RESTS else REST_SECONDS)
        self._leave()

    def _transaction(self, session: Session) -> None:
        if self._do(CLOSED, lambda: self._begin(session), publish_success=False):
            self._do(TRANSACTION, lambda: self._work_in(session))

    def _do(self, kind: str, work: Callable[[], str], publish_success: bool = True) -> bool:
        """Returns whether the work was done. After an error the session is closed."""
        event = attempt(kind, self._number, work, self._database.told)
        if event.error:
            event = replace(event, who=self._who)
            self._leave()
        if (event.error or publish_success) and not self._stopping.is_set():
            self._publish(event)
        return event.error is None

    def _connect(self) -> str:
        self._session = self._database.dial()
        self._who = self._session.who()
        return self._who

    def _begin(self, session: Session) -> str:
        session.run("begin")
        return self._who or ""

    def _work_in(self, session: Session) -> str:
        """What follows `begin`."""
        session.who()
        time.sleep(self._pause)
        who = session.who()
        session.run("commit")
        return who

    def _leave(self) -> None:
        session, self._session = self._session, None
        if session:
            with suppress(Exception):
                session.close()
