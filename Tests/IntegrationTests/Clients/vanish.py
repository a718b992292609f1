#!/usr/bin/python3
"""Drops all packets to and from a server, in a network namespace of its own: vanish.py FAILOVER (as root)

The pings are too rare to notice. A session that only waits must end by the kernel's watch over the backend, and a new
client must be served by the next server. Prints what happened; exit status 1 if it did not.
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

CONFIGURATION = """\
shutdown_grace: 10ms
databases:
  slave: {engine: tcp, host: 127.0.0.1, port: 9000}
  default: {engine: tcp, host: 127.0.0.1, port: 9001}
services:
  slave: {type: database, listen: "127.0.0.1:7000", on_outage: keep, keepalive: 1s, tcp_user_timeout: 2s}
"""


def serve(port: int, name: bytes) -> None:
    """A server that sends its name and then nothing."""
    listener = socket.create_server(("127.0.0.1", port))
    sessions: list[socket.socket] = []

    def accept() -> None:
        while True:
            session, _ = listener.accept()
            session.sendall(name)
            sessions.append(session)

    threading.Thread(target=accept, daemon=True).start()


def connect() -> socket.socket:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", 7000), timeout=PATIENCE_SECONDS)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                sys.exit("the proxy does not listen")
            time.sleep(0.02)


def main() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        sys.exit(f"unshare: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    serve(9000, b"slave")
    serve(9001, b"other")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(CONFIGURATION)
        file.flush()
        proxy = subprocess.Popen([sys.argv[1], "serve", "--config", file.name], stderr=subprocess.DEVNULL)
        try:
            held = connect()
            assert held.recv(5, socket.MSG_WAITALL) == b"slave", "the first session is not on the slave"
            rule = "tcp dport 9000 drop; tcp sport 9000 drop;"
            table = f"table inet vanish {{ chain c {{ type filter hook input priority 0; {rule} }}; }}"
            subprocess.run(["nft", table], check=True)
            start = time.monotonic()
            assert connect().recv(5, socket.MSG_WAITALL) == b"other", "a new client is not on the next server"
            assert held.recv(1) == b"", "the session that waits was not ended"
            print(f"ended after {time.monotonic() - start:.1f} s")
        finally:
            proxy.terminate()
            proxy.wait()


if __name__ == "__main__":
    main()
