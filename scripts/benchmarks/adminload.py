"""What clients do to the admin plane while the data plane is measured, in a process of their own: the interpreter runs
one thread at a time, and the one that measures must not wait for them."""

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from multiprocessing.connection import Connection
from typing import ClassVar, Protocol

from .adminclient import AdminClient, deaf_follower, is_served
from .process import BenchmarkError
from .relay import Administration

REQUESTS_PER_SECOND = 10
ACTIONS_PER_SECOND = 5
FLOOD_PER_SECOND = 50
FOLLOWERS = 200
START_SECONDS = 60
STOP_SECONDS = 15

Counts = dict[str, float]


class Load(Protocol):
    """Clients that do something so many times a second."""

    RATE: ClassVar[int]

    def act(self, number: int) -> None:
        """What they do for the time of this number, from 0."""

    def counts(self) -> Counts:
        """What is to be told of them."""


class Asking:
    """One client asks for the status, the metrics and the events by turns, as Prometheus and a person would."""

    RATE: ClassVar[int] = REQUESTS_PER_SECOND
    PATHS = ("/api/v1/status", "/metrics", "/api/v1/events")

    def __init__(self, administration: Administration) -> None:
        self._client = AdminClient.over_tcp(administration)
        # The first answer of each kind loads code, once in the life of a process.
        for path in self.PATHS:
            self._client.get(path)

    def act(self, number: int) -> None:
        self._client.get(self.PATHS[number % len(self.PATHS)])

    def counts(self) -> Counts:
        return {}


class Following:
    """Many clients follow events and never read, while an operator makes some through the other listener."""

    RATE: ClassVar[int] = ACTIONS_PER_SECOND
    ROUTE, ALIAS = "memcached", "cache"

    def __init__(self, administration: Administration) -> None:
        self._operator = AdminClient.over_unix_socket(administration)
        self._followers = [deaf_follower(administration) for _ in range(FOLLOWERS)]
        self._served = sum(map(is_served, self._followers))
        if self._served == 0:
            raise BenchmarkError("every follower of events was closed")

    def act(self, number: int) -> None:
        action, body = ("release", {}) if number % 2 else ("switch", {"alias": self.ALIAS})
        self._operator.post(f"/api/v1/routes/{self.ROUTE}/{action}", body)

    def counts(self) -> Counts:
        return {"followers": self._served}


class Flooding(Following):
    """So many events that what the followers leave unread fills every buffer."""

    RATE: ClassVar[int] = FLOOD_PER_SECOND


@contextmanager
def loaded(make: Callable[[Administration], Load], administration: Administration) -> Iterator[Counts]:
    """Puts the load on the admin plane; the counts are there when it has ended.

    Raises BenchmarkError if one of its clients failed.
    """
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.Process(target=_work, args=(make, administration, ours, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        _answer(ours, START_SECONDS)
        counts: Counts = {}
        yield counts
        with suppress(BrokenPipeError):
            ours.send(None)
        counts.update(_answer(ours, STOP_SECONDS))
    finally:
        ours.close()
        child.join(STOP_SECONDS)
        if child.is_alive():
            child.kill()
            child.join()


def _answer(connection: Connection, seconds: float) -> Counts:
    """What the process says: its counts, or in words why it failed."""
    if not connection.poll(seconds):
        raise BenchmarkError(f"clients of the admin plane did not answer within {seconds:g} s")
    try:
        said = connection.recv()
    except (EOFError, ConnectionError) as failure:
        raise BenchmarkError("clients of the admin plane ended without a word") from failure
    if isinstance(said, str):
        raise BenchmarkError(f"a client of the admin plane failed: {said}")
    return said


def _work(
    make: Callable[[Administration], Load], administration: Administration, ours: Connection, theirs: Connection
) -> None:
    # So that the pipe ends for this process when the benchmark ends. Ctrl-C is the benchmark's to answer.
    ours.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(BrokenPipeError):
        try:
            load = make(administration)
            theirs.send({})
            theirs.send(_act_until_told(load, theirs))
        except (OSError, HTTPException, BenchmarkError) as failure:
            theirs.send(f"{type(failure).__name__}: {failure}")


def _act_until_told(load: Load, told: Connection) -> Counts:
    start, number = time.monotonic(), 0
    while not told.poll(max(0.0, start + number / load.RATE - time.monotonic())):
        load.act(number)
        number += 1
    return load.counts() | {"actions_per_s": number / (time.monotonic() - start)}
