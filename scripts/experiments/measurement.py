"""What is measured through each relay."""

import re
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from .bench_relays import Running, exchange, open_session
from .laboratory import Primary
from .process import ExperimentError

IDLE_SECONDS = 1
RESULT_BYTES = 20_000_000
BIG_RESULT = "select repeat('x', 1000000) from generate_series(1, 20);\n"


@dataclass(frozen=True)
class Conditions:
    """What a measurement works with. It is the same for every relay."""

    primary: Primary
    seconds: int
    idle_sessions: int
    directory: Path
    """For files that last as long as the run."""


Values = dict[str, float]
Run = Callable[[Conditions, Running], Values]


@dataclass(frozen=True)
class PgbenchResult:
    """What pgbench printed about one run."""

    transactions: int
    tps: float
    latency_ms: float


def pgbench(conditions: Conditions, port: int, clients: int, options: list[str]) -> PgbenchResult:
    """Runs pgbench against `port` for the conditions' time."""
    argv = ["pgbench", "-h", "127.0.0.1", "-p", str(port), "-n", "-T", str(conditions.seconds)]
    argv += ["-c", str(clients), "-j", str(min(clients, 2)), *options, conditions.primary.database]
    done = subprocess.run(argv, env=conditions.primary.client_environment(), capture_output=True, text=True)
    if done.returncode != 0:
        raise ExperimentError(f"{' '.join(argv)} failed: {done.stderr.strip()}")
    return PgbenchResult(
        transactions=int(_printed(done.stdout, r"transactions actually processed: (\d+)")),
        tps=float(_printed(done.stdout, r"tps = ([\d.]+)")),
        latency_ms=float(_printed(done.stdout, r"latency average = ([\d.]+) ms")),
    )


def _printed(output: str, pattern: str) -> str:
    found = re.search(pattern, output)
    if found is None:
        raise ExperimentError(f"pgbench printed nothing like {pattern!r}:\n{output}")
    return found[1]


def queries(clients: int, *options: str) -> Run:
    """Point queries by `clients` clients at once."""

    def run(conditions: Conditions, relay: Running) -> Values:
        before = relay.cpu_seconds()
        result = pgbench(conditions, relay.ports.postgres, clients, ["-S", *options])
        cpu = relay.cpu_seconds() - before
        return {"per_s": result.tps, "latency_ms": result.latency_ms, "cpu_us": cpu / result.transactions * 1e6}

    return run


def big_results(conditions: Conditions, relay: Running) -> Values:
    """Results of 20 MB, one after another."""
    script = conditions.directory / "big-result.sql"
    script.write_text(BIG_RESULT)
    before = relay.cpu_seconds()
    result = pgbench(conditions, relay.ports.postgres, 1, ["-f", str(script)])
    cpu = relay.cpu_seconds() - before
    return {
        "megabytes_per_s": result.tps * RESULT_BYTES / 1e6,
        "cpu_ns_per_byte": cpu / (result.transactions * RESULT_BYTES) * 1e9,
    }


def exchanges(conditions: Conditions, relay: Running) -> Values:
    """A new TCP connection and one memcached exchange, one after another."""
    count = 0
    before, start = relay.cpu_seconds(), time.monotonic()
    while (elapsed := time.monotonic() - start) < conditions.seconds:
        with open_session(relay.ports.memcached) as session:
            exchange(session)
        count += 1
    return {"per_s": count / elapsed, "cpu_us": (relay.cpu_seconds() - before) / count * 1e6}


def round_trips(conditions: Conditions, relay: Running) -> Values:
    """Memcached exchanges over one open session, one after another: the duration of each."""
    times = []
    with open_session(relay.ports.memcached) as session:
        exchange(session)
        before, start = relay.cpu_seconds(), time.monotonic()
        end = start + conditions.seconds
        while start < end:
            exchange(session)
            now = time.monotonic()
            times.append(now - start)
            start = now
        cpu = relay.cpu_seconds() - before
    percentiles = quantiles(times, n=100, method="inclusive")
    return {"p50_us": percentiles[49] * 1e6, "p99_us": percentiles[98] * 1e6, "cpu_us": cpu / len(times) * 1e6}


def idle_sessions(conditions: Conditions, relay: Running) -> Values:
    """The growth of the relay's memory for each of many sessions that had one exchange and are idle."""
    process = relay.process
    assert process is not None, "without a relay no memory is measured"
    with ExitStack() as stack:
        before = process.memory_bytes()
        sessions = []
        for _ in range(conditions.idle_sessions):
            session = stack.enter_context(open_session(relay.ports.memcached))
            exchange(session)
            sessions.append(session)
        time.sleep(IDLE_SECONDS)
        growth = process.memory_bytes() - before
        for session in sessions:
            exchange(session)
    return {"bytes": growth / len(sessions), "sessions": len(sessions)}


@dataclass(frozen=True)
class Measurement:
    """One thing to measure. `run` returns the values of one round through one relay."""

    name: str
    run: Run
    fits_direct: bool = True
    uses_memcached: bool = False


MEASUREMENTS = [
    Measurement("select-1", queries(1, "-M", "prepared")),
    Measurement("select-8", queries(8, "-M", "prepared")),
    Measurement("select-32", queries(32, "-M", "prepared")),
    Measurement("reconnect-1", queries(1, "-C")),
    Measurement("reconnect-8", queries(8, "-C")),
    Measurement("exchange", exchanges, uses_memcached=True),
    Measurement("big", big_results),
    Measurement("idle", idle_sessions, fits_direct=False, uses_memcached=True),
]
