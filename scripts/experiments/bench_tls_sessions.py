"""Idle sessions for `scripts/bench tls`, with a small server: the laboratory's PostgreSQL takes fewer of them."""

import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from .bench_tls_client import TIMEOUT_SECONDS, TLS_REQUEST, TLSClient
from .bench_tls_relays import Identity
from .laboratory import HOST, Primary
from .process import ExperimentError, Process

IDLE_SECONDS = 1
PROTOCOL = struct.pack("!I", 196608)
TLS_RECORD = b"\x16"
LONGEST_MESSAGE = 1 << 16
STACK_BYTES = 256 * 1024


def message(kind: bytes, body: bytes) -> bytes:
    """A message of PostgreSQL's protocol. The startup message has no kind."""
    return kind + struct.pack("!I", len(body) + 4) + body


READY = message(b"Z", b"I")
WELCOME = b"".join(
    [
        message(b"R", struct.pack("!I", 0)),
        *(
            message(b"S", f"{name}\0{value}\0".encode())
            for name, value in [
                ("server_version", "18.0"),
                ("server_encoding", "UTF8"),
                ("client_encoding", "UTF8"),
                ("integer_datetimes", "on"),
                ("standard_conforming_strings", "on"),
                ("TimeZone", "UTC"),
                ("DateStyle", "ISO, MDY"),
            ]
        ),
        message(b"K", struct.pack("!II", 1, 1)),
        READY,
    ]
)
ANSWER = b"".join(
    [
        message(b"T", struct.pack("!H", 1) + b"one\0" + struct.pack("!IHIhiH", 0, 0, 23, 4, -1, 0)),
        message(b"D", struct.pack("!HI", 1, 1) + b"1"),
        message(b"C", b"SELECT 1\0"),
        READY,
    ]
)


def received(session: socket.socket, count: int) -> bytes:
    """Exactly so many bytes."""
    data = b""
    while len(data) < count:
        piece = session.recv(count - len(data))
        if not piece:
            raise ConnectionError("the peer has closed the connection")
        data += piece
    return data


def received_message(session: socket.socket, kind_length: int = 1) -> tuple[bytes, bytes]:
    """The kind of the next message, and its body."""
    kind = received(session, kind_length)
    [length] = struct.unpack("!I", received(session, 4))
    if not 4 <= length <= LONGEST_MESSAGE:
        raise ConnectionError(f"a message of {length} bytes")
    return kind, received(session, length - 4)


class _Session(socketserver.BaseRequestHandler):
    """A session without a password, in clear or with TLS. Every query has the answer of `select 1`."""

    def handle(self) -> None:
        try:
            self._serve(self.request)
        except (OSError, struct.error):
            return

    def _serve(self, session: socket.socket) -> None:
        assert isinstance(self.server, FakePostgres)
        session.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if session.recv(1, socket.MSG_PEEK) == TLS_RECORD:
            session = self.server.tls.wrap_socket(session, server_side=True)
        _, startup = received_message(session, kind_length=0)
        if startup == TLS_REQUEST[4:]:
            session.sendall(b"S")
            session = self.server.tls.wrap_socket(session, server_side=True)
            _, startup = received_message(session, kind_length=0)
        if not startup.startswith(PROTOCOL):
            return
        session.sendall(WELCOME)
        while (kind := received_message(session)[0]) != b"X":
            if kind == b"Q":
                session.sendall(ANSWER)


class FakePostgres(socketserver.ThreadingTCPServer):
    """The part of a PostgreSQL server that idle sessions, and pings of them, need."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, identity: Identity) -> None:
        super().__init__((HOST, 0), _Session)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(identity.certificate, identity.key)
        self.tls.set_alpn_protocols(["postgresql"])

    @property
    def port(self) -> int:
        """Where it listens."""
        _, port = self.socket.getsockname()
        assert isinstance(port, int)
        return port


@contextmanager
def fake_postgres(identity: Identity) -> Iterator[int]:
    """Runs the server in threads of this process. Yields its port."""
    threading.stack_size(STACK_BYTES)
    with FakePostgres(identity) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.port
        finally:
            server.shutdown()


def growth_per_session(process: Process, client: TLSClient, login: Primary, count: int) -> float:
    """The growth of the relay's memory, in bytes, for each of many sessions that had a query and are idle."""
    with ExitStack() as stack:
        before = process.memory_bytes()
        sessions = []
        for _ in range(count):
            session = stack.enter_context(closing(client.connect()))
            _log_in(session, login)
            _query(session)
            sessions.append(session)
        time.sleep(IDLE_SECONDS)
        growth = process.memory_bytes() - before
        for session in sessions:
            _query(session)
    return growth / count


def _log_in(session: socket.socket, login: Primary) -> None:
    session.settimeout(TIMEOUT_SECONDS)
    values = ["user", login.user, "database", login.database, ""]
    session.sendall(message(b"", PROTOCOL + "\0".join(values).encode() + b"\0"))
    _until_ready(session)


def _query(session: socket.socket) -> None:
    session.sendall(message(b"Q", b"select 1\0"))
    _until_ready(session)


def _until_ready(session: socket.socket) -> None:
    while (answer := received_message(session))[0] != b"Z":
        kind, body = answer
        if kind == b"E":
            raise ExperimentError(f"a session failed: {body!r}")
