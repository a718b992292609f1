#!/usr/bin/python3
"""Uses up all source ports to a healthy server: ports.py FAILOVER (as root)

Runs in a network namespace of its own. Exit status 1 if a session was cut, a client was refused, or the server counted
as down.
"""

import ctypes
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable

CLONE_NEWNET = 0x40000000
PATIENCE_SECONDS = 100
SOURCE_PORTS = 8

CONFIGURATION = """\
error_ping_frequency: 100ms
monitoring_ping_frequency: 200ms
databases:
  slave: {engine: tcp, host: 127.0.0.1, port: 9000}
  default: {engine: tcp, host: 127.0.0.1, port: 9001}
services:
  slave: {type: database, listen: "unix:SOCKET"}
"""


def serve(port: int) -> None:
    """A server that sends its port, and echoes what it receives."""
    listener = socket.create_server(("127.0.0.1", port))

    def echo(session: socket.socket) -> None:
        session.sendall(f"{port}\n".encode())
        while line := session.recv(100):
            session.sendall(line)
        session.close()

    def accept() -> None:
        while True:
            session, _ = listener.accept()
            threading.Thread(target=echo, args=[session], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def connect(path: str) -> tuple[socket.socket, str]:
    """Connects a client, which needs no port itself. Returns it and the port of its server."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE_SECONDS)
    client.connect(path)
    return client, client.recv(100).decode().strip()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("it did not come")
        time.sleep(0.02)


def main() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        sys.exit(f"unshare: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
        file.write(f"50000 {50000 + SOURCE_PORTS - 1}")
    serve(9000)
    serve(9001)
    with tempfile.TemporaryDirectory() as folder:
        path, log, configuration = (f"{folder}/{name}" for name in ("socket", "log", "failover.yaml"))
        with open(configuration, "w") as file:
            file.write(CONFIGURATION.replace("SOCKET", path))
        with open(log, "w") as file:
            proxy = subprocess.Popen([sys.argv[1], "serve", "--config", configuration], stderr=file)

        def said(words: str) -> bool:
            with open(log) as file:
                return words in file.read()

        try:
            wait_for(lambda: said("slave: listening"))
            held: list[tuple[socket.socket, str]] = []
            # Each session holds a source port to the server, until a ping finds none.
            while not said("slave could not be pinged"):
                assert len(held) < SOURCE_PORTS, "there are ports left"
                client, port = connect(path)
                held.append((client, port))
                if port == "9001":
                    wait_for(lambda: said("slave could not be pinged"))
            # New sessions go to the server that has a free port.
            assert {connect(path)[1] for _ in range(3)} == {"9001"}
            for client, _ in held:
                client.sendall(b"still there")
                assert client.recv(100) == b"still there", "a session was cut"
            assert not said("outage"), "an outage was made of it"
            for client, _ in held:
                client.close()
            wait_for(lambda: connect(path)[1] == "9000")
            assert not said("outage"), "an outage was made of it"
        finally:
            proxy.terminate()
            proxy.wait()


if __name__ == "__main__":
    main()
