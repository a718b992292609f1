"""What today_postgres.py and today_mysql.py share: their cases, each in a process of its own, and the lines of these.

Both read the table `today`, with columns `id` from 1 and `line`, of some MB.
"""

import multiprocessing
import os
import re
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import metadata
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, NoReturn

USER, PASSWORD, DATABASE = "app", "app-secret", "app"
ROWS = "select id, line from today order by id"
LIMIT_SECONDS = 100
# A query that is cancelled. Without that it ends by itself.
SLEEP_SECONDS = 20


def place(port: int) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "user": USER, "password": PASSWORD}


@dataclass
class Answer:
    """Which server answered, over which kind of session, and what."""

    port: int | str = "-"
    encrypted: bool = False
    results: list[str] = field(default_factory=list)

    def is_from(self, port: Any, encrypted: Any) -> None:
        self.port, self.encrypted = port, bool(encrypted)

    def add(self, name: str, result: object) -> None:
        """Adds a result, as its length and a checksum unless it is short."""
        text = result.decode() if isinstance(result, bytes) else str(result)
        is_short = re.fullmatch(r"[\w.-]{1,24}", text)
        self.results.append(f"{name}={text if is_short else f'{len(text)}:{zlib.crc32(text.encode()):08x}'}")

    def __str__(self) -> str:
        return " ".join([str(self.port), "encrypted" if self.encrypted else "clear", *self.results])


class Case(NamedTuple):
    """A driver, one of its modes, and what it does."""

    driver: str
    mode: str
    work: Callable[[], Answer]


@cache
def version(driver: str) -> str:
    """The version of a Python package, or of a program in the PATH."""
    try:
        return str(metadata.version(driver))
    except metadata.PackageNotFoundError:
        words = subprocess.run([driver, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
        return str(re.findall(r"\d+(?:\.\d+)+", words)[0])


def cases(driver: str, work: Callable[..., Answer], port: int, modes: dict[str, Any], package: str = "") -> list[Case]:
    """The cases of a driver: in each mode the work with the port and that mode's options."""
    name = f"{driver}-{version(package or driver)}"
    return [Case(name, mode, partial(work, port, options)) for mode, options in modes.items()]


def run(command: list[str], statements: str | None = None, **environment: str) -> str:
    """What a program prints: its output, then its errors."""
    done = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"]} | environment,
        input=statements or "",
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    if done.returncode != 0 and statements is None:
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr}")
    return done.stdout + done.stderr


class Cancelled:
    """Cancels once what its body runs, when that has begun."""

    def __init__(self, has_begun: Callable[[], bool], cancel: Callable[[], object]) -> None:
        self._has_begun, self._cancel = has_begun, cancel
        self._thread = threading.Thread(target=self._wait)
        self._start = time.monotonic()

    def _wait(self) -> None:
        while not self._has_begun():
            if time.monotonic() - self._start > SLEEP_SECONDS:
                return
            time.sleep(0.05)
        self._cancel()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        if time.monotonic() - self._start >= SLEEP_SECONDS:
            raise RuntimeError("the query was not cancelled")


def _child(case: Case, pipe: Connection) -> None:
    try:
        pipe.send((True, str(case.work())))
    except Exception as failure:
        pipe.send((False, f"FAILED {failure!r}".replace("\n", " ")))


def show(all_cases: Iterable[Case]) -> NoReturn:
    """Runs the cases one after the other, prints a line for each, and exits."""
    # Drivers bring libraries of the same name, which cannot all be in one process. This one has none of them: nothing
    # here imports ssl, hashlib or asyncio.
    context = multiprocessing.get_context("fork")
    failed = False
    for case in all_cases:
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_child, args=[case, sender])
        child.start()
        sender.close()
        try:
            passed, line = receiver.recv() if receiver.poll(LIMIT_SECONDS) else (False, "FAILED not in time")
        except EOFError:
            passed, line = False, "FAILED ended early"
        child.join(5)
        child.kill()
        failed = failed or not passed
        print(case.driver, case.mode, line, flush=True)
    sys.exit(failed)
