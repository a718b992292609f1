"""What followers of events that never read hold of memory: failover's own, and what the kernel keeps for them."""

import time
from dataclasses import replace
from pathlib import Path

from .admin import FLOODED, MIB, under_load, variant
from .comparison import Sample, compare
from .measurement import Conditions, Measurement, Values
from .relay import Running

PAUSE_SECONDS = 0.5
MOST_GROWTH_BYTES = 16 * MIB
ESTABLISHED = "01"


def flooded(binary: Path, seconds: int, conditions: Conditions) -> Sample:
    """Holds the followers for `seconds`, while they are told more than they have room for."""
    held = under_load(Measurement("held", _held))
    [sample] = compare([variant(binary, FLOODED)], [held], 1, replace(conditions, seconds=seconds))
    return sample


def memory_lines(values: Values) -> list[str]:
    """The figures of the sample, and whether memory is bounded."""
    most = max(values["memory_most_bytes"], values["memory_after_bytes"])
    growth = most - values["memory_before_bytes"]
    verdict = "met" if growth < MOST_GROWTH_BYTES else "MISSED"
    connections = f"{values['connections_first']:.0f} followers at first, {values['connections_last']:.0f} at the end"
    kernel = f"the kernel keeps {values['kernel_most_bytes'] / MIB:.1f} MB for them at most"
    return [
        f"* {FLOODED}: own memory {most / MIB:.1f} MB at most; {connections}; {kernel}",
        f"* {verdict}: own memory grows by less than {MOST_GROWTH_BYTES / MIB:.0f} MB: {growth / MIB:.1f} MB",
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
