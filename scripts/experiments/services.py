"""What services cost: 200 that are idle, and 50 that go down and up faster than a slow notifier can tell."""

import json
import socket
import threading
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from .process import Process, holds_within
from .relay import failover
from .report import verdict_line

IDLE_SERVICES = 200
FIRST_PINGS_SECONDS = 30
TARGET_PERCENT = 1.0
LEAST_SHARE_OF_PINGS = 0.8

FLIPPING_SERVICES = 50
FLIPS_PER_SECOND = 4
EVENTS = 10_000
NOTIFIER_SECONDS = 0.1
PING_MILLISECONDS = 20
LAST_EVENT_SECONDS = 120
MOST_GROWTH_BYTES = 8 << 20

Told = dict[str, str]
"""An event, as the notifier reads it."""


class PingTarget:
    """A listening socket that counts the connections it accepts and closes them at once."""

    def __init__(self, backlog: int = IDLE_SERVICES) -> None:
        self.pings = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stops listening: later connections are refused."""
        # Unlike close, this wakes the thread that accepts.
        self._listener.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError), self._listener:
            while True:
                session, _ = self._listener.accept()
                session.close()
                self.pings += 1


def idle_report(binary: Path, frequency: int, seconds: int, directory: Path) -> str:
    """Runs failover for `seconds` with idle services, each pinged every `frequency` seconds.

    Returns the report: the share of a core that failover used.
    """
    target = PingTarget()
    configuration = directory / "services.yaml"
    lines = [f"monitoring_ping_frequency: {frequency}s", *_services(IDLE_SERVICES, target.port), ""]
    configuration.write_text("\n".join(lines))
    with Process("failover", failover(binary)(configuration), directory / "failover.log") as process:
        pinged = f"did not ping {IDLE_SERVICES} services"
        process.wait_until(FIRST_PINGS_SECONDS, lambda: target.pings >= IDLE_SERVICES, pinged)
        cpu, pings, start = process.cpu_seconds(), target.pings, time.monotonic()
        time.sleep(seconds)
        elapsed = time.monotonic() - start
        if not process.is_running:
            raise process.error("ended during the measurement")
        percent = (process.cpu_seconds() - cpu) / elapsed * 100
        pings_per_second = (target.pings - pings) / elapsed
    return _idle_verdict(frequency, percent, pings_per_second)


def _services(count: int, port: int) -> list[str]:
    """Lines of a configuration: services that are pinged at one port."""
    return ["services:", *(f"  s{number}: {{type: tcp, host: 127.0.0.1, port: {port}}}" for number in range(count))]


def _idle_verdict(frequency: int, percent: float, pings_per_second: float) -> str:
    wanted = IDLE_SERVICES / frequency
    enough = pings_per_second >= LEAST_SHARE_OF_PINGS * wanted
    promise = f"< {TARGET_PERCENT:g} % of a core at {LEAST_SHARE_OF_PINGS:.0%} of the due pings or more"
    return (
        f"{IDLE_SERVICES} idle services, pinged every {frequency} s: "
        f"{percent:.2f} % of a core at {pings_per_second:.1f} pings/s (due: {wanted:.1f})\n"
        + verdict_line(percent < TARGET_PERCENT and enough, promise)
    )


class FlippingTarget:
    """A port that listens or does not. Connections are closed at once."""

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
        """Closes the connections that were made since the last call."""
        with suppress(BlockingIOError):
            while self._listener:
                self._listener.accept()[0].close()

    @staticmethod
    def _listen(port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        listener.setblocking(False)
        return listener


def events_report(binary: Path, seconds: int, directory: Path) -> str:
    """Lets all services flip for `seconds`. Returns the report: the events that the notifier got, and the memory."""
    target = FlippingTarget()
    configuration, told = directory / "events.yaml", directory / "told"
    configuration.write_text(_flipping_configuration(target.port, told))
    log = directory / "failover.log"
    with Process("failover", failover(binary)(configuration), log) as process:
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


def _flipping_configuration(port: int, told: Path) -> str:
    command = f"cat >> {told}; echo >> {told}; sleep {NOTIFIER_SECONDS}"
    return "\n".join(
        [
            f"monitoring_ping_frequency: {PING_MILLISECONDS}ms",
            f"outage_ping_frequency: {PING_MILLISECONDS}ms",
            *_services(FLIPPING_SERVICES, port),
            "notify:",
            f"  - {{type: command, run: [/bin/sh, -c, {json.dumps(command)}]}}",
            "",
        ]
    )


def _decided(log: Path) -> int:
    lines = log.read_text(errors="replace").splitlines()
    return sum(" outage. Failover initiated." in line or " is back up." in line for line in lines)


def _lost(log: Path) -> int:
    """How many events were coalesced, according to the log."""
    words = log.read_text(errors="replace").split()
    counts = [word.removeprefix("events_coalesced=") for word in words if word.startswith("events_coalesced=")]
    return sum(map(int, counts))


def _wait_for_the_last(process: Process, log: Path, target: FlippingTarget) -> None:
    def has_caught_up() -> bool:
        target.accept()
        return "has caught up" in log.read_text(errors="replace").rstrip().split("\n")[-1]

    if not holds_within(LAST_EVENT_SECONDS, has_caught_up, 0.01):
        raise process.error("left events waiting for two minutes")


def _told(path: Path) -> dict[str, list[Told]]:
    events: dict[str, list[Told]] = {}
    for line in filter(None, path.read_text().splitlines()):
        event = json.loads(line)
        events.setdefault(event["service"], []).append(event)
    return events


def _verdict(decided: int, seconds: int, told: dict[str, list[Told]], lost: int, first: int, most: int) -> str:
    count = sum(map(len, told.values()))
    in_order = all(
        before["time"] <= after["time"] and before["event"] != after["event"]
        for events in told.values()
        for before, after in pairwise(events)
    )
    megabytes = [value / (1 << 20) for value in (first, most)]
    met = {
        f"{EVENTS} events or more in a minute": decided >= EVENTS * seconds / 60,
        "each service's events sent in order, outage and recovery alternating": in_order
        and len(told) == FLIPPING_SERVICES,
        "sent and coalesced events add up to all": count + lost == decided,
        f"memory grows by less than {MOST_GROWTH_BYTES >> 20} MB": most - first < MOST_GROWTH_BYTES,
    }
    lines = [verdict_line(kept, promise) for promise, kept in met.items()]
    return "\n".join(
        [
            f"{decided} events of {FLIPPING_SERVICES} services in {seconds} s, "
            f"a notifier that takes {NOTIFIER_SECONDS:g} s: {count} sent, {lost} coalesced; "
            f"own memory {megabytes[0]:.1f} MB after 5 s, {megabytes[1]:.1f} MB at most",
            *lines,
        ]
    )
