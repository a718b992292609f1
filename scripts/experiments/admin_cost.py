"""What the admin plane costs the data plane, and how much memory its clients take.

failover is measured without an admin plane, with one at rest, and with ones that have clients.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

from .admin import FOLLOWERS, Administration, Asking, Counts, Flooding, Following, Load, loaded
from .bench_relays import Candidate, Running, failover
from .comparison import Columns, Sample, Target, compare, row
from .measurement import MEASUREMENTS, Conditions, Measurement, Values, round_trips
from .process import ExperimentError, Process
from .report import verdict_line

WITHOUT, AGAIN, IDLE, ASKED, FOLLOWED, FLOODED = "without", "again", "idle", "asked", "followed", "flooded"
VARIANTS = Columns([WITHOUT, AGAIN, IDLE, ASKED, FOLLOWED], baseline=WITHOUT, compared=[AGAIN, IDLE, ASKED, FOLLOWED])
"""`again` repeats `without`: the difference between the two is the machine's."""

LOADS: dict[str, Callable[[Administration], Load]] = {ASKED: Asking, FOLLOWED: Following, FLOODED: Flooding}

MEASURED = [*(one for one in MEASUREMENTS if one.fits_direct), Measurement("round-trip", round_trips)]
USUAL = ["select-8", "exchange", "round-trip"]

MIB = 1 << 20
LOOP = "loop-"
"""The prefix of the names of event loops' threads."""
MOST_CHANGE = 0.02
MOST_CHANGE_OF_P99 = 0.1
"""One answer in a hundred is late for other reasons too."""
PAUSE_SECONDS = 0.5
MOST_GROWTH_BYTES = 16 * MIB
ESTABLISHED = "01"
"""The state of a connection, as /proc/net/tcp writes it."""


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


def variant(binary: Path, name: str) -> Candidate:
    """failover in the configuration that all variants share, with or without an admin plane."""
    return failover(binary, name, has_admin_plane=name not in (WITHOUT, AGAIN))


def under_load(measurement: Measurement) -> Measurement:
    """The measurement while the admin plane of the variant has its clients, with the memory before and after."""

    def run(conditions: Conditions, relay: Running) -> Values:
        process = relay.process
        assert process is not None, "every variant is a process"
        try:
            before = process.own_memory_bytes()
            values, counts = _measured(measurement, conditions, relay, process)
            memory = {"memory_before_bytes": before, "memory_after_bytes": process.own_memory_bytes()}
        except (OSError, ExperimentError) as failure:
            if not process.is_running:
                raise process.error(f"ended during {measurement.name}") from failure
            raise ExperimentError(f"{measurement.name}, {process.name}: {failure}") from failure
        if not process.is_running:
            raise process.error(f"ended during {measurement.name}")
        return values | counts | memory

    return Measurement(measurement.name, run)


def _measured(
    measurement: Measurement, conditions: Conditions, relay: Running, process: Process
) -> tuple[Values, Counts]:
    if process.name not in LOADS:
        return _with_share(measurement, conditions, relay, process), {}
    assert relay.administration is not None, "a variant with clients has an admin plane"
    with loaded(LOADS[process.name], relay.administration) as counts:
        values = _with_share(measurement, conditions, relay, process)
    return values, counts


def _with_share(measurement: Measurement, conditions: Conditions, relay: Running, process: Process) -> Values:
    """The measurement's values, and the share of the relay's CPU time outside of its event loops.

    The share is what pings and the answers of the admin plane cost.
    """
    loops, others = _cpu_seconds(process)
    values = measurement.run(conditions, relay)
    loops_after, others_after = _cpu_seconds(process)
    spent = others_after - others
    return values | {"other_share": spent / (spent + loops_after - loops)}


def _cpu_seconds(process: Process) -> tuple[float, float]:
    """CPU time of event loops, and of the other threads."""
    threads = process.thread_cpu_seconds()
    loops = sum(seconds for name, seconds in threads if name.startswith(LOOP))
    return loops, sum(seconds for _, seconds in threads) - loops


def clients_lines(samples: list[Sample]) -> list[str]:
    """What the clients of the admin plane did, and the memory before and after."""
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


def flooded(binary: Path, seconds: int, conditions: Conditions) -> Sample:
    """Holds the followers for `seconds`, while they are sent more than their buffers take."""
    held = under_load(Measurement("held", _held))
    [sample] = compare([variant(binary, FLOODED)], [held], 1, replace(conditions, seconds=seconds))
    return sample


def memory_lines(values: Values) -> list[str]:
    """The figures of the sample, and whether memory is bounded."""
    most = max(values["memory_most_bytes"], values["memory_after_bytes"])
    growth = most - values["memory_before_bytes"]
    connections = f"{values['connections_first']:.0f} followers at first, {values['connections_last']:.0f} at the end"
    kernel = f"the kernel keeps {values['kernel_most_bytes'] / MIB:.1f} MB for them at most"
    return [
        f"* {FLOODED}: own memory {most / MIB:.1f} MB at most; {connections}; {kernel}",
        verdict_line(
            growth < MOST_GROWTH_BYTES,
            f"own memory grows by less than {MOST_GROWTH_BYTES / MIB:.0f} MB: {growth / MIB:.1f} MB",
        ),
    ]


def _held(conditions: Conditions, relay: Running) -> Values:
    process, administration = relay.process, relay.administration
    assert process is not None and administration is not None, "followers follow an admin plane"
    first, _ = _connections(administration.port)
    last, memory, kernel = first, 0, 0
    end = time.monotonic() + conditions.seconds
    while process.is_running and time.monotonic() < end:
        last, queued = _connections(administration.port)
        memory, kernel = max(memory, process.own_memory_bytes()), max(kernel, queued)
        time.sleep(PAUSE_SECONDS)
    return {
        "seconds": conditions.seconds,
        "connections_first": first,
        "connections_last": last,
        "memory_most_bytes": memory,
        "kernel_most_bytes": kernel,
    }


def _connections(port: int) -> tuple[int, int]:
    """How many connections this port serves, and how many bytes wait in the kernel for their clients."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    queues = [
        int(queues.partition(":")[0], 16)
        for _, local, _, state, queues, *_ in lines
        if state == ESTABLISHED and local.endswith(f":{port:04X}")
    ]
    return len(queues), sum(queues)
