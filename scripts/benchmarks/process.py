"""A process that a benchmark starts, watches and stops."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

STOP_SECONDS = 5
CPUCLOCK_SCHED = 2


class BenchmarkError(Exception):
    """What went wrong, in words for the person who runs the benchmark."""


def program() -> str:
    """The script that runs, as its messages begin."""
    return Path(sys.argv[0]).name


class Process:
    """A server of the benchmark's own: started on entry, stopped by pid on exit."""

    def __init__(self, name: str, argv: list[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._argv = argv

    def __enter__(self) -> Self:
        # A session of its own: Ctrl-C reaches the benchmark, and the benchmark stops the server.
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(
                self._argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        return self

    def __exit__(self, *_: object) -> None:
        family = self._pids()
        self._child.terminate()
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"{program()}: {self.name} did not stop within {STOP_SECONDS} s of SIGTERM: killed", file=sys.stderr)
        finally:
            if self._child.poll() is None:
                for pid in family:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                self._child.wait()

    @property
    def is_running(self) -> bool:
        return self._child.poll() is None

    def cpu_seconds(self) -> float:
        """CPU time, user and system, of all threads, finished ones included, and of all child processes.

        From the kernel's process clock: `/proc/PID/stat` counts in steps of 10 ms, and
        `/proc/PID/task/*/schedstat` forgets the threads that ended.
        """
        return sum(time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED) for pid in self._pids())

    def thread_cpu_seconds(self) -> list[tuple[str, float]]:
        """Name and CPU time of each thread that there is."""
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
        """Anonymous memory, also what the kernel has swapped out: what no other process and no file explains."""
        return sum(_memory_bytes(pid, "Anonymous", "Swap") for pid in self._pids())

    def descriptors(self) -> int:
        """How many descriptors the process has open."""
        return len(list(Path(f"/proc/{self._child.pid}/fd").iterdir()))

    def error(self, problem: str) -> BenchmarkError:
        """An error about this process, with the end of what it logged."""
        tail = self.log.read_text(errors="replace").splitlines()[-10:]
        return BenchmarkError("\n  ".join([f"{self.name} {problem}; its log:", *tail]))

    def _pids(self) -> list[int]:
        pids = [self._child.pid] if self.is_running else []
        for pid in pids:
            pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return pids


def _memory_bytes(pid: int, *kinds: str) -> int:
    lines = [line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    sizes = {line[0]: int(line[1]) * 1024 for line in lines if line[-1] == "kB"}
    return sum(sizes[f"{kind}:"] for kind in kinds)
