#!/usr/bin/python3
"""A client that vanishes in the middle of a result, and peers that have no room, in a network namespace of its own:
stalls.py FAILOVER (as root). Prints what happened. Exit status 1 if a live session was cut, or a dead one was kept.
"""

import ctypes
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

CLONE_NEWNET = 0x40000000
PATIENCE_SECONDS = 100
USER_TIMEOUT_SECONDS = 2

CONFIGURATION = f"""\
databases:
  slave: {{engine: tcp, host: 127.0.0.1, port: 9000}}
  default: {{engine: tcp, host: 127.0.0.1, port: 9001}}
services:
  slave: {{type: database, listen: "127.0.0.1:7000", max_connections: 1, tcp_user_timeout: {USER_TIMEOUT_SECONDS}s}}
"""


def serve(port: int) -> None:
    """A server that sends without end."""
    listener = socket.create_server(("127.0.0.1", port))

    def flood(session: socket.socket) -> None:
        try:
            while True:
                session.sendall(b"x" * 65536)
        except OSError:
            session.close()

    def accept() -> None:
        while True:
            session, _ = listener.accept()
            threading.Thread(target=flood, args=[session], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def connect() -> socket.socket:
    """A client that gets the route's only session."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            client = socket.create_connection(("127.0.0.1", 7000), timeout=PATIENCE_SECONDS)
            if client.recv(1) == b"x":
                return client
        except ConnectionError:
            pass
        time.sleep(0.02)
    sys.exit("the place is not free again")


def main() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        sys.exit(f"unshare: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    serve(9000)
    serve(9001)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(CONFIGURATION)
        file.flush()
        proxy = subprocess.Popen([sys.argv[1], "serve", "--config", file.name], stderr=subprocess.DEVNULL)
        try:
            client = connect()
            # Its kernel still reports that there is no room.
            time.sleep(4 * USER_TIMEOUT_SECONDS)
            left = 40_000_000
            while left > 0:
                part = client.recv(1 << 20)
                assert part, "a client that acknowledges was cut"
                left -= len(part)
            print("a client that acknowledges is served")
            port = client.getsockname()[1]
            rule = f"tcp dport {port} drop; tcp sport {port} drop;"
            table = f"table inet vanish {{ chain c {{ type filter hook input priority 0; {rule} }}; }}"
            subprocess.run(["nft", table], check=True)
            start = time.monotonic()
            connect()
            print(f"its place is free {time.monotonic() - start:.1f} s after it vanished")
        finally:
            proxy.terminate()
            proxy.wait()


if __name__ == "__main__":
    main()
