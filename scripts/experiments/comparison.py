"""A comparison: every measurement through every relay in turn, in interleaved rounds; the table and the targets."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from .bench_relays import Candidate, Ports, direct, memcached
from .measurement import Conditions, Measurement, Values
from .process import say
from .report import table, verdict_line, write_json

SETTLE_SECONDS = 0.3


@dataclass(frozen=True)
class Sample:
    """The values of one measurement through one relay in one round."""

    round: int
    measurement: str
    relay: str
    values: Values


def compare(
    relays: list[Candidate | None], measurements: list[Measurement], rounds: int, conditions: Conditions
) -> list[Sample]:
    """Measures through each relay, in an order that rotates. None stands for no relay."""
    samples = []
    for round_ in range(rounds):
        for number, measurement in enumerate(measurements):
            say(f"round {round_ + 1} of {rounds}: {measurement.name}")
            first = (round_ + number) % len(relays)
            for relay in relays[first:] + relays[:first]:
                if not _fits(relay, measurement):
                    continue
                name = relay.name if relay else "direct"
                samples.append(Sample(round_ + 1, measurement.name, name, _measure(relay, measurement, conditions)))
    return samples


def _fits(relay: Candidate | None, measurement: Measurement) -> bool:
    if relay is None:
        return measurement.fits_direct
    return relay.has_memcached or not measurement.uses_memcached


def _measure(relay: Candidate | None, measurement: Measurement, conditions: Conditions) -> Values:
    """Measures with a new relay and a new memcached: without the memory and the TIME_WAIT of an earlier one."""
    sessions = conditions.idle_sessions + 100
    with memcached(conditions.directory, sessions) as memcached_port:
        servers = Ports(conditions.primary.port, memcached_port)
        starting = direct(servers)
        if relay:
            starting = relay.started(conditions.primary, servers, sessions, conditions.directory)
        with starting as running:
            time.sleep(SETTLE_SECONDS)
            return measurement.run(conditions, running)


@dataclass(frozen=True)
class Columns:
    """The relays that a report shows, in this order. The values of `compared` are divided by the baseline's."""

    relays: list[str]
    baseline: str
    compared: list[str]


RELAYS = Columns(["direct", "haproxy", "nginx", "failover"], baseline="haproxy", compared=["failover"])


@dataclass(frozen=True)
class Metric:
    """One row of the table: a value of a measurement."""

    measurement: str
    key: str
    title: str
    decimals: int = 0


@dataclass(frozen=True)
class Target:
    """A limit for a metric of a relay: for the value, or for its ratio to the baseline's."""

    metric: Metric
    limit: float
    at_most: bool
    ratio: bool
    relay: str = "failover"

    def is_met(self, value: float) -> bool:
        return value <= self.limit if self.at_most else value >= self.limit


def _queries(measurement: str, what: str) -> list[Metric]:
    return [
        Metric(measurement, "per_s", f"{what}: transactions/s"),
        Metric(measurement, "latency_ms", f"{what}: mean latency, ms", 3),
        Metric(measurement, "cpu_us", f"{what}: relay CPU, µs/transaction", 1),
    ]


METRICS = [
    *_queries("select-1", "point queries, 1 client"),
    *_queries("select-8", "point queries, 8 clients"),
    *_queries("select-32", "point queries, 32 clients"),
    *_queries("reconnect-1", "connect for each query, 1 client"),
    *_queries("reconnect-8", "connect for each query, 8 clients"),
    Metric("exchange", "per_s", "TCP connect + memcached exchange, one by one: exchanges/s"),
    Metric("exchange", "cpu_us", "TCP connect + memcached exchange: relay CPU, µs/exchange", 1),
    Metric("select-8", "other_share", "point queries, 8 clients: share of relay CPU outside event loops", 4),
    Metric("exchange", "other_share", "TCP connect + memcached exchange: share of relay CPU outside event loops", 4),
    Metric("round-trip", "p50_us", "memcached exchange over an open session: median, µs", 1),
    Metric("round-trip", "p99_us", "memcached exchange over an open session: 99th percentile, µs", 1),
    Metric("round-trip", "cpu_us", "memcached exchange over an open session: relay CPU, µs", 1),
    Metric("big", "megabytes_per_s", "20 MB results: MB/s"),
    Metric("big", "cpu_ns_per_byte", "20 MB results: relay CPU, ns/byte", 4),
    Metric("idle", "bytes", "idle sessions: relay memory (PSS), bytes/session"),
]


