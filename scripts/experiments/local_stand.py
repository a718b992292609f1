"""The stand on this machine: the laboratory's replica behind every relay at the same time."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock, Thread

from .clients import LIMIT_SECONDS, HeldSession, NewClients, WorkingSession
from .event import PRIMARY, TRANSACTION, Event, back_since, of_kind, sessions_back
from .local import Job, Servers, dial_replica
from .local_faults import Replica
from .process import ExperimentError, Process
from .relay import Relay, free_ports

CLIENTS_PER_SECOND = 20
SESSIONS = 5
HELD = range(1, SESSIONS + 1)
WORKING = range(SESSIONS + 1, 2 * SESSIONS + 1)
"""The numbers of the sessions."""
BEFORE_SECONDS = 2
BACK_SECONDS = 20
MOVE_SECONDS = 8
"""How long working sessions may take to move, once new clients are back."""
READY_SECONDS = 2


class LocalLoad:
    """The clients of one relay. They run in this process."""

    def __init__(self, replica: Replica, relay: str, port: int, log: Path, first: float) -> None:
        """The first new client comes at the time `first`. The held sessions are open when this returns."""
        self.engine = replica.servers.engine.name
        self.relay = relay
        self.replica = replica
        self._log = log
        self._database = replica.servers.database(port)
        self._lock = Lock()
        self._events: list[Event] = []
        self._working: list[WorkingSession] = []
        sessions = [(number, dial_replica(self._database, None)) for number in HELD]
        self._held = [HeldSession(number, session, self._database, self._publish) for number, session in sessions]
        self._clients = NewClients(self._database, self._publish, CLIENTS_PER_SECOND, LIMIT_SECONDS, first)
        Thread(target=self._clients.run, daemon=True).start()

    def events(self, since: float) -> list[Event]:
        with self._lock:
            return [event for event in self._events if event.ended >= since]

    def fault_lasts(self) -> None:
        """Opens the working sessions, on the primary. A relay that closes them blindly would cut a transaction."""
        pause = 0.05
        self._working = [WorkingSession(number, self._database, self._publish, pause) for number in WORKING]

    def are_back(self, undone: float) -> bool:
        """Whether new clients are on the replica again, and the working sessions too, unless they seem to stay."""
        events = self.events(0)
        since = back_since(events, undone)
        if since is None:
            return False
        moving = self.moving(undone)
        is_back = not moving or sessions_back(events, undone, moving) is not None
        return is_back or time.time() > since + MOVE_SECONDS

    def moving(self, undone: float) -> list[int]:
        transactions = of_kind(TRANSACTION, self.events(0))
        on_primary = (event for event in transactions if event.who == PRIMARY and event.ended < undone)
        return sorted({event.session for event in on_primary if not event.error})

    def stop(self) -> None:
        self._clients.stop()

    def finish(self) -> None:
        self._clients.wait()
        self.end_sessions()

    def end_sessions(self) -> None:
        """Ends all sessions that are still open."""
        sessions: list[HeldSession | WorkingSession] = [*self._held, *self._working]
        self._held, self._working = [], []
        for session in sessions:
            session.end()

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def _publish(self, event: Event) -> None:
        with self._lock:
            self._events.append(event)


class LocalStand:
    """The laboratory's servers of one engine, and the relays in front of them."""

    before_seconds: float = BEFORE_SECONDS
    back_seconds: float = BACK_SECONDS

    def __init__(self, servers: Servers, relays: list[Relay[Job]], seconds: int, directory: Path) -> None:
        """The load before and during a fault takes `seconds`."""
        self.fault_seconds: float = seconds - BEFORE_SECONDS
        self._servers = servers
        self._relays = relays
        self._directory = directory

    @contextmanager
    def loads(self) -> Iterator[tuple[float, list[LocalLoad]]]:
        """Starts the relays, and clients of each."""
        # The replica runs, and has caught up after an earlier fault.
        self._servers.fault("start")
        replica = Replica(self._servers, self._servers.replica_pid())
        with ExitStack() as stack:
            ports = [self._started(relay, stack) for relay in self._relays]
            start = time.time() + 1
            interval = 1 / CLIENTS_PER_SECOND / len(self._relays)
            loads = []
            for number, (relay, port) in enumerate(zip(self._relays, ports, strict=True)):
                log = relay.log(self._directory)
                load = LocalLoad(replica, relay.name, port, log, start + number * interval)
                stack.callback(load.end_sessions)
                stack.callback(load.stop)
                loads.append(load)
            yield start, loads

    def struck(self, replica: Replica, asked: float) -> float:
        """A fault takes effect at once."""
        return asked

    def _started(self, relay: Relay[Job], stack: ExitStack) -> int:
        """Starts a relay. Returns its port once the replica answers there."""
        [port] = free_ports(1)
        process: Process = stack.enter_context(relay.started(Job(self._servers, port), self._directory))
        try:
            dial_replica(self._servers.database(port), READY_SECONDS).close()
        except ExperimentError as failure:
            raise process.error(str(failure)) from failure
        return port
