"""A small MySQL client, thousands of which fit in one process: it logs in and asks which server answers."""

import asyncio
import hashlib
import random
from collections import Counter

from .event import PRIMARY, REPLICA

PROTOCOL_41, SECURE, PLUGIN = 0x0200, 0x8000, 0x80000
COM_QUERY = b"\x03"
RETRY_SECONDS = 0.2


class Refused(Exception):
    """The server or the proxy answered with an error."""


class Client:
    """One client: keeps a session open, asks every few seconds, and connects again when the session ends."""

    def __init__(self, port: int, login: tuple[str, str], replica_port: int, counts: Counter[str]) -> None:
        self.place: str | None = None
        self._port, self._login, self._replica_port, self._counts = port, login, replica_port, counts

    async def live(self, pause: float) -> None:
        """Runs until it is cancelled. It asks every `pause` seconds, more or less."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError as failure:
                await self._fail("connect", failure)
                continue
            try:
                await self._log_in(reader, writer)
            except (Refused, OSError, asyncio.IncompleteReadError) as failure:
                writer.close()
                await self._fail("log in", failure)
                continue
            self._counts["sessions"] += 1
            try:
                while True:
                    self.place = await self._ask(reader, writer)
                    self._counts["queries"] += 1
                    await asyncio.sleep(random.uniform(0.5, 1.5) * pause)
            except (Refused, OSError, asyncio.IncompleteReadError):
                self._counts["sessions ended"] += 1
                self.place = None
            finally:
                writer.close()

    async def _fail(self, what: str, failure: Exception) -> None:
        """Counts a failure, and pauses before the next attempt."""
        self._counts[f"FAILED to {what}: {failure}"] += 1
        await asyncio.sleep(RETRY_SECONDS)

    async def _log_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeting = await _packet(reader)
        end = greeting.index(0, 1)
        challenge = greeting[end + 5 : end + 13] + greeting[end + 32 : end + 44]
        user, password = self._login
        answer = _native_password(password, challenge)
        body = (PROTOCOL_41 | SECURE | PLUGIN | 1).to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\x2d"
        body += bytes(23) + user.encode() + b"\0" + bytes([len(answer)]) + answer + b"mysql_native_password\0"
        _send(writer, 1, body)
        if (await _packet(reader))[0] != 0:
            raise Refused("login")

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        _send(writer, 0, COM_QUERY + b"select @@port")
        # Column count, column, EOF, row, EOF.
        packets = [await _packet(reader) for _ in range(5)]
        port = int(packets[3][1:])
        return REPLICA if port == self._replica_port else PRIMARY


def _native_password(password: str, challenge: bytes) -> bytes:
    """`mysql_native_password`: SHA1(password) xor SHA1(challenge + SHA1(SHA1(password)))."""
    first = hashlib.sha1(password.encode()).digest()
    second = hashlib.sha1(challenge + hashlib.sha1(first).digest()).digest()
    return bytes(a ^ b for a, b in zip(first, second, strict=True))


def _send(writer: asyncio.StreamWriter, sequence: int, body: bytes) -> None:
    writer.write(len(body).to_bytes(3, "little") + bytes([sequence]) + body)


async def _packet(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(4)
    body = await reader.readexactly(int.from_bytes(head[:3], "little"))
    if body[:1] == b"\xff":
        raise Refused(body[3:].decode(errors="replace"))
    return body
