#!/usr/bin/python3
"""Plays the admin API of a `failover` that has whatever fault a test wants: a stream cut, a token, refused actions.

Run alone it serves the page at the port it prints; SIGUSR1 takes the replica down, SIGUSR2 brings it back.
"""

import argparse
import base64
import contextlib
import hashlib
import json
import queue
import random
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

PAGE = Path(__file__).resolve().parents[2] / "Sources/FailoverAdmin/Page/index.html"
PARTS = ("routes", "services")
TICK_SECONDS = 0.5
"""Between two statuses. A real failover takes 2 s; tests are in a hurry."""
PIECE_PAUSE_SECONDS = 0.03
Json = dict[str, Any]


def text_of(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> datetime:
    return datetime.now(UTC)


def ago(seconds: float) -> str:
    return text_of(now() - timedelta(seconds=seconds))


def content_security_policy(page: str) -> str:
    """As failover sends it: exactly the page's one style and one script may be used."""

    def hash_of(tag: str) -> str:
        [content] = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        return "'sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() + "'"

    return (
        f"default-src 'none'; style-src {hash_of('style')}; script-src {hash_of('script')}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def alias(name: str, address: str, sessions: int = 0) -> Json:
    return {
        "name": name, "address": address, "state": "up", "suspect": False, "tls_version": None,
        "certificate_ends": None, "draining": False, "drill": None, "sessions": sessions, "served": sessions,
    }  # fmt: skip


def route(name: str, engine: str, listen: list[str], aliases: list[Json], wave: int = 3) -> Json:
    chance = random.Random(name)
    return {
        "name": name, "engine": engine, "listen": listen, "current_alias": aliases[0]["name"] if aliases else None,
        "why": "preferred", "reason": None, "pinned": None, "closed": None, "aliases": aliases,
        "sessions": {
            "open": sum(one["sessions"] for one in aliases), "total": 3456, "refused": 0, "retried": 0, "moved": 0,
            "moving": 0, "moving_unreadable": 0,
        },
        "new_sessions": [chance.randint(0, wave) for _ in range(120)],
    }  # fmt: skip


def service(name: str, kind: str, location: str) -> Json:
    chance = random.Random(name)
    return {
        "name": name, "type": kind, "location": location, "state": "up", "since": ago(90061), "suspect": False,
        "reason": None, "detail": None,
        "last_ping": {"time": ago(1), "succeeded": True, "duration_ms": 1.2, "reason": None, "detail": None},
        "streak": {"succeeded": True, "count": 120}, "unconfirmed": 0, "fall": 2, "rise": 1,
        "ping_durations_ms": [None if ping == 20 else round(chance.uniform(1, 2.5), 1) for ping in range(59)] + [2.6],
    }  # fmt: skip


def stamped(status: Json) -> Json:
    """The status now. The current alias gets new sessions, unless a test names others."""
    for its in status["routes"]:
        for one in its["aliases"]:
            one["serving"] = one["name"] in its.get("side_by_side", [its["current_alias"]])
    return status | {"time": text_of(now())}


def news(former: Json, status: Json) -> tuple[str, Json]:
    """The event that tells the status to those who have the former one: what has changed, or all of it."""

    def fixed(of: Json) -> list[object]:
        names = [one["name"] for part in PARTS for one in of[part]]
        return [of[key] for key in ("version", "process_id", "started", "reloadable")] + names

    if not former or fixed(former) != fixed(status):
        return "status", status
    change = {key: value for key, value in status.items() if key == "time" or value != former[key]}
    for part in change.keys() & set(PARTS):
        change[part] = [one for one, other in zip(status[part], former[part], strict=True) if one != other]
    return "change", change


def usual_status() -> Json:
    return {
        "version": "0.2.0", "host": "proxy1", "process_id": 4711, "time": text_of(now()), "started": ago(93784),
        "ready": True, "stopping": False, "reloadable": True,
        "routes": [
            route("slave", "postgres", ["127.0.0.1:6432", "[::1]:6432"], [
                alias("slave", "127.0.0.1:15433", 12), alias("default", "127.0.0.1:15432", 0),
            ]),
            route("reports", "mysql", ["127.0.0.1:6306"], [
                alias("reports-1", "db3.internal:3306", 40), alias("reports-2", "db4.internal:3306", 2),
                alias("warehouse", "db5.internal:3306", 0),
            ], wave=9),
        ],
        "services": [
            service("slave", "postgres", "127.0.0.1:15433"),
            service("reports-1", "mysql", "db3.internal:3306"),
            service("cache", "memcached", "127.0.0.1:11211, 127.0.0.1:11212"),
            service("celery", "rabbitmq", "127.0.0.1:5672"),
        ],
        "settings": {}, "errors": {"connect_refused": 3, "reset": 1},
    }  # fmt: skip


def usual_events() -> list[Json]:
    started: list[tuple[Any, ...]] = [
        (3, "reload", "failover", "Configuration reloaded: nothing changed", None, None, None)
    ]
    story: list[tuple[Any, ...]] = [
        (2, "recovery", "celery", "celery is back up. Recovery complete. (Process ID: 4711)", None, None, None),
        (1, "outage", "celery", "celery outage. Failover initiated. (Process ID: 4711)", "timeout",
         "no greeting in 10 s", None),
    ]  # fmt: skip
    keys = ("id", "kind", "subject", "message", "reason", "detail", "current_alias")
    return [dict(zip(keys, one, strict=True)) | {"time": ago(4000 - one[0] * 60)} for one in started + story]


def _named(name: str, some: list[Json]) -> Json:
    return next(one for one in some if one["name"] == name)


@dataclass
class Request:
    """What the page asked for."""

    method: str
    path: str
    body: object
    token: str | None


@dataclass
class MockAdmin:
    """State that a test changes, and the server that shows it. Use it as a context manager."""

    status: Json = field(default_factory=usual_status)
    events: list[Json] = field(default_factory=usual_events)
    token: str | None = None
    refuses_streams: bool = False
    """Answers 503 to requests for the stream."""
    drops_actions: bool = False
    """Ends the connection of an action without an answer."""
    is_silent: bool = False
    """Keeps streams open and sends nothing."""
    piece: int | None = None
    """Bytes that the stream writes at once, with pauses in which they arrive alone."""
    failures: dict[str, tuple[int, Json]] = field(default_factory=dict)
    """Path of an action: status code and JSON it is answered with."""
    port: int = 0

    def __post_init__(self) -> None:
        self.requests: list[Request] = []
        self.stream_times: list[datetime] = []
        self._streams: set[queue.SimpleQueue[bytes | None]] = set()
        self._told: Json = {}
        self._lock = threading.RLock()
        self._over = threading.Event()

    def __enter__(self) -> "MockAdmin":
        page = PAGE.read_text(encoding="utf-8")
        handler = type("Bound", (Handler,), {"admin": self, "page": page, "policy": content_security_policy(page)})
        self._server = Server(("127.0.0.1", self.port), handler)
        self.port = self._server.server_address[1]
        works: list[Callable[[], object]] = [self._server.serve_forever, self._tick]
        self._threads = [threading.Thread(target=work, daemon=True) for work in works]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.cut_streams()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    # What happens

    @contextlib.contextmanager
    def change(self) -> Iterator[Json]:
        """The status may be changed inside; streams learn of it at the end."""
        with self._lock:
            yield self.status
            self.publish()

    def publish(self) -> None:
        with self._lock:
            status = deepcopy(stamped(self.status))
            self._send(*news(self._told, status))
            self._told = status

    def happen(self, kind: str, subject: str, message: str, **more: object) -> None:
        with self._lock:
            event: Json = {
                "id": max((one["id"] for one in self.events), default=0) + 1, "time": text_of(now()), "kind": kind,
                "subject": subject, "message": message, "reason": None, "detail": None, "current_alias": None,
            } | more  # fmt: skip
            self.events.insert(0, event)
            self._send("event", event, event["id"])

    def cut_streams(self) -> None:
        with self._lock:
            for stream in self._streams:
                stream.put(None)

    def route(self, name: str) -> Json:
        return _named(name, self.status["routes"])

    def alias(self, route: str, name: str) -> Json:
        return _named(name, self.route(route)["aliases"])

    def service(self, name: str) -> Json:
        return _named(name, self.status["services"])

    def replica_goes_down(self, detail: str = "127.0.0.1:15433: Connection refused") -> None:
        with self.change():
            replica = self.service("slave")
            replica |= {"state": "down", "since": text_of(now()), "reason": "refused", "detail": detail}
            replica["last_ping"] |= {"succeeded": False, "reason": "refused", "detail": detail, "time": text_of(now())}
            replica |= {"streak": {"succeeded": False, "count": 2}}
            replica["ping_durations_ms"] = [*replica["ping_durations_ms"][2:], None, None]
            route = self.route("slave")
            route |= {"current_alias": "default", "why": "failover", "reason": f"slave: refused: {detail}"}
            self.alias("slave", "slave").update(state="down", sessions=0)
            self.alias("slave", "default")["sessions"] = 12
            self.status["settings"] = {"CELERY_ALWAYS_EAGER": "True", "SEARCH_READONLY": "True"}
            self.happen(
                "outage", "slave", "slave outage. Failover initiated. (Process ID: 4711)", reason="refused",
                detail=detail, current_alias="default",
            )  # fmt: skip

    def replica_comes_back(self) -> None:
        with self.change():
            replica = self.service("slave")
            replica |= {"state": "up", "since": text_of(now()), "reason": None, "detail": None}
            replica |= {"last_ping": service("slave", "", "")["last_ping"], "streak": {"succeeded": True, "count": 1}}
            self.route("slave").update(current_alias="slave", why="preferred", reason=None)
            self.alias("slave", "slave").update(state="up", sessions=12)
            self.alias("slave", "default")["sessions"] = 0
            self.status["settings"] = {}
            self.happen(
                "recovery", "slave", "slave is back up. Recovery complete. (Process ID: 4711)", current_alias="slave"
            )

    def act(self, path: str, body: Json) -> tuple[int, Json]:
        """An action's answer, after it was done as failover does it."""
        if path in self.failures:
            return self.failures[path]
        match [unquote(word) for word in path.split("/")]:
            case ["services", name, "ping"]:
                return 200, {"message": f"{name}: up, 1.2 ms"}
            case ["routes", name, "switch"]:
                seconds = body["for_seconds"]
                until = text_of(now() + timedelta(seconds=seconds)) if seconds is not None else None
                with self.change():
                    pinned = {"alias": body["alias"], "until": until}
                    self.route(name).update(current_alias=body["alias"], why="pinned", pinned=pinned)
                    self.happen("switch", name, f"{name} switched", current_alias=body["alias"])
                return 200, {"message": f"{name} is pinned to {body['alias']}"}
            case ["routes", name, "release"]:
                with self.change():
                    first = self.route(name)["aliases"][0]["name"]
                    self.route(name).update(current_alias=first, why="preferred", pinned=None)
                    self.happen("release", name, f"{name} released", current_alias=first)
                return 200, {"message": f"{name} is released"}
            case ["aliases", name, "drain" | "undrain" as word]:
                with self.change():
                    for one in self.status["routes"]:
                        for its in one["aliases"]:
                            if its["name"] == name:
                                its["draining"] = word == "drain"
                    self.happen(word, name, f"{name}: {word}")
                return 200, {"message": f"{name}: {word}ed"}
            case ["sessions", "close"]:
                return 200, {"message": "12 sessions closed"}
            case ["reload"]:
                return 200, {"message": "configuration reloaded"}
        return 404, {"error": "no such path"}

    # Streams

    def _tick(self) -> None:
        while not self._over.wait(TICK_SECONDS):
            self.publish()

    def _send(self, event: str, data: object, identity: int | None = None) -> None:
        if self.is_silent:
            return
        text = json.dumps(data, ensure_ascii=False)
        lines = [f"event: {event}", *([f"id: {identity}"] if identity else []), f"data: {text}"]
        for stream in self._streams:
            stream.put(("\n".join(lines) + "\n\n: keep-alive\n\n").encode())

    def stream(self, write: Callable[[bytes], object]) -> None:
        """Hands everything to `write` until the stream is cut, which None stands for."""
        mine: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        with self._lock:
            self.publish()
            self._streams.add(mine)
            if not self.is_silent:
                mine.put(f"event: status\ndata: {json.dumps(self._told, ensure_ascii=False)}\n\n".encode())
        try:
            while not self._over.is_set() and (data := mine.get()) is not None:
                for start in range(0, len(data), self.piece or len(data)):
                    write(data[start : start + (self.piece or len(data))])
                    if self.piece:
                        self._over.wait(PIECE_PAUSE_SECONDS)
        finally:
            with self._lock:
                self._streams.discard(mine)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores a browser that closes its connection. Other errors are printed."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One request of the page."""

    protocol_version = "HTTP/1.1"
    admin: MockAdmin
    page: str
    policy: str

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path, _, _ = self.path.partition("?")
        if path == "/":
            headers = {"Content-Security-Policy": self.policy, "X-Content-Type-Options": "nosniff"}
            self._answer(200, self.page.encode(), "text/html; charset=utf-8", headers)
        elif not path.startswith("/api/v1/"):
            self._answer(204, b"", "text/plain")
        elif not self._is_allowed(None):
            self._json(401, {"error": "a token is needed"})
        elif path == "/api/v1/events/stream":
            self._stream()
        elif path == "/api/v1/events":
            with self.admin._lock:
                self._json(200, {"events": deepcopy(self.admin.events)})
        elif path == "/api/v1/status":
            self._json(200, self.admin.status)
        else:
            self._json(404, {"error": "no such path"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.admin.drops_actions:
            self.close_connection = True
        elif not self._is_allowed(body):
            self._json(401, {"error": "a token is needed"})
        elif self.headers["Content-Type"] != "application/json":
            self._json(400, {"error": "Content-Type must be application/json"})
        else:
            self._json(*self.admin.act(self.path.removeprefix("/api/v1/"), body))

    def _is_allowed(self, body: object) -> bool:
        token = self.headers["Authorization"]
        self.admin.requests.append(Request(self.command, self.path, body, token))
        return self.admin.token is None or token == f"Bearer {self.admin.token}"

    def _stream(self) -> None:
        self.admin.stream_times.append(now())
        if self.admin.refuses_streams:
            self._json(503, {"error": "stopping"})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.admin.stream(self.wfile.write)
        self.close_connection = True

    def _json(self, code: int, content: object) -> None:
        self._answer(code, json.dumps(content).encode(), "application/json")

    def _answer(self, code: int, content: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        with contextlib.suppress(ConnectionError):
            self.send_response(code)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token")
    options = parser.parse_args()
    with MockAdmin(port=options.port, token=options.token) as admin:
        signal.signal(signal.SIGUSR1, lambda *_: admin.replica_goes_down())
        signal.signal(signal.SIGUSR2, lambda *_: admin.replica_comes_back())
        print(admin.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                signal.pause()


if __name__ == "__main__":
    main()