def row(measurement: str, key: str) -> Metric:
    """The row that shows this value."""
    return next(metric for metric in METRICS if (metric.measurement, metric.key) == (measurement, key))


TARGETS = [
    Target(row("select-8", "cpu_us"), 0.90, at_most=True, ratio=True),
    Target(row("select-8", "per_s"), 1.0, at_most=False, ratio=True),
    Target(row("big", "cpu_ns_per_byte"), 0.85, at_most=True, ratio=True),
    Target(row("idle", "bytes"), 700, at_most=True, ratio=False),
    Target(row("exchange", "per_s"), 1.0, at_most=False, ratio=True),
]


class Report:
    """The summary of one comparison."""

    def __init__(self, samples: list[Sample], columns: Columns = RELAYS, targets: list[Target] = TARGETS) -> None:
        self._samples = samples
        self._baseline = columns.baseline
        self._targets = targets
        present = {sample.relay for sample in samples}
        self._relays = [name for name in columns.relays if name in present]
        self._compared = [name for name in columns.compared if name in present]

    def markdown(self) -> str:
        """The table, then the targets."""
        ratios = [f"{name} ÷ {self._baseline} (lowest–highest round)" for name in self._compared]
        rows = []
        for metric in METRICS:
            if any(self._values(metric, relay) for relay in self._relays):
                cells = [self._cell(metric, relay) for relay in self._relays]
                cells += [self._ratio_cell(metric, relay) for relay in self._compared]
                rows.append([metric.title, *cells])
        values = table(["measurement", *self._relays, *ratios], rows, numbers=True)
        return values + "\n\nTargets:\n" + "\n".join(self._target_lines())

    def write(self, path: Path, conditions: dict[str, object]) -> None:
        """Writes the values of every round, and their conditions."""
        write_json(path, {"conditions": conditions, "samples": [asdict(sample) for sample in self._samples]}, indent=2)

    def _values(self, metric: Metric, relay: str) -> dict[int, float]:
        return {
            sample.round: sample.values[metric.key]
            for sample in self._samples
            if (sample.measurement, sample.relay) == (metric.measurement, relay) and metric.key in sample.values
        }

    def _cell(self, metric: Metric, relay: str) -> str:
        values = self._values(metric, relay)
        no_relay = relay == "direct" and metric.key.startswith("cpu_")
        return f"{median(values.values()):.{metric.decimals}f}" if values and not no_relay else "–"

    def _ratios(self, metric: Metric, relay: str) -> list[float]:
        """The relay's values divided by the baseline's of the same round."""
        baseline = self._values(metric, self._baseline)
        values = self._values(metric, relay)
        return [values[round_] / baseline[round_] for round_ in values if round_ in baseline]

    def _ratio_cell(self, metric: Metric, relay: str) -> str:
        ratios = self._ratios(metric, relay)
        return f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})" if ratios else "–"

    def _target_lines(self) -> list[str]:
        lines = []
        for target in self._targets:
            metric, relay = target.metric, target.relay
            values = self._ratios(metric, relay) if target.ratio else [*self._values(metric, relay).values()]
            if not values:
                continue
            goal = f"{'≤' if target.at_most else '≥'} {target.limit:g}{f' × {self._baseline}' if target.ratio else ''}"
            rounds = f"met in {sum(map(target.is_met, values))} of {len(values)} rounds"
            promise = f"{self._subject(relay)}{metric.title} {goal}: {median(values):.4g} ({rounds})"
            lines.append(verdict_line(target.is_met(median(values)), promise))
        return lines or ["* none measured"]

    def _subject(self, relay: str) -> str:
        return f"{relay}, " if len(self._compared) > 1 else ""
