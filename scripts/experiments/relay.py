"""A relay: a program between clients and servers, and how it is configured and started."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from .process import Process

Job = TypeVar("Job")
"""What a relay has to do: where it listens, which servers are behind it."""


@dataclass(frozen=True)
class Relay(Generic[Job]):
    """A program that can stand between clients and servers."""

    name: str
    configuration: Callable[[Job], str]
    """The text of the configuration file for a job."""
    command: Callable[[Path], list[str]]
    """The command line, given the path of the configuration file."""
    companions: Callable[[Job], dict[str, str]] = lambda _: {}
    """The texts of other files in the same directory, by name: lists of users, for example."""

    @contextmanager
    def started(self, job: Job, directory: Path) -> Iterator[Process]:
        """Runs the relay with a log of its own. It may need a moment until it listens."""
        path = directory / f"{self.name}.conf"
        path.write_text(self.configuration(job))
        for name, text in self.companions(job).items():
            (directory / name).write_text(text)
        with Process(self.name, self.command(path), self.log(directory)) as process:
            yield process

    def log(self, directory: Path) -> Path:
        """The log of the relay that was started in this directory."""
        return directory / f"{self.name}.log"


def haproxy(path: Path) -> list[str]:
    """The command line of HAProxy."""
    return ["haproxy", "-db", "-f", str(path)]


def nginx(path: Path) -> list[str]:
    """The command line of nginx."""
    return ["nginx", "-p", str(path.parent), "-c", str(path)]


def failover(binary: Path) -> Callable[[Path], list[str]]:
    """The command line of this proxy."""
    return lambda path: [str(binary), "serve", "--config", str(path)]


def free_ports(count: int) -> list[int]:
    """Different loopback ports that are free now."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
