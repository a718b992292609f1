"""`scripts/soak`: thousands of sessions with traffic through many faults of a replica."""

import argparse
import asyncio
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from .command import (
    add_binary,
    end_with,
    failover_binary,
    failover_version,
    machine_line,
    parser_of,
    positive,
    raise_descriptor_limit,
)
from .event import PRIMARY, REPLICA
from .laboratory import HOST, Laboratory, laboratory_servers, run_laboratory
from .mysql_client import Client
from .process import Process, say
from .relay import Relay, failover, free_ports

DESCRIPTION = """\
Keeps thousands of sessions with traffic open during faults of a replica, and checks that failover leaks nothing.

Uses a real MariaDB; the faults are SIGKILL and SIGSTOP in turn. Fails if a client fails, if sessions do not come back
to the replica, or if descriptors or memory do not return to their initial values.
"""
PAUSE_SECONDS = 2
PATIENCE_SECONDS = 60
"""How long all sessions may take to reach the server where they should be."""
MEMORY_LIMIT = 4 << 20
"""Bytes that may stay: the allocator keeps them, not the sessions."""


def main() -> None:
    """Parses the command line and runs the test."""
    parser = parser_of(DESCRIPTION)
    parser.add_argument("--sessions", type=positive, default=2000, help="default 2000")
    parser.add_argument("--seconds", type=positive, default=600, help="default 600")
    parser.add_argument("--faults", type=positive, default=30, help="default 30")
    add_binary(parser)
    options = parser.parse_args()

    def run() -> bool:
        with tempfile.TemporaryDirectory(prefix="failover-soak-") as directory:
            return soak(options, Path(directory))

    end_with(run)


def soak(options: argparse.Namespace, directory: Path) -> bool:
    """Runs the test. Returns whether failover passed it."""
    binary = failover_binary(options.binary)
    raise_descriptor_limit()
    versions = [machine_line(), failover_version(binary)]
    with laboratory_servers("mariadb") as lab:
        allow_sessions(lab, options.sessions)
        [port] = free_ports(1)
        relay = Relay("failover", configuration_text, failover(binary))
        with relay.started((lab, port), directory) as process:
            process.wait_until(PATIENCE_SECONDS, lambda: listens(port), "does not listen")
            problems = asyncio.run(Soak(options, lab, port, process).run())
    print("\nMachine: " + "; ".join(versions))
    for problem in problems:
        print(f"* MISSED: {problem}")
    if not problems:
        print("* met: no client failed, all sessions came back, descriptors and memory returned to where they began")
    return not problems


def configuration_text(job: tuple[Laboratory, int]) -> str:
    """The configuration for a laboratory and the port to listen on."""
    lab, port = job
    login = f"user: {lab['MONITOR_USER']}, password: {lab['MONITOR_PASSWORD']}"

    def alias(role: str, timeout: str) -> str:
        where = f"host: {HOST}, port: {lab.port(f'MY_{role}')}"
        return f"{{engine: mysql, {where}, {login}, ping_timeout: {timeout}}}"

    # Two thousand clients come to the primary at once. It must not count as down because it is busy.
    return f"""\
monitoring_ping_frequency: 1s
outage_ping_frequency: 500ms
error_ping_frequency: 250ms
fall: 2
databases:
  default: {alias("PRIMARY", "60s")}
  slave: {alias("REPLICA", "2s")}
services:
  slave: {{type: database, listen: "127.0.0.1:{port}", drain_rate: 500, drain_busy_after: 2s, greeting_timeout: 5s}}
"""


def listens(port: int) -> bool:
    """Whether the port accepts a connection."""
    try:
        socket.create_connection((HOST, port)).close()
    except OSError:
        return False
    return True


