"""Clients of failover's admin plane: one that asks, and one that follows events without ever reading them."""

import json
import socket
from http.client import HTTPConnection
from pathlib import Path

from .process import BenchmarkError
from .relay import Administration

TIMEOUT_SECONDS = 10
OK = b"HTTP/1.1 200"
SMALL_BUFFER_BYTES = 2048


class AdminClient:
    """Asks over one connection that stays open."""

    def __init__(self, connection: HTTPConnection, headers: dict[str, str]) -> None:
        self._connection = connection
        self._headers = headers

    @classmethod
    def over_tcp(cls, administration: Administration) -> "AdminClient":
        connection = HTTPConnection("127.0.0.1", administration.port, timeout=TIMEOUT_SECONDS)
        return cls(connection, {"Authorization": f"Bearer {administration.token}"})

    @classmethod
    def over_unix_socket(cls, administration: Administration) -> "AdminClient":
        return cls(_UnixConnection(administration.socket), {})

    def get(self, path: str) -> None:
        """Reads the whole answer."""
        self._ask("GET", path, None, {})

    def post(self, path: str, body: dict[str, str]) -> None:
        """Has something done."""
        self._ask("POST", path, json.dumps(body), {"Content-Type": "application/json"})

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> None:
        self._connection.request(method, path, body, self._headers | headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise BenchmarkError(f"{method} {path}: {response.status} {content.decode(errors='replace')}")


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def deaf_follower(administration: Administration) -> socket.socket:
    """A client that asks for the event stream, has little room for it and leaves it unread."""
    follower = socket.socket()
    follower.settimeout(TIMEOUT_SECONDS)
    # Before it connects: the window is said in the handshake.
    follower.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
    follower.connect(("127.0.0.1", administration.port))
    host = f"Host: 127.0.0.1:{administration.port}"
    request = f"GET /api/v1/events/stream HTTP/1.1\r\n{host}\r\nAuthorization: Bearer {administration.token}\r\n\r\n"
    try:
        follower.sendall(request.encode())
    except ConnectionError:
        # Closed already, there were too many; `is_served` tells.
        pass
    return follower


def is_served(follower: socket.socket) -> bool:
    """Whether its stream has begun, or it was closed for being one too many. Looks at the answer, leaves it unread."""
    try:
        answer = follower.recv(len(OK), socket.MSG_PEEK)
    except ConnectionError:
        return False
    if answer and answer != OK:
        raise BenchmarkError(f"a follower of events is answered {answer!r}")
    return bool(answer)
