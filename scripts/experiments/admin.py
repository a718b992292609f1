"""Clients of failover's admin plane: one that asks, followers of events that never read, and many of both as a load."""

import json
import multiprocessing
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from multiprocessing.connection import Connection
from pathlib import Path
from typing import ClassVar, Protocol, Self

from .process import ExperimentError

TIMEOUT_SECONDS = 60
OK = b"HTTP/1.1 200"
TOO_MANY = b"HTTP/1.1 503"
SMALL_BUFFER_BYTES = 2048

REQUESTS_PER_SECOND = 10
ACTIONS_PER_SECOND = 5
FLOOD_PER_SECOND = 50
FOLLOWERS = 200
START_SECONDS = 60
STOP_SECONDS = 15

Counts = dict[str, float]


@dataclass(frozen=True)
class Administration:
    """Where an admin plane listens, and the token that clients of its port need."""

    socket: Path
    port: int
    token: str


class AdminClient:
    """Sends requests over one connection, which stays open."""

    def __init__(self, connection: HTTPConnection, headers: dict[str, str]) -> None:
        self._connection = connection
        self._headers = headers

    @classmethod
    def over_tcp(cls, administration: Administration) -> Self:
        connection = HTTPConnection("127.0.0.1", administration.port, timeout=TIMEOUT_SECONDS)
        return cls(connection, {"Authorization": f"Bearer {administration.token}"})

    @classmethod
    def over_unix_socket(cls, path: Path) -> Self:
        return cls(_UnixConnection(path), {})

    def get(self, path: str) -> str:
        """Returns the whole body of the answer."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, body: dict[str, str]) -> str:
        """Asks for an action. Returns the whole body of the answer."""
        return self._ask("POST", path, json.dumps(body), {"Content-Type": "application/json"})

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> str:
        self._connection.request(method, path, body, self._headers | headers)
        response = self._connection.getresponse()
        content = response.read().decode(errors="replace")
        if response.status != 200:
            raise ExperimentError(f"{method} {path}: {response.status} {content}")
        return content


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def deaf_follower(administration: Administration) -> socket.socket:
    """A client that asks for the event stream, has a small buffer for it and leaves it unread."""
    follower = socket.socket()
    follower.settimeout(TIMEOUT_SECONDS)
    # Before it connects: the handshake announces the window.
    follower.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
    follower.connect(("127.0.0.1", administration.port))
    host = f"Host: 127.0.0.1:{administration.port}"
    request = f"GET /api/v1/events/stream HTTP/1.1\r\n{host}\r\nAuthorization: Bearer {administration.token}\r\n\r\n"
    # A follower over the limit is closed already. `is_served` tells.
    with suppress(ConnectionError):
        follower.sendall(request.encode())
    return follower


def is_served(follower: socket.socket) -> bool:
    """Whether its stream has begun. A follower over the limit is refused instead. The answer stays unread."""
    try:
        answer = follower.recv(len(OK), socket.MSG_PEEK)
    except ConnectionError:
        return False
    if answer not in (OK, TOO_MANY, b""):
        raise ExperimentError(f"a follower of events is answered {answer!r}")
    return answer == OK


class Load(Protocol):
    """Clients that act RATE times a second."""

    RATE: ClassVar[int]

    def act(self, number: int) -> None:
        """Their action with this number. The first is 0."""

    def counts(self) -> Counts:
        """What to report of them."""


class Asking:
    """One client asks for the status, the metrics and the events in turn, as Prometheus and a person would."""

    RATE: ClassVar[int] = REQUESTS_PER_SECOND
    PATHS = ("/api/v1/status", "/metrics", "/api/v1/events")

    def __init__(self, administration: Administration) -> None:
        self._client = AdminClient.over_tcp(administration)
        # The first answer of each kind loads code, once in a process.
        for path in self.PATHS:
            self._client.get(path)

    def act(self, number: int) -> None:
        self._client.get(self.PATHS[number % len(self.PATHS)])

    def counts(self) -> Counts:
        return {}


class Following:
    """Many clients follow events and never read them. An operator causes events through the other listener."""

    RATE: ClassVar[int] = ACTIONS_PER_SECOND
    ROUTE, ALIAS = "memcached", "cache"

    def __init__(self, administration: Administration) -> None:
        self._operator = AdminClient.over_unix_socket(administration.socket)
        self._followers = [deaf_follower(administration) for _ in range(FOLLOWERS)]
        self._served = sum(map(is_served, self._followers))
        if self._served == 0:
            raise ExperimentError("every follower of events was closed")

    def act(self, number: int) -> None:
        action, body = ("release", {}) if number % 2 else ("switch", {"alias": self.ALIAS})
        self._operator.post(f"/api/v1/routes/{self.ROUTE}/{action}", body)

    def counts(self) -> Counts:
        return {"followers": self._served}


class Flooding(Following):
    """Enough events to fill every buffer with what the followers leave unread."""

    RATE: ClassVar[int] = FLOOD_PER_SECOND


@contextmanager
def loaded(make: Callable[[Administration], Load], administration: Administration) -> Iterator[Counts]:
    """Puts the load on the admin plane. The yielded counts are complete when it has ended.

    The clients run in a process of their own: the interpreter runs one thread at a time, and the measuring one must not
    wait.

    Raises ExperimentError if one of its clients failed.
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
    """The counts that the process sends. A text in their place is the reason why it failed."""
    if not connection.poll(seconds):
        raise ExperimentError(f"clients of the admin plane did not answer within {seconds:g} s")
    try:
        said: Counts | str = connection.recv()
    except (EOFError, ConnectionError) as failure:
        raise ExperimentError("clients of the admin plane ended without an answer") from failure
    if isinstance(said, str):
        raise ExperimentError(f"a client of the admin plane failed: {said}")
    return said


def _work(
    make: Callable[[Administration], Load], administration: Administration, ours: Connection, theirs: Connection
) -> None:
    # Now the pipe ends for this process when the benchmark ends. Ctrl-C is for the benchmark.
    ours.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(BrokenPipeError):
        try:
            load = make(administration)
            theirs.send({})
            theirs.send(_act_until_told(load, theirs))
        except (OSError, HTTPException, ExperimentError) as failure:
            theirs.send(f"{type(failure).__name__}: {failure}")


def _act_until_told(load: Load, told: Connection) -> Counts:
    start, number = time.monotonic(), 0
    while not told.poll(max(0.0, start + number / load.RATE - time.monotonic())):
        load.act(number)
        number += 1
    return load.counts() | {"actions_per_s": number / (time.monotonic() - start)}
