"""The experiment of a fault: load, the fault, its end, and what clients saw. It is the same on every stand.

A stand is where it is played: the laboratory of scripts/lab behind relays on this machine, or docker compose.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from .event import Event
from .outcome import Moments, Outcome
from .process import holds_within

Replica = TypeVar("Replica")
"""What a stand knows a replica by."""
ReplicaOfLoad = TypeVar("ReplicaOfLoad", covariant=True)

FIRST_ANSWER_SECONDS = 1.5
"""connect_timeout or greeting_timeout, 1 s each, and a login."""


@dataclass(frozen=True)
class Fault(Generic[Replica]):
    """A fault that can be played on a replica and undone."""

    name: str
    title: str
    play: Callable[[Replica], None]
    undo: Callable[[Replica], None]
    first_answer_limit: float = FIRST_ANSWER_SECONDS
    """Within how many seconds failover promises an answer by the primary to new clients."""
    takes_a_while: bool = False
    """Whether it takes place when `play` has returned, and not when it was called."""


class Load(Protocol[ReplicaOfLoad]):
    """The clients of one relay in front of one replica."""

    @property
    def engine(self) -> str:
        """The name of the database engine."""

    @property
    def relay(self) -> str:
        """The name of the relay."""

    @property
    def replica(self) -> ReplicaOfLoad:
        """The replica behind the relay."""

    def events(self, since: float) -> list[Event]:
        """The events that ended since then, in the order of their end."""

    def fault_lasts(self) -> None:
        """The fault has lasted for three quarters of its time."""

    def are_back(self, undone: float) -> bool:
        """Whether the clients are on the replica again."""

    def moving(self, undone: float) -> list[int]:
        """The numbers of the sessions that should come back from the primary."""

    def stop(self) -> None:
        """Starts no more clients."""

    def finish(self) -> None:
        """After `stop`: returns when every client has an answer or has been abandoned."""

    def log(self) -> str:
        """The log of the relay."""


class Stand(Protocol[Replica]):
    """Where a fault is played."""

    before_seconds: float
    """Of load, before the fault."""
    fault_seconds: float
    """How long a fault lasts."""
    back_seconds: float
    """How long it may take until all clients are back on the replica."""

    def loads(self) -> AbstractContextManager[tuple[float, Sequence[Load[Replica]]]]:
        """The clients, all served by the replicas, and when the load that counts begins."""

    def struck(self, replica: Replica, asked: float) -> float:
        """When a fault took place that was asked for, or was done, at that time."""


def play(stand: Stand[Replica], fault: Fault[Replica]) -> list[Outcome]:
    """Plays a fault on all replicas at the same time, undoes it and waits until it is overcome."""
    with stand.loads() as (start, loads):
        replicas = list(dict.fromkeys(load.replica for load in loads))
        sleep_until(start + stand.before_seconds)
        with undone(fault.undo, replicas) as undone_at:
            asked = together(fault.play, replicas)
            done = time.time()
            took_place = dict.fromkeys(replicas, done) if fault.takes_a_while else asked
            struck = {replica: stand.struck(replica, took_place[replica]) for replica in replicas}
            begun = max(struck.values())
            sleep_until(begun + stand.fault_seconds * 3 / 4)
            for load in loads:
                load.fault_lasts()
            sleep_until(begun + stand.fault_seconds)
        holds_within(stand.back_seconds, lambda: all(load.are_back(undone_at[load.replica]) for load in loads), 0.1)
        for load in loads:
            load.stop()
        for load in loads:
            load.finish()
    return [
        Outcome(
            engine=load.engine,
            fault=fault.name,
            title=fault.title,
            first_answer_limit=fault.first_answer_limit,
            relay=load.relay,
            moments=Moments(start, asked[load.replica], struck[load.replica], undone_at[load.replica]),
            events=load.events(start),
            moving=load.moving(undone_at[load.replica]),
            log=load.log(),
        )
        for load in loads
    ]


def together(work: Callable[[Replica], None], replicas: Sequence[Replica]) -> dict[Replica, float]:
    """Works on all replicas at the same time. Returns when each work began."""

    def one(replica: Replica) -> tuple[Replica, float]:
        began = time.time()
        work(replica)
        return replica, began

    with ThreadPoolExecutor() as pool:
        return dict(pool.map(one, replicas))


@contextmanager
def undone(undo: Callable[[Replica], None], replicas: Sequence[Replica]) -> Iterator[dict[Replica, float]]:
    """Undoes a fault at the end, also when the experiment fails. The yielded times, when undoing began, come then."""
    times: dict[Replica, float] = {}
    try:
        yield times
    finally:
        times.update(together(undo, replicas))


def sleep_until(moment: float) -> None:
    """Sleeps until the time of the wall clock."""
    time.sleep(max(0.0, moment - time.time()))
