"""What leaves nobody to serve clients: they can only be told."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from .compose import Broken, container, engine
from .load import Engine


@dataclass(frozen=True)
class Hopeless:
    """Takes the primary away, while the replica is down already; gives it back at the end of the context."""

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
    """Others take every connection that the primary has."""
    argv = ["docker", "exec", "-i", container(of.load), "python3", "-m", "load", "fill", *of.arguments]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as others:
        assert others.stdin is not None and others.stdout is not None, "pipes were asked for"
        if others.stdout.readline().strip() != "full":
            raise Broken(f"{of.primary} could not be filled")
        try:
            yield
        finally:
            others.stdin.close()
            others.stdout.read()


HOPELESS = [
    Hopeless("full", "replica killed, primary full", _full),
    Hopeless("both", "replica and primary killed", _down),
]
