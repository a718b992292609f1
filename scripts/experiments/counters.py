"""Servers of the laboratory, by their own counters: connections, statements, lines of the log."""

import socket
import subprocess
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from .laboratory import HOST, Laboratory
from .process import ExperimentError

TIMEOUT_SECONDS = 60
STATISTICS_SECONDS = 1.5
"""PostgreSQL counts a session when it ends, or up to a second later."""
SETTLE_SECONDS = 1
"""After this time a setting is in effect, and a line is in the log."""


@dataclass(frozen=True)
class Cost:
    """What a server has counted. `statements` is None for a server that counts none."""

    connections: int
    statements: int | None
    lines: int

    def minus(self, other: "Cost") -> "Cost":
        """What was counted since `other`."""
        statements = None if self.statements is None or other.statements is None else self.statements - other.statements
        return Cost(self.connections - other.connections, statements, self.lines - other.lines)


def output(*words: str | Path) -> str:
    """What a program prints. It must succeed."""
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise ExperimentError(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    text: str = done.stdout
    return text.strip()


class Server(ABC):
    """A server of the laboratory that counts."""

    def __init__(self, lab: Laboratory, name: str) -> None:
        """`name` is that of the server in `scripts/lab status`."""
        self.lab = lab
        self.name = name

    @property
    @abstractmethod
    def port(self) -> int:
        """Where the server listens."""

    @abstractmethod
    def cost(self) -> Cost:
        """What it has counted up to now."""

    def lines(self) -> int:
        """How many lines the server has logged."""
        return self.lab.log(self.name).read_bytes().count(b"\n")

    @property
    def role(self) -> str:
        """PRIMARY or REPLICA, as the variables of `lab env` write it."""
        return self.name.split("-")[1].upper()


class Postgres(Server):
    """The statistics of the database that pings log in to. They are read from another one."""

    @property
    def port(self) -> int:
        return self.lab.port(f"PG_{self.role}")

    def cost(self) -> Cost:
        time.sleep(STATISTICS_SECONDS)
        row = self._sql("select sessions, xact_commit + xact_rollback from pg_stat_database where datname = 'app'")
        sessions, transactions = (int(word) for word in row.split("|"))
        return Cost(sessions, transactions, self.lines())

    def log_sessions(self, switch: str) -> None:
        """Switches the lines of each session `on` or `off`."""
        settings = [f"alter system set {name} = {switch}" for name in ("log_connections", "log_disconnections")]
        self._sql(*settings, "select pg_reload_conf()")
        time.sleep(SETTLE_SECONDS)

    def _sql(self, *statements: str) -> str:
        commands = [word for statement in statements for word in ("-c", statement)]
        login: list[str | Path] = [
            "-h",
            self.lab.data(self.name),
            "-p",
            str(self.port),
            "-U",
            "postgres",
            "-d",
            "postgres",
        ]
        return output("psql", "-XAtq", *login, *commands)


class MariaDB(Server):
    """The status variables Connections and Questions."""

    @property
    def port(self) -> int:
        return self.lab.port(f"MY_{self.role}")

    def cost(self) -> Cost:
        rows = self._sql("show global status where variable_name in ('Connections', 'Questions')")
        values = dict(row.split("\t") for row in rows.splitlines())
        general = self.lab.data(self.name) / "db" / "measured.log"
        lines = self.lines()
        if general.exists():
            lines += general.read_bytes().count(b"\n")
        return Cost(int(values["Connections"]), int(values["Questions"]), lines)

    def set(self, **variables: str) -> None:
        """Sets global variables."""
        for name, value in variables.items():
            self._sql(f"set global {name} = {value}")

    def _sql(self, statement: str) -> str:
        return output("mariadb", "--no-defaults", "-S", self.lab.data(self.name) / "socket", "-Nse", statement)


class Redis(Server):
    """The counters of INFO."""

    @property
    def port(self) -> int:
        return self.lab.port("REDIS_PRIMARY")

    def cost(self) -> Cost:
        login = ["--no-auth-warning", "-p", str(self.port), "-a", self.lab["REDIS_PASSWORD"]]
        text = output("redis-cli", *login, "info", "stats")
        values = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        connections, commands = (
            int(values[f"total_{name}"]) for name in ("connections_received", "commands_processed")
        )
        return Cost(connections, commands, self.lines())


class Memcached(Server):
    """The counters of `stats`."""

    @property
    def port(self) -> int:
        return self.lab.port("MEMCACHED_1")

    def cost(self) -> Cost:
        with socket.create_connection((HOST, self.port), TIMEOUT_SECONDS) as connection:
            connection.sendall(b"stats\r\n")
            text = b""
            while not text.endswith(b"END\r\n"):
                piece = connection.recv(65536)
                if not piece:
                    raise ExperimentError(f"{self.name} closed the connection in its answer to `stats`")
                text += piece
        values = dict(line.split()[1:3] for line in text.decode().splitlines() if line.startswith("STAT "))
        return Cost(int(values["total_connections"]), None, self.lines())


class RabbitMQ(Server):
    """The lines of its log about each connection that it accepts."""

    @property
    def port(self) -> int:
        return self.lab.port("RABBITMQ")

    def cost(self) -> Cost:
        time.sleep(SETTLE_SECONDS)
        text = self.lab.log(self.name).read_text(errors="replace")
        return Cost(text.count("accepting AMQP connection"), None, text.count("\n"))
