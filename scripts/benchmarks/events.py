"""What many outages and recoveries do to a notifier that is slow: services flip, and a command takes its time."""

import json
import socket
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from .process import Process

SERVICES = 50
FLIPS_PER_SECOND = 4
EVENTS = 10_000
NOTIFIER_SECONDS = 0.1
PING_MILLISECONDS = 20
MOST_GROWTH_BYTES = 8 << 20


class FlippingTarget:
    """A port that listens, or does not. Whoever connects is let go at once."""

    def __init__(self) -> None:
        self._listener: socket.socket | None = self._listen(0)
        self.port = self._listener.getsockname()[1]

    def flip(self) -> None:
        if self._listener:
            self._listener.close()
            self._listener = None
        else:
            self._listener = self._listen(self.port)

    def accept(self) -> None:
        """Lets go whoever has connected since the last time."""
        with suppress(BlockingIOError):
            while self._listener:
                self._listener.accept()[0].close()

    @staticmethod
    def _listen(port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        listener.setblocking(False)
        return listener


def events_report(binary: Path, seconds: int, directory: Path) -> str:
    """Lets all services flip for `seconds`; says what the notifier was told, and what that did to memory."""
    target = FlippingTarget()
    configuration, told = directory / "events.yaml", directory / "told"
    configuration.write_text(_configuration(target.port, told))
    log = directory / "failover.log"
    with Process("failover", [str(binary), "serve", "--config", str(configuration)], log) as process:
        start = time.monotonic()
        flips, first, most = 0, 0, 0
        while (elapsed := time.monotonic() - start) < seconds:
            if not process.is_running:
                raise process.error("ended during the measurement")
            target.accept()
            if flips < elapsed * FLIPS_PER_SECOND:
                target.flip()
                flips += 1
            if flips % FLIPS_PER_SECOND == 0:
                most = max(most, process.own_memory_bytes())
                first = first or (most if elapsed > 5 else 0)
            time.sleep(0.01)
        _wait_for_the_last(process, log, target)
    decided = _decided(log)
    return _verdict(decided, seconds, _told(told), _lost(log), first, most)


def _configuration(port: int, told: Path) -> str:
    services = [f"  s{number}: {{type: tcp, host: 127.0.0.1, port: {port}}}" for number in range(SERVICES)]
    command = f"cat >> {told}; echo >> {told}; sleep {NOTIFIER_SECONDS}"
    return "\n".join(
        [
            f"monitoring_ping_frequency: {PING_MILLISECONDS}ms",
            f"outage_ping_frequency: {PING_MILLISECONDS}ms",
            "services:",
            *services,
            "notify:",
            f"  - {{type: command, run: [/bin/sh, -c, {json.dumps(command)}]}}",
            "",
        ]
    )


def _decided(log: Path) -> int:
    lines = log.read_text(errors="replace").splitlines()
    return sum(" outage. Failover initiated." in line or " is back up." in line for line in lines)


def _lost(log: Path) -> int:
    """How many events the log says were coalesced."""
    words = log.read_text(errors="replace").split()
    counts = [word.removeprefix("events_coalesced=") for word in words if word.startswith("events_coalesced=")]
    return sum(map(int, counts))


def _wait_for_the_last(process: Process, log: Path, target: FlippingTarget) -> None:
    deadline = time.monotonic() + 120
    while not log.read_text(errors="replace").rstrip().split("\n")[-1].count("has caught up"):
        if time.monotonic() > deadline:
            raise process.error("left events waiting for two minutes")
        target.accept()
        time.sleep(0.01)


def _told(path: Path) -> dict[str, list[dict]]:
    events: dict[str, list[dict]] = {}
    for line in filter(None, path.read_text().splitlines()):
        event = json.loads(line)
        events.setdefault(event["service"], []).append(event)
    return events


def _verdict(decided: int, seconds: int, told: dict[str, list[dict]], lost: int, first: int, most: int) -> str:
    count = sum(map(len, told.values()))
    in_order = all(
        before["time"] <= after["time"] and before["event"] != after["event"]
        for events in told.values()
        for before, after in pairwise(events)
    )
    megabytes = [value / (1 << 20) for value in (first, most)]
    met = {
        f"{EVENTS} events or more in a minute": decided >= EVENTS * seconds / 60,
        "each service's events told in order, outage and recovery by turns": in_order and len(told) == SERVICES,
        "told and coalesced events make all": count + lost == decided,
        f"memory grows by less than {MOST_GROWTH_BYTES >> 20} MB": most - first < MOST_GROWTH_BYTES,
    }
    lines = [f"* {'met' if held else 'MISSED'}: {promise}" for promise, held in met.items()]
    return "\n".join(
        [
            f"{decided} events of {SERVICES} services in {seconds} s, a notifier that takes {NOTIFIER_SECONDS:g} s: "
            f"{count} told, {lost} coalesced; own memory {megabytes[0]:.1f} MB after 5 s, {megabytes[1]:.1f} MB at most",
            *lines,
        ]
    )
