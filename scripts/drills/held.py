"""Sessions that stay open: one that only asks, and one that works in transactions."""

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

from .answer import Answer, ask
from .session import PRIMARY, Session

PAUSE_SECONDS = 0.1


class HeldSession:
    """A session opened before the fault. It asks every 100 ms until its first error, and is not opened again."""

    def __init__(self, session: Session) -> None:
        self.answers: list[Answer] = []
        self.asking_since: float | None = None
        self._session = session
        self._stopping = Event()
        self._thread = Thread(target=self._ask_on, daemon=True)
        self._thread.start()

    def longest_wait(self, fault: float, undone: float) -> tuple[float, bool]:
        """How long it waited for an answer, an error or a close between the two times, and whether one came."""
        waits = [(answer.started, answer.ended) for answer in list(self.answers)]
        if (since := self.asking_since) is not None:
            waits.append((since, float("inf")))
        within = [(min(end, undone) - max(start, fault), end <= undone) for start, end in waits]
        return max((wait for wait in within if wait[0] > 0), default=(0.0, True))

    def end(self) -> None:
        """Ends it, whatever it waits for."""
        self._stopping.set()
        self._session.abort()
        self._thread.join(1)
        with suppress(Exception):
            self._session.close()

    def _ask_on(self) -> None:
        while not self._stopping.is_set():
            self.asking_since = time.monotonic()
            answer = ask(self._session.who)
            if self._stopping.is_set():
                return
            self.answers.append(answer)
            self.asking_since = None
            if answer.error:
                return
            self._stopping.wait(PAUSE_SECONDS)


class WorkingSession:
    """A session opened on the primary during the fault. It runs a transaction every 100 ms, half of the time within one:
    who closes it without looking is likely to cut one.

    It comes again whenever it is closed. Between transactions that does no harm; within one the work is lost.
    """

    def __init__(self, dial: Callable[[], Session]) -> None:
        self.transactions: list[Answer] = []
        """Those that were committed."""
        self.cut: list[Answer] = []
        """Those that began and were not committed, with the error."""
        self.refused: list[Answer] = []
        """Attempts to connect that failed."""
        self._dial = dial
        self._session: Session | None = None
        self._stopping = Event()
        self._thread = Thread(target=self._work_on, daemon=True)
        self._thread.start()

    def began_on_primary(self, undone: float) -> bool:
        """Whether it worked on the primary before the fault was undone."""
        return any(done.who == PRIMARY and done.ended < undone for done in list(self.transactions))

    def moved(self) -> float | None:
        """When it had come back to the replica, for good: the end of its first transaction there."""
        back = None
        for done in list(self.transactions):
            if done.who == PRIMARY:
                back = None
            elif back is None:
                back = done.ended
        return back

    def end(self) -> None:
        """Ends it, whatever it waits for."""
        self._stopping.set()
        if session := self._session:
            session.abort()
        self._thread.join(1)

    def _work_on(self) -> None:
        while not self._stopping.is_set():
            self._work()
            self._stopping.wait(PAUSE_SECONDS / 2)
        self._leave()

    def _work(self) -> None:
        """One transaction, after a new connection if the last one has gone."""
        if self._session is None:
            connecting = ask(self._connect)
            if connecting.error:
                self._note(self.refused, connecting)
                return
        session = self._session
        assert session is not None, "connected above"
        try:
            session.run("begin")
        except Exception:  # closed between transactions
            self._leave()
            return
        work = ask(lambda: _work_in(session))
        if work.error:
            self._note(self.cut, work)
            self._leave()
        else:
            self._note(self.transactions, work)

    def _connect(self) -> str:
        self._session = self._dial()
        return "connected"

    def _leave(self) -> None:
        session, self._session = self._session, None
        if session:
            with suppress(Exception):
                session.close()

    def _note(self, kind: list[Answer], answer: Answer) -> None:
        if not self._stopping.is_set():
            kind.append(answer)


def _work_in(session: Session) -> str:
    """What comes after `begin`."""
    session.who()
    time.sleep(PAUSE_SECONDS / 2)
    who = session.who()
    session.run("commit")
    return who
