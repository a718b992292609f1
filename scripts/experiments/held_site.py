"""A Django site under requests at a steady pace, with each of its ways to keep connections."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from threading import Event as Flag
from threading import Thread

from .event import CLIENT, Count, Event, attempt, failed
from .held_needs import INTERPRETER, PROGRAMS, PYTHON
from .held_outage import BEFORE_SECONDS, OUTAGE_SECONDS, recovery
from .held_report import Report
from .held_run import Run
from .held_stand import PRIMARY_ALIAS, HeldRoute
from .held_worker import Events
from .laboratory import HOST
from .outcome import plain
from .process import ExperimentError, Process, say
from .relay import free_ports
from .report import Column, Verdict, table_of
from .soak import listens

PER_SECOND = 40
THREADS = 8
LIMIT_SECONDS = 20
START_SECONDS = 30
LOOK_AFTER = (10, 40)
"""Seconds from the recovery, at which it is looked who answers."""
LOOK_SECONDS = 2
"""For how long."""
DEFAULT_ENGINE = "postgres"


@dataclass(frozen=True)
class Setting:
    """How Django keeps its connections."""

    key: str
    title: str
    values: dict[str, object]


SETTINGS = [
    Setting("0", "`CONN_MAX_AGE=0` (Django's default)", {"CONN_MAX_AGE": 0}),
    Setting("none", "`CONN_MAX_AGE=None`", {"CONN_MAX_AGE": None}),
    Setting(
        "checks",
        "`CONN_MAX_AGE=None`, `CONN_HEALTH_CHECKS`",
        {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True},
    ),
]


@dataclass(frozen=True)
class SiteOutcome:
    """What the visitors of a site saw. Times are the wall clock's."""

    title: str
    killed: float
    started: float
    recovered: float
    left: int
    """Sessions on the primary at the end."""
    events: list[Event]

    def outage(self) -> Count:
        """HTTP errors from the replica's death to its start."""
        return failed(event for event in self.events if self.killed <= event.ended and event.started < self.started)

    def at_return(self) -> Count:
        """HTTP errors from the replica's start on."""
        return failed(event for event in self.events if event.started >= self.started)

    def answered_by(self, seconds: float) -> str:
        """The servers that answered so long after the recovery."""
        since = self.recovered + seconds
        seen = Counter(event.who or "errors" for event in self.events if since <= event.started < since + LOOK_SECONDS)
        return ", ".join(f"{who} {number}" for who, number in sorted(seen.items())) or "no request"

    def raw(self) -> dict[str, object]:
        """For JSON."""
        errors = [event for event in self.events if event.error]
        moments = {name: asdict(self)[name] - self.killed for name in ("started", "recovered")}
        shown = {f"answered_by_after_{seconds}": self.answered_by(seconds) for seconds in LOOK_AFTER}
        counts = {"settings": self.title, "requests": len(self.events), "on_primary": self.left}
        return {**counts, **moments, **shown, "errors": plain(errors, self.killed)}


def _answered(seconds: float) -> Column[SiteOutcome]:
    return Column(f"answered by, {seconds} s after the return", lambda case: case.answered_by(seconds))


COLUMNS: list[Column[SiteOutcome]] = [
    Column("settings", lambda case: case.title),
    Column("HTTP errors in the outage", lambda case: str(case.outage())),
    Column("at the return", lambda case: str(case.at_return())),
    *map(_answered, LOOK_AFTER),
    Column("sessions on the primary at the end", lambda case: str(case.left)),
]


class Visitors:
    """Requests at a steady pace. None of them waits for another."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._events = Events()
        self._stopping = Flag()
        self._thread = Thread(target=self._come, daemon=True)
        self._thread.start()

    def stop(self) -> list[Event]:
        """Waits for the requests that are under way. Returns what all of them saw."""
        self._stopping.set()
        self._thread.join()
        time.sleep(1)
        return sorted(self._events.all(), key=lambda event: event.started)

    def _come(self) -> None:
        first = time.time()
        number = 0
        while not self._stopping.wait(max(0.0, first + number / PER_SECOND - time.time())):
            Thread(target=self._visit, daemon=True).start()
            number += 1

    def _visit(self) -> None:
        self._events.publish(attempt(CLIENT, 0, lambda: visit(self._port), lambda _: False))


def visit(port: int) -> str:
    """Asks the site which server answers."""
    connection = HTTPConnection(HOST, port, timeout=LIMIT_SECONDS)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        if answer.status != 200:
            raise OSError(f"HTTP {answer.status}")
        return text
    finally:
        connection.close()


@contextmanager
def site(route: HeldRoute, setting: Setting) -> Iterator[int]:
    """Runs the site. Yields its port."""
    login = route.servers.client
    database: dict[str, object] = {"HOST": HOST, "PORT": route.port, "NAME": login.database, "USER": login.user}
    database = database | {"PASSWORD": login.password} | setting.values
    [port] = free_ports(1)
    variables = [f"PYTHONPATH={PYTHON}", f"HELD_DATABASE={json.dumps(database)}"]
    options = ["--workers", "1", "--worker-class", "gthread", "--threads", str(THREADS), "--keep-alive", "0"]
    where = ["--bind", f"{HOST}:{port}", "--chdir", str(PROGRAMS), "application:application"]
    argv = ["env", *variables, INTERPRETER, "-B", "-m", "gunicorn", *options, *where]
    with Process("gunicorn", argv, route.folder / "site.log") as process:
        process.wait_until(START_SECONDS, lambda: listens(port), "does not listen")
        yield port


def play_setting(route: HeldRoute, setting: Setting) -> SiteOutcome:
    """One outage of the replica behind the site."""
    with ExitStack() as stack:
        visitors = Visitors(stack.enter_context(site(route, setting)))
        stack.callback(visitors.stop)
        time.sleep(BEFORE_SECONDS)
        killed = route.kill_replica()
        time.sleep(max(0.0, killed + OUTAGE_SECONDS - time.time()))
        started = route.start_replica()
        recovered = recovery(route, started)
        time.sleep(max(0.0, recovered + max(LOOK_AFTER) + LOOK_SECONDS - time.time()))
        left = route.sessions()[PRIMARY_ALIAS]
        outcome = SiteOutcome(setting.title, killed, started, recovered, left, visitors.stop())
    say(f"site: {setting.title}: {outcome.at_return()} failed at the return")
    return outcome


def play_site(run: Run) -> Report:
    """One outage for each of the settings, on PostgreSQL."""
    servers = run.servers.get(DEFAULT_ENGINE)
    if servers is None:
        raise ExperimentError(f"the site needs the engine {DEFAULT_ENGINE}")
    outcomes: list[SiteOutcome] = []
    for setting in SETTINGS:
        if setting.key in run.options.settings:
            say(f"site: {setting.title}")
            with run.route(servers) as route:
                outcomes.append(play_setting(route, setting))
    late = [f"{case.title}: {case.answered_by(max(LOOK_AFTER))}" for case in outcomes if not _is_back(case)]
    promise = f"{max(LOOK_AFTER)} s after the return the replica answers every request"
    title = (
        f"A Django site (gunicorn, {THREADS} threads, {PER_SECOND} requests a second, psycopg 3's default TLS); "
        f"replica killed for {OUTAGE_SECONDS} s, then back"
    )
    return Report(title, table_of(COLUMNS, outcomes), [Verdict(promise, late)], [case.raw() for case in outcomes])


def _is_back(case: SiteOutcome) -> bool:
    return case.answered_by(max(LOOK_AFTER)).startswith("replica")
