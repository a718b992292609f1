"""The table of `scripts/bench tls`, with ratios to the better of the other relays, and the targets."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from .bench_tls_relays import FAILOVER, HAPROXY, PGBOUNCER
from .comparison import Metric, Sample, Target
from .report import table, verdict_line, write_json

KIB = 1024
COLUMNS = ["direct", HAPROXY, PGBOUNCER, FAILOVER]


@dataclass(frozen=True)
class Row:
    """A row of the table. `is_rate` says that more is better."""

    metric: Metric
    is_rate: bool = False
    peers: tuple[str, ...] = (HAPROXY, PGBOUNCER)
    """The other relays that do the same work."""


def _rows(measurement: str, what: str, unit: str, *peers: str) -> list[Row]:
    peers = peers or (HAPROXY, PGBOUNCER)
    return [
        Row(Metric(measurement, "per_s", f"{what}: {unit}s/s"), is_rate=True, peers=peers),
        Row(Metric(measurement, "cpu_us", f"{what}: relay CPU, µs/{unit}", 1), peers=peers),
    ]


ROWS = [
    *_rows("select-8", "point queries, 8 clients", "transaction"),
    *_rows("handshakes", "full handshakes, direct TLS, 8 clients", "handshake"),
    *_rows("handshakes-asked", "full handshakes after a request for TLS, 8 clients", "handshake"),
    # PgBouncer has its connections to the server already.
    *_rows("reconnect-8", "connect for each query, 8 clients", "transaction", HAPROXY),
    Row(Metric("idle-client", "bytes", "idle sessions, TLS with the client: relay memory (PSS), bytes/session")),
    Row(Metric("idle-both", "bytes", "idle sessions, TLS on both sides: relay memory (PSS), bytes/session")),
]


def _metric(measurement: str, key: str) -> Metric:
    return next(row.metric for row in ROWS if (row.metric.measurement, row.metric.key) == (measurement, key))


TLS_TARGETS = [
    Target(_metric("select-8", "cpu_us"), 0.95, at_most=True, ratio=True),
    Target(_metric("select-8", "per_s"), 1.0, at_most=False, ratio=True),
    Target(_metric("handshakes", "per_s"), 1.0, at_most=False, ratio=True),
    Target(_metric("handshakes", "cpu_us"), 1.0, at_most=True, ratio=True),
    Target(_metric("idle-client", "bytes"), 24 * KIB, at_most=True, ratio=False),
    Target(_metric("idle-both", "bytes"), 40 * KIB, at_most=True, ratio=False),
]


class TLSReport:
    """The summary of one comparison."""

    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples
        present = {sample.relay for sample in samples}
        self._relays = [name for name in COLUMNS if name in present]

    def markdown(self) -> str:
        """The table, then the targets."""
        rows = []
        for row in ROWS:
            if any(self._values(row.metric, relay) for relay in self._relays):
                cells = [self._cell(row.metric, relay) for relay in self._relays]
                rows.append([row.metric.title, *cells, self._ratio_cell(row)])
        headings = ["measurement", *self._relays, f"{FAILOVER} ÷ better relay (lowest–highest round)"]
        return table(headings, rows, numbers=True) + "\n\nTargets:\n" + "\n".join(self._target_lines())

    def write(self, path: Path, conditions: dict[str, object]) -> None:
        """Writes the values of every round, and their conditions."""
        write_json(path, {"conditions": conditions, "samples": [asdict(sample) for sample in self._samples]}, indent=2)

    def better_peer(self, row: Row) -> str | None:
        """The other relay with the better median; None if none was measured."""
        medians = {peer: median(values.values()) for peer in row.peers if (values := self._values(row.metric, peer))}
        best: Callable[..., str] = max if row.is_rate else min
        return best(medians, key=medians.__getitem__) if medians else None

    def ratios(self, row: Row) -> list[float]:
        """failover's values divided by those of the better relay in the same round."""
        peer = self.better_peer(row)
        baseline = self._values(row.metric, peer) if peer else {}
        values = self._values(row.metric, FAILOVER)
        return [values[round_] / baseline[round_] for round_ in values if round_ in baseline]

    def _values(self, metric: Metric, relay: str) -> dict[int, float]:
        return {
            sample.round: sample.values[metric.key]
            for sample in self._samples
            if (sample.measurement, sample.relay) == (metric.measurement, relay) and metric.key in sample.values
        }

    def _cell(self, metric: Metric, relay: str) -> str:
        values = self._values(metric, relay)
        return f"{median(values.values()):.{metric.decimals}f}" if values else "–"

    def _ratio_cell(self, row: Row) -> str:
        ratios = self.ratios(row)
        return f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}, {self.better_peer(row)})" if ratios else "–"

    def _target_lines(self) -> list[str]:
        lines = []
        for target in TLS_TARGETS:
            metric = target.metric
            row = next(row for row in ROWS if row.metric == metric)
            values = self.ratios(row) if target.ratio else [*self._values(metric, FAILOVER).values()]
            if not values:
                continue
            goal = f"{'≤' if target.at_most else '≥'} {target.limit:g}"
            goal += f" × {self.better_peer(row)}" if target.ratio else ""
            rounds = f"met in {sum(map(target.is_met, values))} of {len(values)} rounds"
            lines.append(
                verdict_line(target.is_met(median(values)), f"{metric.title} {goal}: {median(values):.4g} ({rounds})")
            )
        return lines or ["* none measured"]
