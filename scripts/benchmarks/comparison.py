"""Interleaved rounds: every measurement through every relay in turn."""

import sys
import time
from dataclasses import dataclass

from .measurement import Conditions, Measurement, Values
from .memcached import memcached
from .relay import Ports, Relay, direct

SETTLE_SECONDS = 0.3


@dataclass(frozen=True)
class Sample:
    """The values of one measurement through one relay in one round."""

    round: int
    measurement: str
    relay: str
    values: Values


def compare(
    relays: list[Relay | None], measurements: list[Measurement], rounds: int, conditions: Conditions
) -> list[Sample]:
    """Measures through each relay, None being no relay, in an order that rotates."""
    samples = []
    for round_ in range(rounds):
        for number, measurement in enumerate(measurements):
            print(f"bench: round {round_ + 1} of {rounds}: {measurement.name}", file=sys.stderr)
            first = (round_ + number) % len(relays)
            for relay in relays[first:] + relays[:first]:
                if relay is None and not measurement.fits_direct:
                    continue
                name = relay.name if relay else "direct"
                samples.append(Sample(round_ + 1, measurement.name, name, _measure(relay, measurement, conditions)))
    return samples


def _measure(relay: Relay | None, measurement: Measurement, conditions: Conditions) -> Values:
    """Measures with a relay and a memcached started afresh: no memory, no TIME_WAIT of the one before."""
    sessions = conditions.idle_sessions + 100
    with memcached(conditions.directory, sessions) as memcached_port:
        servers = Ports(conditions.laboratory.port, memcached_port)
        starting = direct(servers)
        if relay:
            starting = relay.started(conditions.laboratory, servers, sessions, conditions.directory)
        with starting as running:
            time.sleep(SETTLE_SECONDS)
            return measurement.run(conditions, running)
