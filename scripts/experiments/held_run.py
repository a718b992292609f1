"""What every experiment with held sessions is given."""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .held_stand import Drain, HeldRoute, held_route
from .local import Servers


@dataclass(frozen=True)
class Run:
    """The command line, the binary under test, and the laboratory."""

    options: argparse.Namespace
    binary: Path
    drain: Drain
    servers: dict[str, Servers]
    """By the engine's name: those that were chosen."""
    folder: Path

    @contextmanager
    def route(self, servers: Servers) -> Iterator[HeldRoute]:
        """failover with its route, in a folder of its own."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=self.folder)))
            yield stack.enter_context(held_route(self.binary, servers, self.drain, folder))
