"""With Docker Compose: no server is left to serve clients. They can only get the reason."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from .compose import engine, in_load
from .compose_stand import BACK_SECONDS, ComposeStand, Engine, FollowedLoad, all_back, await_all
from .event import CLIENT, PRIMARY, Count, Event, back_since, failed, of_kind
from .outcome import plain
from .play import sleep_until, together, undone
from .process import ExperimentError, holds_within
from .report import Column, Promise, seconds_text

Result = TypeVar("Result")

MOVED_SECONDS = 10
"""How long the primaries may take to answer."""
TOLD_SECONDS = 6.5
"""No client is refused before both servers were tried once more, each for up to three times `connect_timeout`."""


@dataclass(frozen=True)
class Hopeless:
    """Takes the primary away while the replica is down already. Gives it back at the end of the context."""

    name: str
    title: str
    play: Callable[[Engine], AbstractContextManager[None]]


@contextmanager
def _down(of: Engine) -> Iterator[None]:
    engine("kill", of.primary)
    try:
        yield
    finally:
        engine("start", of.primary)


@contextmanager
def _full(of: Engine) -> Iterator[None]:
    """Other clients take every connection of the primary."""
    argv = in_load(of.load, "fill", *of.arguments)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as others:
        assert others.stdin is not None and others.stdout is not None, "pipes were asked for"
        if others.stdout.readline().strip() != "full":
            raise ExperimentError(f"{of.primary} could not be filled")
        try:
            yield
        finally:
            others.stdin.close()
            others.stdout.read()


HOPELESS = [
    Hopeless("full", "replica killed, primary full", _full),
    Hopeless("both", "replica and primary killed", _down),
]


@dataclass(frozen=True)
class HopelessOutcome:
    """Clients while no server could serve them, and afterwards."""

    engine: str
    title: str
    since: float
    until: float
    """When giving the primary back began."""
    served: float | None
    """When the primary answered a new client again."""
    back: float | None
    """When the replica, which was put back later, answered."""
    events: list[Event]

    def during(self) -> list[Event]:
        """The clients that came while no server could serve."""
        clients = of_kind(CLIENT, self.events)
        return [event for event in clients if self.since <= event.started and event.ended < self.until]

    def told(self) -> int:
        """Clients that read the reason, in the database's own protocol."""
        return sum(event.told for event in self.during())

    def untold(self) -> list[Event]:
        """Clients whose connection broke, or that got no answer."""
        return [event for event in self.during() if event.error and not event.told]

    def worst_wait(self) -> float:
        """In seconds."""
        return max((event.seconds for event in self.during()), default=0)

    def failed_after(self) -> Count:
        """Of the clients that came once the primary had answered one again."""
        clients = of_kind(CLIENT, self.events)
        return failed(event for event in clients if self.served and event.started >= self.served)

    def example(self) -> str:
        """What one of them read."""
        return next((event.error for event in self.during() if event.told and event.error), "nothing")

    def raw(self) -> dict[str, object]:
        """For JSON. Times are in seconds from the moment when no server could serve."""
        times = {"until": self.until, "served": self.served, "back": self.back}
        relative = {name: moment and round(moment - self.since, 4) for name, moment in times.items()}
        events = plain(self.events, self.since)
        return {"engine": self.engine, "title": self.title, "since": 0.0, **relative, "events": events}


COLUMNS: list[Column[HopelessOutcome]] = [
    Column("no server available", lambda outcome: outcome.title),
    Column("database", lambda outcome: outcome.engine),
    Column("got the reason", lambda outcome: f"{outcome.told()} of {len(outcome.during())}"),
    Column("got no reason", lambda outcome: str(len(outcome.untold()))),
    Column("worst wait", lambda outcome: seconds_text(outcome.worst_wait())),
    Column("served again", lambda outcome: seconds_text(outcome.served and outcome.served - outcome.until)),
    Column("failed after that", lambda outcome: str(outcome.failed_after())),
]


def _miss_told(outcome: HopelessOutcome) -> str | None:
    untold = outcome.untold()
    if outcome.told() > 0 and not untold:
        return None
    return f"{len(untold)} got no reason: {untold[0].error if untold else ''}"


def _miss_soon(outcome: HopelessOutcome) -> str | None:
    return None if outcome.worst_wait() <= TOLD_SECONDS else seconds_text(outcome.worst_wait())


def _miss_served(outcome: HopelessOutcome) -> str | None:
    return None if outcome.served is not None else "never"


def _miss_after(outcome: HopelessOutcome) -> str | None:
    return str(outcome.failed_after()) if outcome.failed_after().failed else None


PROMISES = [
    Promise("without a server, each client gets the reason in its database's own protocol", _miss_told),
    Promise(f"each gets it within {TOLD_SECONDS:g} s", _miss_soon),
    Promise("a primary that is back serves them again", _miss_served),
    Promise("once one client is served, all are", _miss_after),
]


def play_hopeless(stand: ComposeStand, hopeless: Hopeless) -> list[HopelessOutcome]:
    """Kills the replicas. Once the primaries serve, takes these away too. Then puts back one after the other."""
    with stand.loads() as (start, loads):
        sleep_until(start + stand.before_seconds)
        replicas = [load.replica for load in loads]
        with undone(lambda replica: engine("start", replica), replicas) as replica_back:
            killed = together(lambda replica: engine("kill", replica), replicas)
            await_all(
                "the primaries serve",
                MOVED_SECONDS,
                lambda: all(load.served_by_primary(killed[load.replica]) for load in loads),
            )
            windows = _at_once(lambda load: _window(hopeless, load.services, stand.fault_seconds), loads)
            served = _at_once(lambda load: _served_since(load, windows[load.replica][1]), loads)
            time.sleep(1)
        holds_within(BACK_SECONDS, lambda: all_back(loads, max(replica_back.values())), 0.1)
    return [
        HopelessOutcome(
            engine=load.engine,
            title=hopeless.title,
            since=windows[load.replica][0],
            until=windows[load.replica][1],
            served=served[load.replica],
            back=back_since(load.events(start), replica_back[load.replica]),
            events=load.events(start),
        )
        for load in loads
    ]


def _at_once(work: Callable[[FollowedLoad], Result], loads: Sequence[FollowedLoad]) -> dict[str, Result]:
    """Works on all loads at the same time. Returns the results by replica."""
    with ThreadPoolExecutor() as pool:
        return dict(pool.map(lambda load: (load.replica, work(load)), loads))


def _window(hopeless: Hopeless, of: Engine, seconds: float) -> tuple[float, float]:
    """The time during which no server served: beginning and end."""
    with hopeless.play(of):
        since = time.time()
        time.sleep(seconds)
        return since, time.time()


def _served_since(load: FollowedLoad, until: float) -> float | None:
    """When the primary answered a new client that came after that time."""

    def answers() -> list[float]:
        answered = (event for event in load.clients(until) if event.who == PRIMARY and event.started >= until)
        return [event.ended for event in answered]

    holds_within(BACK_SECONDS, lambda: bool(answers()), 0.1)
    return min(answers(), default=None)
