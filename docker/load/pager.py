"""Stands for whoever is told of outages: prints what failover's webhook brings."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 8080


class Pager(BaseHTTPRequestHandler):
    """Takes an event as JSON and prints it as one line."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        print(body.decode(errors="replace").strip(), flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """What it prints is the log."""


def listen() -> None:
    """For ever."""
    ThreadingHTTPServer(("", PORT), Pager).serve_forever()
