"""Clients that end their sessions after a TLS handshake, as many as a relay takes: a program of `scripts/bench tls`.

It is a process of its own, whose only work is that of the clients.
"""

import argparse
import json
import multiprocessing
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from .laboratory import HOST, ROOT
from .process import ExperimentError

TLS_REQUEST = struct.pack("!II", 8, 80877103)
TIMEOUT_SECONDS = 20


def tls_context() -> ssl.SSLContext:
    """The TLS of clients: version 1.3, certificates are not verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["postgresql"])
    return context


CONTEXT = tls_context()


@dataclass(frozen=True)
class TLSClient:
    """Where clients connect to. With `asks`, they request TLS; otherwise they begin it directly."""

    port: int
    asks: bool

    def connect(self) -> ssl.SSLSocket:
        """A new connection after its full handshake: without a ticket of an earlier one."""
        raw = socket.create_connection((HOST, self.port), TIMEOUT_SECONDS)
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.asks:
                raw.sendall(TLS_REQUEST)
                if (answer := raw.recv(1)) != b"S":
                    raise ExperimentError(f"the answer to a request for TLS is {answer!r}")
            return CONTEXT.wrap_socket(raw)
        except BaseException:
            raw.close()
            raise

    def shake_hands(self) -> None:
        """A full handshake. Returns when the relay has seen its end, and has closed the connection."""
        with self.connect() as session:
            # From here on it is a socket without TLS.
            session.shutdown(socket.SHUT_WR)
            while session.recv(65536):
                pass


@dataclass(frozen=True)
class Handshakes:
    """How many handshakes took how long, and the CPU time of the clients."""

    count: int
    seconds: float
    client_cpu: float


def handshakes(client: TLSClient, clients: int, seconds: int) -> Handshakes:
    """Lets `clients` clients at a time make handshakes."""
    argv = [sys.executable, "-B", "-m", f"{__package__}.{Path(__file__).stem}", str(client.port), str(clients)]
    argv += [str(seconds), *(["--ask"] if client.asks else [])]
    done = subprocess.run(argv, cwd=ROOT / "scripts", capture_output=True, text=True)
    if done.returncode != 0:
        raise ExperimentError(f"the clients of port {client.port} failed: {done.stderr.strip()}")
    return Handshakes(**json.loads(done.stdout))


def _until(end: float, client: TLSClient, report: Callable[[tuple[int, float]], None]) -> None:
    count = 0
    while time.monotonic() < end:
        client.shake_hands()
        count += 1
    report((count, time.process_time()))


def main() -> None:
    """Prints `Handshakes` as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("port", "clients", "seconds"):
        parser.add_argument(name, type=int)
    parser.add_argument("--ask", action="store_true")
    options = parser.parse_args()
    client = TLSClient(options.port, options.ask)
    results: multiprocessing.SimpleQueue[tuple[int, float]] = multiprocessing.SimpleQueue()
    start = time.monotonic()
    end = start + options.seconds
    workers = [multiprocessing.Process(target=_until, args=(end, client, results.put)) for _ in range(options.clients)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    elapsed = time.monotonic() - start
    if any(worker.exitcode for worker in workers):
        sys.exit(1)
    values = [results.get() for _ in workers]
    total = Handshakes(sum(count for count, _ in values), elapsed, sum(cpu for _, cpu in values))
    print(json.dumps(asdict(total)))


if __name__ == "__main__":
    main()
