"""Where a recipe plays: a directory, the program and the laboratory, and the blocks that it has made."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from .laboratory import HOST, Laboratory, laboratory_servers, run_laboratory
from .process import ExperimentError, Process, holds_within

READY_SECONDS = 30
COMMAND_SECONDS = 120
CONFIGURATION = "failover.yaml"


class Stage:
    """Plays commands. `block` begins a block, `show` and `show_log` add to it."""

    def __init__(self, directory: Path, binary: Path) -> None:
        self.directory = directory
        self.blocks: dict[str, list[str]] = {}
        self._stack = ExitStack()
        self._started = 0
        # Colours and widths of a terminal have no place in a page.
        self.environment = os.environ | {
            "PATH": f"{binary.parent}:{os.environ['PATH']}",
            "NO_COLOR": "1",
            "COLUMNS": "120",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def block(self, name: str) -> None:
        """The next lines belong to this block."""
        self._lines = self.blocks.setdefault(name, [])

    def add(self, *lines: str) -> None:
        """Adds lines to the block."""
        self._lines += lines

    def laboratory(self, *engines: str) -> Laboratory:
        """The laboratory with the servers of these engines, until the end of the recipe."""
        return self._stack.enter_context(laboratory_servers(*engines))

    def fault(self, server: str, fault: str) -> None:
        """Plays a fault of the laboratory."""
        run_laboratory("fault", server, fault)

    def write(self, text: str, name: str = CONFIGURATION) -> None:
        """Writes a file of the recipe's directory. `DIRECTORY` in the text stands for that directory."""
        (self.directory / name).write_text(text.replace("DIRECTORY", str(self.directory)))

    def serve(self, *options: str, until: str = "") -> Process:
        """Starts `failover serve` with the recipe's configuration. Returns once it is ready.

        `until` is a line of the log to wait for instead.
        """
        self._started += 1
        log = self.directory / f"log{self._started}"
        argv = ["failover", "serve", "--config", CONFIGURATION, *options]
        process = Process("failover", ["env", "-C", str(self.directory), *self._path(), *argv], log)
        self._stack.enter_context(process)
        self.log = log
        process.wait_until(
            READY_SECONDS,
            lambda: until in log.read_text() if until else self.run("failover status --ready").returncode == 0,
            "is not ready",
        )
        return process

    def run(self, command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a command of bash in the recipe's directory."""
        if command.startswith("failover ") and "--config" not in command:
            command += f" --config {CONFIGURATION}"
        try:
            return subprocess.run(
                ["bash", "-c", command],
                cwd=folder or self.directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=COMMAND_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise ExperimentError(f"{command} has not ended within {COMMAND_SECONDS} s") from error

    def check(self, command: str, folder: Path | None = None) -> None:
        """Runs a command of bash, which must succeed."""
        done = self.run(command, folder)
        if done.returncode != 0:
            raise ExperimentError(f"{command} failed: {done.stdout}")

    def show(self, command: str, folder: Path | None = None, only: Callable[[str], bool] = lambda _: True) -> None:
        """Adds the command and those lines of its output that `only` accepts."""
        self.add(f"$ {command}", *filter(only, self.output(command, folder)))

    def output(self, command: str, folder: Path | None = None) -> list[str]:
        """The lines that a command prints."""
        return [line.rstrip() for line in self.run(command, folder).stdout.splitlines()]

    def wait(self, condition: Callable[[], bool], problem: str, seconds: float = READY_SECONDS) -> None:
        """Returns when the condition holds. Raises ExperimentError with `problem` if it does not in time."""
        if not holds_within(seconds, condition, pause=0.05):
            raise ExperimentError(f"{problem} within {seconds:g} s; the log:\n{self.log.read_text()}")

    def wait_for_log(self, text: str) -> None:
        """Returns when the program has logged the text."""
        self.wait(lambda: text in self.log.read_text(), f"not logged: {text}")

    def log_lines(self, pattern: str) -> list[str]:
        """The lines of the log that match."""
        return [line for line in self.log.read_text().splitlines() if re.search(pattern, line)]

    @contextmanager
    def sessions(self, count: int, port: int) -> Iterator[None]:
        """Open sessions of the laboratory's application on a PostgreSQL route, without TLS."""
        login = f"host={HOST} port={port} user=app password=app-secret dbname=app sslmode=disable"
        before = self._session_count()
        with ExitStack() as stack:
            for _ in range(count):
                argv = ["psql", "-XAtq", login]
                client = subprocess.Popen(
                    argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
                stack.callback(client.wait)
                stack.callback(client.kill)
            self.wait(lambda: self._session_count() == before + count, f"{count} sessions did not open")
            yield

    @contextmanager
    def connecting_clients(self, count: int, port: int) -> Iterator[None]:
        """Clients that open a new session of the laboratory's application for each query, without TLS."""
        script = self.directory / "query.sql"
        script.write_text("select 1;\n")
        login = ["PGPASSWORD=app-secret", "PGSSLMODE=disable", "pgbench", "-h", HOST, "-p", str(port), "-U", "app"]
        load = ["-C", "-n", "-c", str(count), "-T", "600", "-R", "80", "-f", str(script), "app"]
        with Process("pgbench", ["env", *login, *load], self.directory / "pgbench.log"):
            yield

    def _session_count(self) -> int:
        return sum(int(number) for number in re.findall(r"(\d+) sessions? so far", self.run("failover status").stdout))

    def _path(self) -> list[str]:
        return [f"{name}={self.environment[name]}" for name in ("PATH", "NO_COLOR")]
