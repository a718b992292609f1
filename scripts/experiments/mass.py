"""What a thousand routes cost: the pings, the status, and an outage of all replicas at once."""

import collections
import json
import math
import signal
import statistics
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .admin import AdminClient
from .process import Process
from .relay import failover
from .report import verdict_line
from .services import PingTarget

ROUTES = 1000
FREQUENCY_SECONDS = 2
START_SECONDS = 120
STATUS_REQUESTS = 5
STANDSTILL_SECONDS = 3
OUTAGES_WAIT_SECONDS = 120
WINDOW_SECONDS = 0.1
STOP_SECONDS = 60

MOST_PING_PERCENT = 5.0
MOST_STATUS_SECONDS = 0.1
MOST_OUTAGE_SECONDS = 1.0
MOST_STOP_SECONDS = 2.0
MOST_IN_A_WINDOW = 3.0
"""Pings in the fullest tenth of a second, as a multiple of the mean."""


@dataclass(frozen=True)
class Figures:
    """What was measured."""

    ping_percent: float
    pings_per_second: float
    fullest_window: float
    status_seconds: float
    outages: int
    outage_seconds: float
    stop_seconds: float


def mass_report(binary: Path, seconds: int, directory: Path) -> str:
    """Measures failover with 1000 replicas, each with a route of its own. Returns the report."""
    replicas, primary = PingTarget(ROUTES), PingTarget(ROUTES)
    configuration, log, socket = directory / "mass.yaml", directory / "failover.log", directory / "admin"
    configuration.write_text(_configuration(replicas.port, primary.port, socket, directory))
    with Process("failover", failover(binary)(configuration), log) as process:
        pinged = f"did not ping {ROUTES} replicas"
        process.wait_until(START_SECONDS, lambda: replicas.pings >= ROUTES, pinged)
        percent, per_second = _pings(process, replicas, seconds)
        fullest = _fullest_window(socket)
        status = _status_seconds(socket)
        outages, outage_seconds = _outages(process, replicas, log)
        start = time.monotonic()
        has_stopped = process.stop(STOP_SECONDS)
        stop = time.monotonic() - start if has_stopped else math.inf
    return _verdict(Figures(percent, per_second, fullest, status, outages, outage_seconds, stop))


def _configuration(replica: int, primary: int, socket: Path, directory: Path) -> str:
    def database(name: str, port: int) -> str:
        return f"  {name}: {{engine: tcp, host: 127.0.0.1, port: {port}}}"

    def route(number: int) -> str:
        listen = f"unix:{directory}/s{number}"
        return f"  s{number}: {{type: database, db_alias: r{number}, failover_db_alias: default, listen: '{listen}'}}"

    return "\n".join(
        [
            f"monitoring_ping_frequency: {FREQUENCY_SECONDS}s",
            f"admin: {{listen: 'unix:{socket}'}}",
            "databases:",
            database("default", primary),
            *(database(f"r{number}", replica) for number in range(ROUTES)),
            "services:",
            *map(route, range(ROUTES)),
            "",
        ]
    )


def _pings(process: Process, target: PingTarget, seconds: int) -> tuple[float, float]:
    """Share of a core, and pings per second."""
    # The second ping of each service comes at its place in the period.
    time.sleep(2 * FREQUENCY_SECONDS)
    cpu, before, start = process.cpu_seconds(), target.pings, time.monotonic()
    time.sleep(seconds)
    elapsed = time.monotonic() - start
    percent = (process.cpu_seconds() - cpu) / elapsed * 100
    pings = target.pings - before
    return percent, pings / elapsed


def _fullest_window(socket: Path) -> float:
    """The pings that began in the fullest tenth of a second of a period, as a multiple of the mean."""
    client = AdminClient.over_unix_socket(socket)
    services = json.loads(client.get("/api/v1/status"))["services"]
    client.close()
    begun = [datetime.fromisoformat(service["last_ping"]["time"]).timestamp() for service in services]
    windows = collections.Counter(int(time % FREQUENCY_SECONDS / WINDOW_SECONDS) for time in begun)
    return max(windows.values()) / (len(begun) * WINDOW_SECONDS / FREQUENCY_SECONDS)


def _status_seconds(socket: Path) -> float:
    """The median time of an answer with the whole status."""
    client = AdminClient.over_unix_socket(socket)
    times = []
    for _ in range(STATUS_REQUESTS):
        start = time.monotonic()
        client.get("/api/v1/status")
        times.append(time.monotonic() - start)
    client.close()
    return statistics.median(times)


def _outages(process: Process, target: PingTarget, log: Path) -> tuple[int, float]:
    """The number of outages, and the time from the moment at which all pings are due to the last outage's line."""

    def outages() -> int:
        return log.read_bytes().count(b" outage. Failover initiated.")

    # While the process stands still every ping falls due, and its port stops listening.
    process.signal(signal.SIGSTOP)
    target.close()
    time.sleep(STANDSTILL_SECONDS)
    process.signal(signal.SIGCONT)
    start = time.monotonic()
    process.wait_until(OUTAGES_WAIT_SECONDS, lambda: outages() >= ROUTES, f"did not log {ROUTES} outages")
    return outages(), time.monotonic() - start


def _verdict(figures: Figures) -> str:
    due = ROUTES / FREQUENCY_SECONDS
    met = {
        f"pings take {MOST_PING_PERCENT:g} % of a core or less": figures.ping_percent <= MOST_PING_PERCENT
        and figures.pings_per_second >= 0.9 * due,
        f"a tenth of a second has {MOST_IN_A_WINDOW:g} times the mean or less": figures.fullest_window
        <= MOST_IN_A_WINDOW,
        f"the status takes {MOST_STATUS_SECONDS:g} s or less": figures.status_seconds <= MOST_STATUS_SECONDS,
        f"{ROUTES} outages are logged within {MOST_OUTAGE_SECONDS:g} s": figures.outages == ROUTES
        and figures.outage_seconds <= MOST_OUTAGE_SECONDS,
        f"the process ends within {MOST_STOP_SECONDS:g} s": figures.stop_seconds <= MOST_STOP_SECONDS,
    }
    return "\n".join(
        [
            f"{ROUTES} routes, each replica pinged every {FREQUENCY_SECONDS} s: "
            f"{figures.ping_percent:.2f} % of a core at {figures.pings_per_second:.0f} pings/s (due: {due:.0f}); "
            f"the fullest {WINDOW_SECONDS:g} s has {figures.fullest_window:.1f} times the mean",
            f"status: {figures.status_seconds * 1000:.0f} ms",
            f"{figures.outages} outages at once: the last is logged after {figures.outage_seconds:.2f} s; "
            f"SIGTERM then ends the process after {figures.stop_seconds:.2f} s",
            *(verdict_line(kept, promise) for promise, kept in met.items()),
        ]
    )
