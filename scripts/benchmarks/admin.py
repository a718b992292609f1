"""What the admin plane costs the data plane: failover without one, with one at rest, with ones that have clients."""

from collections.abc import Callable
from pathlib import Path
from statistics import median

from .adminload import FOLLOWERS, Asking, Counts, Flooding, Following, Load, loaded
from .comparison import Sample
from .measurement import MEASUREMENTS, Conditions, Measurement, Values, round_trips
from .process import BenchmarkError, Process
from .relay import Administration, Relay, Running, failover
from .report import Columns, Target, row

WITHOUT, AGAIN, IDLE, ASKED, FOLLOWED, FLOODED = "without", "again", "idle", "asked", "followed", "flooded"
VARIANTS = Columns([WITHOUT, AGAIN, IDLE, ASKED, FOLLOWED], baseline=WITHOUT, compared=[AGAIN, IDLE, ASKED, FOLLOWED])
"""`again` is `without` a second time: how far the two lie apart is the machine's doing."""

LOADS: dict[str, Callable[[Administration], Load]] = {ASKED: Asking, FOLLOWED: Following, FLOODED: Flooding}

MEASURED = [*(one for one in MEASUREMENTS if one.fits_direct), Measurement("round-trip", round_trips)]
USUAL = ["select-8", "exchange", "round-trip"]

MIB = 1 << 20
LOOP = "loop-"
"""Names of event loops' threads begin so."""
MOST_CHANGE = 0.02
MOST_CHANGE_OF_P99 = 0.1
"""One answer in a hundred comes late for other reasons too."""


def _change(relay: str, measurement: str, key: str, most: float = MOST_CHANGE) -> Target:
    grows = key == "per_s"
    return Target(row(measurement, key), 1 - most if grows else 1 + most, at_most=not grows, ratio=True, relay=relay)


def _share(measurement: str) -> Target:
    return Target(row(measurement, "other_share"), MOST_CHANGE, at_most=True, ratio=False, relay=ASKED)


COSTS = [("select-8", "per_s"), ("select-8", "cpu_us"), ("exchange", "per_s"), ("exchange", "cpu_us")]
TARGETS = [
    *(_change(relay, *cost) for relay in (IDLE, ASKED) for cost in COSTS),
    *(_change(relay, "round-trip", "p50_us") for relay in (IDLE, ASKED, FOLLOWED)),
    _change(FOLLOWED, "round-trip", "p99_us", MOST_CHANGE_OF_P99),
    *(_share(measurement) for measurement in ("select-8", "exchange")),
]


def variant(binary: Path, name: str) -> Relay:
    """The configuration that all variants share, with or without an admin plane."""
    return failover(binary, name, has_admin_plane=name not in (WITHOUT, AGAIN))


def under_load(measurement: Measurement) -> Measurement:
    """The measurement while the variant's admin plane has its clients, with the variant's memory before and after."""

    def run(conditions: Conditions, relay: Running) -> Values:
        process = relay.process
        assert process is not None, "every variant is a process"
        try:
            before = process.own_memory_bytes()
            values, counts = _measured(measurement, conditions, relay, process)
            memory = {"memory_before_bytes": before, "memory_after_bytes": process.own_memory_bytes()}
        except (OSError, BenchmarkError) as failure:
            if not process.is_running:
                raise process.error(f"ended during {measurement.name}") from failure
            raise BenchmarkError(f"{measurement.name}, {process.name}: {failure}") from failure
        if not process.is_running:
            raise process.error(f"ended during {measurement.name}")
        return values | counts | memory

    return Measurement(measurement.name, run)


def _measured(
    measurement: Measurement, conditions: Conditions, relay: Running, process: Process
) -> tuple[Values, Counts]:
    if process.name not in LOADS:
        return _with_share(measurement, conditions, relay, process), {}
    assert relay.administration is not None, "who has clients has an admin plane"
    with loaded(LOADS[process.name], relay.administration) as counts:
        values = _with_share(measurement, conditions, relay, process)
    return values, counts


def _with_share(measurement: Measurement, conditions: Conditions, relay: Running, process: Process) -> Values:
    """The measurement's values, with the share of the relay's CPU time that is not its event loops': what pings and the
    admin plane's answers cost, counted and not compared."""
    loops, others = _cpu_seconds(process)
    values = measurement.run(conditions, relay)
    loops_after, others_after = _cpu_seconds(process)
    spent = others_after - others
    return values | {"other_share": spent / (spent + loops_after - loops)}


def _cpu_seconds(process: Process) -> tuple[float, float]:
    """Of event loops, and of the other threads."""
    threads = process.thread_cpu_seconds()
    loops = sum(seconds for name, seconds in threads if name.startswith(LOOP))
    return loops, sum(seconds for _, seconds in threads) - loops


def clients_lines(samples: list[Sample]) -> list[str]:
    """What the clients of the admin plane did, and what became of the memory."""
    lines = []
    for name in LOADS:
        values = [sample.values for sample in samples if sample.relay == name]
        if not values:
            continue
        rate = median(value["actions_per_s"] for value in values)
        if name == ASKED:
            lines.append(f"* {name}: {rate:.1f} requests/s")
        else:
            served = min(value["followers"] for value in values)
            before, after = (median(value[f"memory_{when}_bytes"] for value in values) for when in ("before", "after"))
            memory = f"own memory {before / MIB:.1f} MB before, {after / MIB:.1f} MB after"
            lines.append(f"* {name}: {served:.0f} of {FOLLOWERS} followers served, {rate:.1f} events/s; {memory}")
    return lines
