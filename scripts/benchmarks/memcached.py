"""A memcached for one measurement, and the exchange that measures with it."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .process import BenchmarkError, Process

READY_SECONDS = 10
EXCHANGE_TIMEOUT_SECONDS = 10


def free_ports(count: int) -> list[int]:
    """Different loopback ports that nobody listens on."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def exchange(session: socket.socket) -> None:
    """Sends `version` over an open session and reads the answer."""
    session.sendall(b"version\r\n")
    answer = b""
    while not answer.endswith(b"\r\n"):
        piece = session.recv(256)
        if not piece:
            raise BenchmarkError("a relay closed a memcached session in the middle of an exchange")
        answer += piece
    if not answer.startswith(b"VERSION "):
        raise BenchmarkError(f"memcached answered {answer!r}")


def open_session(port: int) -> socket.socket:
    """A new connection to memcached, or to a relay before it."""
    return socket.create_connection(("127.0.0.1", port), timeout=EXCHANGE_TIMEOUT_SECONDS)


def wait_until_answering(process: Process, port: int) -> None:
    """Returns as soon as an exchange over `port`, which `process` serves, succeeds."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with open_session(port) as session:
                return exchange(session)
        except (OSError, BenchmarkError) as failure:
            if not process.is_running:
                raise process.error("ended right after its start") from failure
            if time.monotonic() > deadline:
                raise process.error(f"did not answer on port {port} within {READY_SECONDS} s") from failure
        time.sleep(0.02)


@contextmanager
def memcached(directory: Path, sessions: int) -> Iterator[int]:
    """Runs a memcached that takes `sessions` sessions at a time; yields its port."""
    [port] = free_ports(1)
    argv = f"memcached -u nobody -l 127.0.0.1 -p {port} -U 0 -t 1 -m 16 -c {sessions}".split()
    with Process("memcached", argv, directory / "memcached.log") as process:
        wait_until_answering(process, port)
        yield port
