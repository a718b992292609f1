"""A process that an experiment starts, watches and stops; and conditions that an experiment waits for."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

STOP_SECONDS = 5
CLIENTS_VARIABLES = ("PGSSLNEGOTIATION", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Parts of the environment that are for the experiment's own clients, and not for the servers that it starts."""
CPUCLOCK_SCHED = 2


class ExperimentError(Exception):
    """Why an experiment cannot go on. The text is for the person who runs it."""


def program() -> str:
    """The name of the running script. Messages begin with it."""
    return Path(sys.argv[0]).name


def say(text: str) -> None:
    """Prints a line about progress on standard error."""
    print(f"{program()}: {text}", file=sys.stderr, flush=True)


def holds_within(seconds: float, condition: Callable[[], bool], pause: float = 0.02) -> bool:
    """Polls every `pause` seconds. Returns False if the condition does not hold within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


class Process:
    """A server of the experiment: started on entry, stopped by its process ID on exit."""

    def __init__(self, name: str, argv: list[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._argv = argv

    def __enter__(self) -> Self:
        # In a session of its own: Ctrl-C reaches the experiment, and the experiment stops the server.
        environment = {name: text for name, text in os.environ.items() if name not in CLIENTS_VARIABLES}
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(
                self._argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment
            )
        return self

    def __exit__(self, *_: object) -> None:
        family = self._pids()
        self._child.terminate()
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"{self.name} did not stop within {STOP_SECONDS} s of SIGTERM: killed")
        finally:
            if self._child.poll() is None:
                for pid in family:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                self._child.wait()

    @property
    def is_running(self) -> bool:
        return self._child.poll() is None

    def wait_until(self, seconds: float, condition: Callable[[], bool], problem: str) -> None:
        """Returns when the condition holds.

        Raises ExperimentError if the process ends first, or with `problem` if the condition does not hold within
        `seconds`.
        """
        held = holds_within(seconds, lambda: not self.is_running or condition())
        if not self.is_running:
            raise self.error("ended right after its start")
        if not held:
            raise self.error(f"{problem} within {seconds:g} s")

    def signal(self, number: int) -> None:
        """Sends the signal."""
        self._child.send_signal(number)

    def stop(self, seconds: float) -> bool:
        """Sends SIGTERM. Returns whether the process ended within `seconds`."""
        self._child.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(seconds)
        return not self.is_running

    def cpu_seconds(self) -> float:
        """CPU time, user and system, of all threads, finished ones included, and of all child processes.

        From the kernel's process clock: `/proc/PID/stat` counts in steps of 10 ms, and
        `/proc/PID/task/*/schedstat` forgets the threads that ended.
        """
        return sum(time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED) for pid in self._pids())

    def thread_cpu_seconds(self) -> list[tuple[str, float]]:
        """Name and CPU time of each thread that runs now."""
        seconds = []
        for task in Path(f"/proc/{self._child.pid}/task").iterdir():
            with suppress(FileNotFoundError):
                nanoseconds = int((task / "schedstat").read_text().split()[0])
                seconds.append(((task / "comm").read_text().strip(), nanoseconds / 1e9))
        return seconds

    def memory_bytes(self) -> int:
        """Proportional set size: resident memory, with pages that processes share counted once."""
        return sum(_memory_bytes(pid, "Pss") for pid in self._pids())

    def own_memory_bytes(self) -> int:
        """Anonymous memory, swapped out or not: what no other process and no file explains."""
        return sum(_memory_bytes(pid, "Anonymous", "Swap") for pid in self._pids())

    def descriptors(self) -> int:
        """How many descriptors the process has open."""
        return len(list(Path(f"/proc/{self._child.pid}/fd").iterdir()))

    def error(self, problem: str) -> ExperimentError:
        """An error about this process, with the end of its log."""
        tail = self.log.read_text(errors="replace").splitlines()[-10:]
        return ExperimentError("\n  ".join([f"{self.name} {problem}; its log:", *tail]))

    def _pids(self) -> list[int]:
        pids = [self._child.pid] if self.is_running else []
        for pid in pids:
            # A child may end meanwhile.
            with suppress(FileNotFoundError, ProcessLookupError):
                pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return pids


def _memory_bytes(pid: int, *kinds: str) -> int:
    lines = [line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    sizes = {line[0]: int(line[1]) * 1024 for line in lines if line[-1] == "kB"}
    return sum(sizes[f"{kind}:"] for kind in kinds)
