"""What many idle services cost: failover pings them, and nothing else happens."""

import socket
import threading
import time
from pathlib import Path

from .process import Process

SERVICES = 200
FIRST_PINGS_SECONDS = 30
TARGET_PERCENT = 1.0
LEAST_SHARE_OF_PINGS = 0.8


class PingTarget:
    """A listening socket that counts the connections it accepts and closes them at once."""

    def __init__(self) -> None:
        self.pings = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=SERVICES)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            session, _ = self._listener.accept()
            session.close()
            self.pings += 1


def services_report(binary: Path, frequency: int, seconds: int, directory: Path) -> str:
    """Runs failover for `seconds` with idle services, each pinged every `frequency` seconds; says what share of a core
    it used."""
    target = PingTarget()
    configuration = directory / "services.yaml"
    configuration.write_text(_configuration(target.port, frequency))
    command = [str(binary), "serve", "--config", str(configuration)]
    with Process("failover", command, directory / "failover.log") as process:
        _wait_for_first_pings(process, target)
        cpu, pings, start = process.cpu_seconds(), target.pings, time.monotonic()
        time.sleep(seconds)
        elapsed = time.monotonic() - start
        if not process.is_running:
            raise process.error("ended during the measurement")
        percent = (process.cpu_seconds() - cpu) / elapsed * 100
        pings_per_second = (target.pings - pings) / elapsed
    return _verdict(frequency, percent, pings_per_second)


def _configuration(port: int, frequency: int) -> str:
    services = [f"  s{number}: {{type: tcp, host: 127.0.0.1, port: {port}}}" for number in range(SERVICES)]
    return "\n".join([f"monitoring_ping_frequency: {frequency}s", "services:", *services, ""])


def _wait_for_first_pings(process: Process, target: PingTarget) -> None:
    deadline = time.monotonic() + FIRST_PINGS_SECONDS
    while target.pings < SERVICES:
        if not process.is_running:
            raise process.error("ended right after its start")
        if time.monotonic() > deadline:
            raise process.error(f"pinged {target.pings} of {SERVICES} services within {FIRST_PINGS_SECONDS} s")
        time.sleep(0.05)


def _verdict(frequency: int, percent: float, pings_per_second: float) -> str:
    wanted = SERVICES / frequency
    enough = pings_per_second >= LEAST_SHARE_OF_PINGS * wanted
    met = "met" if percent < TARGET_PERCENT and enough else "MISSED"
    return (
        f"{SERVICES} idle services, pinged every {frequency} s: "
        f"{percent:.2f} % of a core at {pings_per_second:.1f} pings/s (due: {wanted:.1f})\n"
        f"* {met}: < {TARGET_PERCENT:g} % of a core at {LEAST_SHARE_OF_PINGS:.0%} of the due pings or more"
    )