def allow_sessions(lab: Laboratory, sessions: int) -> None:
    """Raises the limits of both servers for so many sessions, also after a restart of the replica."""
    for role in (PRIMARY, REPLICA):
        configuration = lab.data(f"mariadb-{role}") / "my.cnf"
        lines = [line for line in configuration.read_text().splitlines() if not line.startswith("max-connections")]
        lines += [f"max-connections = {sessions * 2 + 100}", "back-log = 4096", "max-connect-errors = 1000000", ""]
        configuration.write_text("\n".join(lines))
    for server in ("mariadb-replica", "mariadb-primary"):
        run_laboratory("fault", server, "shutdown")
    for server in ("mariadb-primary", "mariadb-replica"):
        run_laboratory("fault", server, "start")


class Soak:
    """The clients, the faults and the measurements."""

    def __init__(self, options: argparse.Namespace, lab: Laboratory, port: int, process: Process) -> None:
        self._options, self._process = options, process
        self._counts: Counter[str] = Counter()
        self._problems: list[str] = []
        login = (lab["APP_USER"], lab["APP_PASSWORD"])
        replica = lab.port("MY_REPLICA")
        self._clients = [Client(port, login, replica, self._counts) for _ in range(options.sessions)]

    async def run(self) -> list[str]:
        """Returns the problems."""
        # In a first round the process allocates what it keeps anyway.
        await self._round(faults=1, seconds=0)
        empty = self._measure("after a first round, no sessions")
        await self._round(self._options.faults, self._options.seconds)
        end = self._measure("at the end, no sessions")
        for what, number in sorted(self._counts.items()):
            print(f"{number:10d} {what}")
            if what.startswith("FAILED"):
                self._problems.append(f"{number} x {what}")
        if end[0] > empty[0]:
            self._problems.append(f"{end[0] - empty[0]} descriptors stayed open")
        if end[1] > empty[1] + MEMORY_LIMIT:
            self._problems.append(f"{(end[1] - empty[1]) / 1024:.0f} KiB of memory stayed")
        return self._problems

    async def _round(self, faults: int, seconds: float) -> None:
        """Opens all sessions, plays the faults at equal intervals, closes all sessions."""
        begin = time.monotonic()
        for client in self._clients:
            client.place = None
        tasks = [asyncio.create_task(client.live(PAUSE_SECONDS)) for client in self._clients]
        await self._all_on(REPLICA, "at the start")
        self._measure("all sessions open")
        for number in range(faults):
            await asyncio.sleep(max(0.0, begin + seconds * number / faults - time.monotonic()))
            fault, undo = [("kill", "start"), ("stop", "cont")][number % 2]
            await self._fault(fault)
            await self._all_on(PRIMARY, f"fault {number + 1} ({fault})")
            await self._fault(undo)
            await self._all_on(REPLICA, f"after fault {number + 1} ({undo})")
            memory = self._process.own_memory_bytes() / 1024
            say(f"fault {number + 1} of {faults}: {fault}, {undo}; all back, {memory:.0f} KiB")
        await asyncio.sleep(max(0.0, begin + seconds - time.monotonic()))
        self._measure("all sessions open")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._until(lambda: self._process.descriptors() < 100, "the sessions' descriptors are not closed")

    async def _fault(self, fault: str) -> None:
        await asyncio.to_thread(run_laboratory, "fault", "mariadb-replica", fault)

    async def _all_on(self, place: str, when: str) -> None:
        await self._until(lambda: all(client.place == place for client in self._clients), f"{when}: not all on {place}")

    async def _until(self, condition: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                places = Counter(client.place for client in self._clients)
                self._problems.append(f"{problem} within {PATIENCE_SECONDS} s: {dict(places)}")
                return
            await asyncio.sleep(0.05)

    def _measure(self, when: str) -> tuple[int, int]:
        """Descriptors, without those of a ping that runs now, and bytes of the process's own memory."""
        descriptors = []
        for _ in range(20):
            descriptors.append(self._process.descriptors())
            time.sleep(0.02)
        measured = min(descriptors), self._process.own_memory_bytes()
        print(f"{when}: {measured[0]} descriptors, {measured[1] / 1024:.0f} KiB")
        return measured
