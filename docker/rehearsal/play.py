"""One fault, played on both engines at the same time."""

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Self

from .compose import engine, struck
from .fault import Fault
from .hopeless import Hopeless
from .load import ENGINES, Engine, Load, await_all, holds_within
from .outcome import HopelessOutcome, Outcome

BEFORE_SECONDS = 2
"""Of load that is looked at before a fault."""
FAULT_SECONDS = 6
"""How long a fault lasts."""
MOVED_SECONDS = 10
"""How long the primaries may take to answer, before the drill gives up."""
BACK_SECONDS = 45
"""How long putting back may take: servers start, and catch up."""


class Stage:
    """The laboratory's loads, followed."""

    def __enter__(self) -> Self:
        self.loads = [Load(each) for each in ENGINES]
        return self

    def __exit__(self, *_: object) -> None:
        for load in self.loads:
            load.stop()

    def settle(self) -> float:
        """Waits until the replicas serve everybody. Returns since when the load is looked at."""
        since = time.time()

        def settled() -> bool:
            return all(load.is_settled(since) for load in self.loads)

        await_all("the replicas serve all clients", BACK_SECONDS, settled)
        start = time.time()
        time.sleep(BEFORE_SECONDS)
        return start


def play(stage: Stage, fault: Fault) -> list[Outcome]:
    """Plays a fault for a while, undoes it and waits until all is as before."""
    _say(fault.title)
    start = stage.settle()
    with ThreadPoolExecutor() as pool:
        with _undone(pool, lambda load: fault.undo(load.engine.replica), stage.loads) as undone_at:
            asked = _each(pool, lambda load: fault.play(load.engine.replica), stage.loads)
            struck_at = {load: struck(load.engine.replica, asked[load]) for load in stage.loads}
            time.sleep(FAULT_SECONDS)
    holds_within(BACK_SECONDS, lambda: all(load.is_settled(undone_at[load]) for load in stage.loads))
    return [
        Outcome(
            engine=load.engine,
            title=fault.title,
            asked=asked[load],
            fault=struck_at[load],
            undone=undone_at[load],
            back=load.back_since(undone_at[load]),
            sessions_back=load.sessions_back(undone_at[load]),
            events=load.events(start),
        )
        for load in stage.loads
    ]


def play_hopeless(stage: Stage, hopeless: Hopeless) -> list[HopelessOutcome]:
    """Kills the replicas; once the primaries serve, takes these away too; then puts back one after the other."""
    _say(hopeless.title)
    start = stage.settle()
    killed: dict[Load, float] = {}

    def moved() -> bool:
        return all(load.served_by_primary(killed[load]) for load in stage.loads)

    with ThreadPoolExecutor() as pool:
        with _undone(pool, lambda load: engine("start", load.engine.replica), stage.loads) as replica_back:
            killed |= _each(pool, lambda load: engine("kill", load.engine.replica), stage.loads)
            await_all("the primaries serve", MOVED_SECONDS, moved)
            windows = dict(pool.map(lambda load: (load, _window(hopeless, load.engine)), stage.loads))
            served = dict(pool.map(lambda load: (load, _served_since(load, windows[load][1])), stage.loads))
            time.sleep(1)
    holds_within(BACK_SECONDS, lambda: all(load.is_settled(replica_back[load]) for load in stage.loads))
    return [
        HopelessOutcome(
            engine=load.engine,
            title=hopeless.title,
            since=windows[load][0],
            until=windows[load][1],
            served=served[load],
            back=load.back_since(replica_back[load]),
            events=load.events(start),
        )
        for load in stage.loads
    ]


def _window(hopeless: Hopeless, of: Engine) -> tuple[float, float]:
    """From when until when nobody served."""
    with hopeless.play(of):
        since = time.time()
        time.sleep(FAULT_SECONDS)
        return since, time.time()


def _served_since(load: Load, until: float) -> float | None:
    """When the primary answered a new client that came after that."""

    def first() -> float | None:
        ends = [e.ended for e in load.events(until) if e.kind == "client" and e.who == "primary" and e.started >= until]
        return min(ends, default=None)

    holds_within(BACK_SECONDS, lambda: first() is not None)
    return first()


def _each(pool: ThreadPoolExecutor, work: Callable[[Load], None], loads: list[Load]) -> dict[Load, float]:
    """Works on all at the same time. Returns when each began."""

    def one(load: Load) -> tuple[Load, float]:
        began = time.time()
        work(load)
        return load, began

    return dict(pool.map(one, loads))


@contextmanager
def _undone(pool: ThreadPoolExecutor, undo: Callable[[Load], None], loads: list[Load]) -> Iterator[dict[Load, float]]:
    """Undoes a fault at the end, also of a drill that is broken off. Fills in when."""
    times: dict[Load, float] = {}
    try:
        yield times
    finally:
        times.update(_each(pool, undo, loads))


def _say(text: str) -> None:
    print(f"drill: {text}", file=sys.stderr, flush=True)
