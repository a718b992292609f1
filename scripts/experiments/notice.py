"""With Compose: a memcached is killed. No route moves: the pager gets events, clients of databases notice nothing."""

import json
import time
from dataclasses import dataclass
from typing import Any

from .compose import container, engine, run
from .compose_stand import ComposeStand
from .event import Count, failed
from .play import sleep_until
from .process import holds_within
from .report import Verdict

TITLE = "memcached"
SERVICE = "cache"
TOLD_SECONDS = 15


@dataclass(frozen=True)
class Told:
    """The event of an outage or a recovery that the pager got, and after how many seconds. `event` is None if none."""

    name: str
    event: dict[str, Any] | None
    after: float

    def line(self) -> str:
        """The line of the report."""
        told = f"after {self.after:.1f} s `{self.event['message']}`" if self.event else "nothing"
        detail = f", {self.event['detail']}" if self.event and self.event.get("detail") else ""
        return f"* the pager received the {self.name}: {told}{detail}"


@dataclass(frozen=True)
class Notice:
    """The events that the pager got, and the clients of the databases meanwhile."""

    told: list[Told]
    clients: Count

    def lines(self) -> list[str]:
        """The lines of the report."""
        first = f"A memcached killed: {self.clients} clients of the databases failed."
        return [first, *(told.line() for told in self.told)]

    def verdicts(self) -> list[Verdict]:
        """The promises of failover about it."""
        untold = [told.name for told in self.told if not told.event]
        return [
            Verdict("outage and recovery of a service without a route are sent to the pager", untold),
            Verdict("no database client fails meanwhile", [str(self.clients)] if self.clients.failed else []),
        ]


def play_notice(stand: ComposeStand) -> Notice:
    """Kills one memcached and starts it again."""
    with stand.loads() as (start, loads):
        sleep_until(start + stand.before_seconds)
        killed = time.time()
        engine("kill", "memcached-1")
        try:
            outage = _told("outage", killed)
        finally:
            started = time.time()
            engine("start", "memcached-1")
        recovery = _told("recovery", started)
        clients = [event for load in loads for event in load.clients(killed)]
    return Notice([outage, recovery], failed(clients))


def _told(name: str, since: float) -> Told:
    """Waits until the pager has the event, TOLD_SECONDS at most."""
    holds_within(TOLD_SECONDS, lambda: _find(name, since) is not None, 0.1)
    return Told(name, _find(name, since), time.time() - since)


def _find(name: str, since: float) -> dict[str, Any] | None:
    for line in run("docker", "logs", "--since", f"{since:.3f}", container("pager")).splitlines():
        event: dict[str, Any] = json.loads(line)
        if event["service"] == SERVICE and event["event"] == name:
            return event
    return None
