"""What happens to the replica.

The signals are sent from here and not by `scripts/lab fault`, which needs some 0.1 s to start and to look around: as
much as a good relay needs to get over the fault.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import BenchmarkError

from .network import drop_packets, pass_packets
from .stand import Stand

STOP_SECONDS = 5


@dataclass(frozen=True)
class Fault:
    """A fault that can be played and undone."""

    name: str
    title: str
    first_answer_limit: float
    """Within how many seconds failover promises new clients an answer by the primary."""
    play: Callable[[Stand, int], None]
    """Plays it on the replica, whose first process has that pid."""
    undo: Callable[[Stand], None]


def _kill(_: Stand, pid: int) -> None:
    for process in _freeze(pid):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _stop(_: Stand, pid: int) -> None:
    _freeze(pid)


def _shutdown(stand: Stand, pid: int) -> None:
    os.kill(pid, stand.engine.shutdown)


def _drop(stand: Stand, _: int) -> None:
    drop_packets(stand.replica_port)


def _start(stand: Stand) -> None:
    stand.fault("start")


def _continue(stand: Stand) -> None:
    stand.fault("cont")


def _pass(_: Stand) -> None:
    pass_packets()


DROP = Fault("drop", "packets dropped", 1.5, _drop, _pass)
FAULTS = [
    Fault("kill", "SIGKILL", 0.1, _kill, _start),
    Fault("stop", "SIGSTOP", 1.5, _stop, _continue),
    Fault("shutdown", "fast shutdown", 0.1, _shutdown, _start),
    DROP,
]


def _freeze(pid: int) -> list[int]:
    """Stops every process of a server; returns their pids."""
    os.kill(pid, signal.SIGSTOP)
    # Once the parent has really stopped it forks no more, and the list of its children is complete.
    deadline = time.monotonic() + STOP_SECONDS
    while _state(pid) != "T":
        if time.monotonic() > deadline:
            raise BenchmarkError(f"process {pid} does not stop")
        time.sleep(0.001)
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGSTOP)
    return [pid, *children]


def _state(pid: int) -> str:
    """The letter of proc(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
