"""The two servers that the relays stand before, and how clients and relays reach them."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.laboratory import Server, laboratory_status, run_laboratory
from benchmarks.process import BenchmarkError

from .session import REPLICA, Login, MySQLSession, PostgresSession, Session

HAPROXY_USER = "haproxy"
READY_SECONDS = 15


@dataclass(frozen=True)
class Engine:
    """A database engine: how its servers, its clients and its checks differ from the other's."""

    name: str
    laboratory_name: str
    prefix: str
    """Of its variables in `lab env`."""
    session: type[PostgresSession] | type[MySQLSession]
    shutdown: signal.Signals
    """Asks a server for a fast clean shutdown."""
    haproxy_check: str


POSTGRES = Engine("postgres", "postgres", "LAB_PG", PostgresSession, signal.SIGINT, "pgsql-check user monitor")
MYSQL = Engine("mysql", "mariadb", "LAB_MY", MySQLSession, signal.SIGTERM, f"mysql-check user {HAPROXY_USER}")
ENGINES = {engine.name: engine for engine in (POSTGRES, MYSQL)}


@dataclass(frozen=True)
class Stand:
    """A primary and a replica of one engine."""

    engine: Engine
    primary_port: int
    replica_port: int
    client: Login
    monitor_user: str
    monitor_password: str
    directory: str

    def dial(self, port: int, limit: float | None) -> Session:
        """A new session over `port`; see the sessions for `limit`."""
        return self.engine.session(port, self.replica_port, self.client, limit)

    def dial_replica(self, port: int, limit: float | None) -> Session:
        """A new session that the replica answers over `port`; tried for a while."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                session = self.dial(port, limit)
                if session.who() == REPLICA:
                    return session
                session.close()
                seen = "the primary's answers"
            except Exception as failure:  # whatever the drivers raise
                seen = str(failure)
            if time.monotonic() > deadline:
                raise BenchmarkError(f"did not lead to the replica within {READY_SECONDS} s; at last: {seen}")
            time.sleep(0.05)

    def ask(self, port: int, limit: float) -> str:
        """What a short-lived client does over `port`: connects, logs in, asks who answers, disconnects."""
        session = self.dial(port, limit)
        try:
            return session.who()
        finally:
            session.close()

    def replica(self) -> Server:
        """The replica as it is now."""
        name = self._server_name("replica")
        return next(server for server in laboratory_status() if server.name == name)

    def replica_pid(self) -> int:
        """The pid of the replica's first process."""
        replica = self.replica()
        if replica.pid is None:
            raise BenchmarkError(f"{replica.name} does not run")
        return replica.pid

    def fault(self, name: str) -> None:
        """Does to the replica what `lab fault` calls `name`."""
        run_laboratory("fault", self._server_name("replica"), name)

    @contextmanager
    def haproxy_user(self) -> Iterator[None]:
        """The user without a password and without privileges that HAProxy's MySQL check logs in as."""
        if self.engine is not MYSQL:
            yield
            return
        self._administer(f"create or replace user {HAPROXY_USER}")
        try:
            yield
        finally:
            self._administer(f"drop user {HAPROXY_USER}")

    def _administer(self, statement: str) -> None:
        user = subprocess.run(["id", "-un"], stdout=subprocess.PIPE, text=True).stdout.strip()
        name = self._server_name("primary")
        path = f"{self.directory}/data/{name}/socket"
        argv = ["mariadb", "--no-defaults", f"--socket={path}", f"--user={user}", "-e", statement]
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode != 0:
            raise BenchmarkError(f"{name}: {statement}: {done.stderr.strip()}")

    def _server_name(self, role: str) -> str:
        return f"{self.engine.laboratory_name}-{role}"


def stand(engine: Engine, exported: dict[str, str], sslmode: str) -> Stand:
    """The laboratory's servers of `engine`, given what `lab env` exports."""
    return Stand(
        engine=engine,
        primary_port=int(exported[f"{engine.prefix}_PRIMARY_PORT"]),
        replica_port=int(exported[f"{engine.prefix}_REPLICA_PORT"]),
        client=Login(
            user=exported["LAB_APP_USER"],
            password=exported["LAB_APP_PASSWORD"],
            database=exported["LAB_APP_DATABASE"],
            sslmode=sslmode,
        ),
        monitor_user=exported["LAB_MONITOR_USER"],
        monitor_password=exported["LAB_MONITOR_PASSWORD"],
        directory=exported["LAB_DIR"],
    )


def forget_databases_of_the_caller() -> None:
    """The caller's own databases are none of the drill's business."""
    for name in [name for name in os.environ if name.startswith(("PG", "MYSQL_"))]:
        del os.environ[name]
