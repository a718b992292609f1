"""A service that moves no route: a memcached is killed, the pager is told, clients notice nothing."""

import json
import sys
import time
from dataclasses import dataclass

from load.event import CLIENT

from .compose import container, engine, run
from .load import holds_within
from .outcome import Count, failed
from .play import Stage

TITLE = "memcached"
SERVICE = "cache"
TOLD_SECONDS = 15


@dataclass(frozen=True)
class Notice:
    """What the pager was told, and when; and the database's clients meanwhile."""

    outage: dict[str, object] | None
    outage_after: float
    recovery: dict[str, object] | None
    recovery_after: float
    clients: Count


def play_notice(stage: Stage) -> Notice:
    """Kills one memcached and starts it again."""
    print("drill: a memcached killed", file=sys.stderr, flush=True)
    stage.settle()
    killed = time.time()
    engine("kill", "memcached-1")
    try:
        outage, outage_after = _told("outage", killed)
    finally:
        started = time.time()
        engine("start", "memcached-1")
    recovery, recovery_after = _told("recovery", started)
    clients = [e for load in stage.loads for e in load.events(killed) if e.kind == CLIENT]
    return Notice(outage, outage_after, recovery, recovery_after, failed(clients))


def _told(event: str, since: float) -> tuple[dict[str, object] | None, float]:
    """The pager's line, and after how many seconds it came."""
    holds_within(TOLD_SECONDS, lambda: _find(event, since) is not None)
    return _find(event, since), time.time() - since


def _find(event: str, since: float) -> dict[str, object] | None:
    for line in run("docker", "logs", "--since", f"{since:.3f}", container("pager")).splitlines():
        told = json.loads(line)
        if told["service"] == SERVICE and told["event"] == event:
            return told
    return None
