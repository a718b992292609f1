"""Sessions that stay open and work in transactions, half of the time within one."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from .database import Database, Session
from .event import CLOSED, CONNECT, TRANSACTION, Event, attempt

COUNT = 4
PAUSE_SECONDS = 0.1


class OpenSession:
    """Comes again whenever it is closed. Between transactions that does no harm; within one the work is lost."""

    def __init__(self, number: int, database: Database, publish: Callable[[Event], None]) -> None:
        self._number = number
        self._database = database
        self._publish = publish
        self._session: Session | None = None
        self._who: str | None = None

    def work(self) -> None:
        """For ever."""
        while True:
            if self._session is None:
                self._do(CONNECT, self._connect)
            else:
                self._transaction(self._session)
            time.sleep(PAUSE_SECONDS)

    def _transaction(self, session: Session) -> None:
        begun = self._do(CLOSED, lambda: self._run(session, "begin"), publish_success=False)
        if begun:
            self._do(TRANSACTION, lambda: self._work_in(session))

    def _do(self, kind: str, work: Callable[[], str], publish_success: bool = True) -> bool:
        """Whether it went well."""
        event = attempt(kind, self._number, work, self._database.told)
        if event.error:
            event = replace(event, who=self._who)
            self._leave()
        if event.error or publish_success:
            self._publish(event)
        return event.error is None

    def _connect(self) -> str:
        self._session = self._database.dial()
        self._who = self._session.who()
        return self._who

    def _run(self, session: Session, statement: str) -> str:
        session.run(statement)
        return self._who or ""

    def _work_in(self, session: Session) -> str:
        """What comes after `begin`."""
        session.who()
        time.sleep(PAUSE_SECONDS)
        who = session.who()
        session.run("commit")
        return who

    def _leave(self) -> None:
        session, self._session = self._session, None
        if session:
            with suppress(Exception):
                session.close()
