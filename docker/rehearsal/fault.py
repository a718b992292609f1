"""What happens to a replica, and how it is put back."""

from collections.abc import Callable
from dataclasses import dataclass

from .compose import address, engine, join_network, leave_network

ELSEWHERE = 200
"""Added to the last number of an address, or taken off again."""


@dataclass(frozen=True)
class Fault:
    """A fault that can be played on a service and undone."""

    name: str
    title: str
    play: Callable[[str], None]
    undo: Callable[[str], None]


def _command(name: str) -> Callable[[str], None]:
    return lambda service: engine(name, service)


def _readdress(service: str) -> None:
    """Stops it, and gives it another address to start under."""
    before = address(service)
    engine("stop", service)
    leave_network(service)
    network, _, last = before.rpartition(".")
    number = int(last)
    join_network(service, f"{network}.{number - ELSEWHERE if number > ELSEWHERE else number + ELSEWHERE}")


FAULTS = [
    Fault("kill", "killed", _command("kill"), _command("start")),
    Fault("pause", "paused: silent", _command("pause"), _command("unpause")),
    Fault("stop", "stopped cleanly", _command("stop"), _command("start")),
    Fault("disconnect", "off the network: packets vanish", leave_network, join_network),
    Fault("readdress", "restarted under another address", _readdress, _command("start")),
]
