#!/usr/bin/python3
"""Begins many TLS handshakes with the proxy at once, while other sessions work: tls_rush.py PORT HANDSHAKES SESSIONS

A client of the rush has been served when the proxy has read a cancel request of it within TLS, of a session that does
not exist: the proxy then ends the connection in order. Prints how many were served, how long the last one took, and how
many transactions the other sessions had meanwhile. Exit status 1 if anything failed.
"""

import asyncio
import ssl
import sys
import threading
import time

import psycopg

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
CANCEL_REQUEST = b"\x00\x00\x00\x10\x04\xd2\x16\x2e" + bytes(8)
LIMIT_SECONDS = 200
# Between two transactions. Without it, the threads would keep each other and the rush from running.
PAUSE_SECONDS = 0.02


async def handshake(port: int, context: ssl.SSLContext) -> float:
    start = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(SSL_REQUEST)
    if await reader.readexactly(1) != b"S":
        raise ConnectionError("no TLS")
    await writer.start_tls(context)
    writer.write(CANCEL_REQUEST)
    if await reader.read() != b"":
        raise ConnectionError("an answer to a cancel request")
    writer.close()
    return time.monotonic() - start


async def rush(port: int, count: int) -> list[float | BaseException]:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    clients = [asyncio.wait_for(handshake(port, context), LIMIT_SECONDS) for _ in range(count)]
    return await asyncio.gather(*clients, return_exceptions=True)


class Work:
    """Sessions that have transactions until the rush is over."""

    def __init__(self, port: int, count: int) -> None:
        self.done, self.slowest = 0, 0.0
        self.failures: list[str] = []
        self._over = threading.Event()
        self._ready = threading.Barrier(count + 1)
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(port,)) for _ in range(count)]

    def __enter__(self) -> "Work":
        for thread in self._threads:
            thread.start()
        self._ready.wait(LIMIT_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, port: int) -> None:
        place = f"host=127.0.0.1 port={port} user=app password=app-secret dbname=app sslmode=require"
        try:
            with psycopg.connect(place, autocommit=True) as connection:
                self._ready.wait(LIMIT_SECONDS)
                while not self._over.is_set():
                    start = time.monotonic()
                    with connection.transaction():
                        connection.execute("select count(*) from generate_series(1, 100)")
                    with self._lock:
                        self.done += 1
                        self.slowest = max(self.slowest, time.monotonic() - start)
                    self._over.wait(PAUSE_SECONDS)
        except Exception as failure:
            self.failures.append(repr(failure))


def main() -> None:
    port, handshakes, sessions = map(int, sys.argv[1:])
    with Work(port, sessions) as work:
        results = asyncio.run(rush(port, handshakes))
    times = [result for result in results if isinstance(result, float)]
    print(f"{len(times)} served")
    print(f"the last one after {max(times, default=0):.2f} s")
    print(f"{work.done} transactions of {sessions} sessions, the slowest {work.slowest:.2f} s")
    failures = work.failures + [repr(result) for result in results if not isinstance(result, float)]
    for failure in failures[:10]:
        print(f"FAILED: {failure}")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
