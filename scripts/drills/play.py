"""One fault, played once before all relays at the same time."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from .fault import Fault
from .held import HeldSession, WorkingSession
from .load import CLIENT_SECONDS, CLIENTS_PER_SECOND, Load
from .outcome import Moments, Outcome, back_since
from .relay import Relay
from .stand import Stand

SESSIONS = 5
BEFORE_SECONDS = 2
"""Of the load, before the fault."""
BACK_SECONDS = 20
"""How long a relay may take to lead to the replica again."""
MOVE_SECONDS = 3
"""How long working sessions are waited for, once new clients are back."""


class Clients:
    """Everybody who comes through one relay."""

    def __init__(self, stand: Stand, port: int, first: float) -> None:
        """The first new client comes at the time `first`; the held sessions are open when this returns."""
        self._dial = partial(stand.dial, port, limit=None)
        self.held = [HeldSession(stand.dial_replica(port, None)) for _ in range(SESSIONS)]
        self.load = Load(partial(stand.ask, port, CLIENT_SECONDS), first)
        self.working: list[WorkingSession] = []

    def open_working_sessions(self) -> None:
        self.working = [WorkingSession(self._dial) for _ in range(SESSIONS)]

    def are_back(self, undone: float) -> bool:
        """Whether new clients are on the replica again, and the working sessions too, unless they seem to stay."""
        since = back_since(self.load.answers(), undone)
        if since is None:
            return False
        on_primary = [session for session in self.working if session.began_on_primary(undone)]
        return all(session.moved() for session in on_primary) or time.monotonic() > since + MOVE_SECONDS

    def end_sessions(self) -> None:
        for held in self.held:
            held.end()
        for working in self.working:
            working.end()


def play(stand: Stand, fault: Fault, relays: list[Relay], seconds: int, directory: Path) -> list[Outcome]:
    """Plays `fault` for so long that the load before and during it takes `seconds`; then waits until it is overcome."""
    stand.fault("start")  # the replica runs, and has caught up with what the fault before this one made it miss
    pid = stand.replica_pid()
    with ExitStack() as stack:
        ports = [stack.enter_context(relay.started(stand, directory)) for relay in relays]
        start = time.monotonic() + 1
        interval = 1 / CLIENTS_PER_SECOND / len(relays)
        clients = [Clients(stand, port, start + number * interval) for number, port in enumerate(ports)]
        for some in clients:
            stack.callback(some.end_sessions)
            stack.callback(some.load.stop)
        _sleep_until(start + BEFORE_SECONDS)
        with _undone(stand, fault):
            fault_at = time.monotonic()
            fault.play(stand, pid)
            _sleep_until(start + BEFORE_SECONDS + (seconds - BEFORE_SECONDS) * 3 / 4)
            for some in clients:
                some.open_working_sessions()
            _sleep_until(start + seconds)
            undone_at = time.monotonic()
        while time.monotonic() < undone_at + BACK_SECONDS and not all(some.are_back(undone_at) for some in clients):
            time.sleep(0.1)
        for some in clients:
            some.load.stop()
        for some in clients:
            some.load.wait_for_clients()
    moments = Moments(start, fault_at, undone_at)
    return [
        Outcome(
            engine=stand.engine,
            fault=fault,
            relay=relay.name,
            moments=moments,
            answers=some.load.answers(),
            held=some.held,
            working=some.working,
            log=(directory / f"{relay.name}.log").read_text(errors="replace"),
        )
        for relay, some in zip(relays, clients, strict=True)
    ]


@contextmanager
def _undone(stand: Stand, fault: Fault) -> Iterator[None]:
    """Undoes the fault at the end, also of a drill that is broken off."""
    try:
        yield
    finally:
        fault.undo(stand)


def _sleep_until(moment: float) -> None:
    time.sleep(max(0, moment - time.monotonic()))
