"""failover in front of a replica and its primary, as the experiments with held sessions use it."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .admin import AdminClient
from .local import Job, Servers, with_failover
from .local_faults import FAULTS, Replica
from .process import ExperimentError, Process
from .relay import Relay, failover, free_ports

ROUTE = REPLICA_ALIAS = "slave"
PRIMARY_ALIAS = "default"
READY_SECONDS = 20
KILL = next(fault for fault in FAULTS if fault.name == "kill")
KEYS = ("drain_rate", "drain_deadline", "drain_idle", "drain_busy_after", "attest")
MARGIN_SECONDS = 2


Route = dict[str, Any]
"""A route as the API shows it."""


@dataclass(frozen=True)
class Drain:
    """How the route closes sessions on the primary when the replica is back."""

    idle: float
    """After so many seconds without a byte a session is closed first."""
    busy_after: float
    """After so many seconds sessions that are never that quiet are closed too, between transactions."""
    rate: int
    """Sessions that are closed per second."""
    deadline: float
    """After so many seconds all others are closed too, also within transactions. 0 is never."""
    attest: bool
    """Whether the server is asked which sessions are at a transaction boundary."""
    is_old: bool
    """Whether the binary knows the rate and the deadline alone."""

    def keys(self) -> list[str]:
        """The lines of a route's configuration."""
        keys = {"drain_rate": str(self.rate), "drain_deadline": f"{self.deadline * 1000:.0f}ms"}
        if not self.is_old:
            keys["drain_idle"] = f"{self.idle * 1000:.0f}ms"
            keys["drain_busy_after"] = f"{self.busy_after * 1000:.0f}ms"
            keys["attest"] = "true" if self.attest else "false"
        return [f"    {key}: {value}\n" for key, value in keys.items()]

    def bar(self, sessions: int) -> float:
        """Within how many seconds all sessions have to be back on the replica."""
        return self.busy_after + sessions / self.rate + MARGIN_SECONDS


class HeldRoute:
    """A running failover with one route from the replica to the primary."""

    def __init__(self, servers: Servers, port: int, process: Process, folder: Path) -> None:
        self.servers = servers
        self.port = port
        self._process = process
        self.folder = folder

    def sessions(self) -> dict[str, int]:
        """How many sessions each alias serves now."""
        return {alias["name"]: alias["sessions"] for alias in self._route()["aliases"]}

    def serving(self) -> str | None:
        """The alias that new sessions go to."""
        alias: str | None = self._route()["current_alias"]
        return alias

    def leads_to_replica(self) -> bool:
        """Whether it listens, and new sessions go to the replica."""
        with suppress(OSError):
            return self.serving() == REPLICA_ALIAS
        return False

    def recovered(self, since: float) -> float | None:
        """When it noticed that the replica is back, after `since`: a time of the wall clock."""
        return self._moment("recovery", since)

    def drain(self) -> None:
        """Takes the replica out of service."""
        self._post(f"/api/v1/aliases/{REPLICA_ALIAS}/drain", {})

    def undrain(self) -> None:
        """Puts it back."""
        self._post(f"/api/v1/aliases/{REPLICA_ALIAS}/undrain", {})

    def close_sessions(self, alias: str) -> None:
        """Closes the sessions of an alias at once."""
        self._post("/api/v1/sessions/close", {"route": ROUTE, "alias": alias})

    def kill_replica(self) -> float:
        """Kills the replica. Returns when."""
        replica = Replica(self.servers, self.servers.replica_pid())
        asked = time.time()
        KILL.play(replica)
        return asked

    def start_replica(self) -> float:
        """Starts the replica, and returns when that began, as soon as it answers and has caught up."""
        began = time.time()
        self.servers.fault("start")
        return began

    def log(self) -> str:
        """What failover has logged."""
        return self._process.log.read_text(errors="replace")

    def _get(self, path: str) -> str:
        # A connection that stays open is closed by the server when it is idle.
        with closing(AdminClient.over_unix_socket(self.folder / "admin")) as admin:
            return admin.get(path)

    def _post(self, path: str, body: dict[str, str]) -> None:
        with closing(AdminClient.over_unix_socket(self.folder / "admin")) as admin:
            admin.post(path, body)

    def _route(self) -> Route:
        routes: list[Route] = json.loads(self._get("/api/v1/status"))["routes"]
        return routes[0]

    def _moment(self, kind: str, since: float) -> float | None:
        events = json.loads(self._get("/api/v1/events?limit=100"))["events"]
        times = [_seconds(event["time"]) for event in events if event["kind"] == kind]
        return min((moment for moment in times if moment >= since), default=None)


def _seconds(text: str) -> float:
    """A time of the API as a time of the wall clock."""
    return datetime.fromisoformat(text).timestamp()


def configuration(job: Job, drain: Drain, socket: Path) -> str:
    """The shipped example with an admin plane, and with these values of the route in place of the shipped ones."""
    text = re.sub(rf"^    (?:{'|'.join(KEYS)}):.*\n", "", with_failover(job), flags=re.MULTILINE)
    text, count = re.subn(
        r"^    listen: .*\n", lambda found: str(found[0]) + "".join(drain.keys()), text, flags=re.MULTILINE
    )
    if count != 1:
        raise ExperimentError(f"the shipped example has {count} routes, not one")
    return f'admin: {{listen: ["unix:{socket}"]}}\n{text}'


@contextmanager
def held_route(binary: Path, servers: Servers, drain: Drain, folder: Path) -> Iterator[HeldRoute]:
    """Runs failover. Its route leads to the replica when this is entered."""
    servers.fault("start")
    [port] = free_ports(1)
    socket = folder / "admin"
    relay: Relay[Job] = Relay("failover", lambda job: configuration(job, drain, socket), failover(binary))
    with relay.started(Job(servers, port), folder) as process:
        route = HeldRoute(servers, port, process, folder)
        process.wait_until(READY_SECONDS, route.leads_to_replica, "does not lead to the replica")
        yield route
