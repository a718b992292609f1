"""`scripts/faults` and `docker/faults`: fault tests on this machine, and with Docker Compose."""

import argparse
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from . import compose
from .command import (
    add_binary,
    chosen,
    end_with,
    failover_binary,
    failover_version,
    first_line,
    machine_line,
    need_packages,
    parser_of,
    positive,
)
from .compose_stand import ComposeStand
from .fault_report import ComposeReport, LocalReport
from .hopeless import HOPELESS, play_hopeless
from .laboratory import ROOT, laboratory_servers, laboratory_status
from .local import ENGINES, FAILOVER, Job, relays, servers_of
from .local_faults import DROP, FAULTS, NoNetwork, Replica, enter_private_network
from .local_stand import BEFORE_SECONDS, LocalStand
from .notice import TITLE, play_notice
from .outcome import Outcome
from .play import Fault, play
from .process import ExperimentError, say
from .relay import Relay

LOCAL_DESCRIPTION = """\
Plays every fault of a replica, under load, behind failover and HAProxy, and reports what clients notice.

Each fault is played once before all relays at the same time, each under 20 new clients per second and with sessions
that stay open. Debian's own Python runs this, because Debian's database drivers are installed only for it.
"""
COMPOSE_DESCRIPTION = """\
Plays every fault of the laboratory's servers, and reports what the application noticed.

Each fault is played on PostgreSQL and MariaDB at the same time, under the load of the running laboratory. Exit status 1
if failover broke a promise. First: docker compose up -d
"""
DEFAULT_JSON = ROOT / ".lab" / "faults.json"
# The laboratory's too: in the private network nothing can be downloaded.
PACKAGES = ["haproxy", "iproute2", "mariadb-server", "nftables", "openssl", "postgresql", "procps"]
DRIVERS = ["python3-psycopg", "python3-pymysql"]
NEEDED_SERVICES = ["failover", "load-postgres", "load-mysql", "pager", "memcached-1"]


def local_main() -> None:
    """Plays faults on this machine. Fails if failover broke a promise."""
    options = local_arguments()
    end_with(lambda: local_faults(options))


def local_arguments() -> argparse.Namespace:
    parser = parser_of(LOCAL_DESCRIPTION)
    add_choice(parser, "--engines", list(ENGINES))
    add_choice(parser, "--faults", [fault.name for fault in FAULTS])
    add_choice(parser, "--relays", list(relays(Path())))
    parser.add_argument(
        "--seconds",
        type=positive,
        default=10,
        help=f"length of the load, until the end of the fault, which begins at {BEFORE_SECONDS} s; default 10",
    )
    parser.add_argument("--sslmode", choices=["disable", "prefer", "require"], default="prefer", help="PostgreSQL's")
    parser.add_argument("--json", type=Path, default=DEFAULT_JSON, help="every answer; default .lab/faults.json")
    add_binary(parser)
    options = parser.parse_args()
    if options.seconds <= BEFORE_SECONDS:
        parser.error(f"--seconds must be more than {BEFORE_SECONDS}: that is when the fault begins")
    return options


def add_choice(parser: argparse.ArgumentParser, option: str, names: list[str]) -> None:
    """An option that takes some of the names. All are the default."""
    parser.add_argument(
        option,
        type=lambda text: chosen(text, names),
        default=set(names),
        metavar="NAME,...",
        help="default all: " + ", ".join(names),
    )


def local_faults(options: argparse.Namespace) -> bool:
    """Plays what the options say, and prints the report. Returns whether failover kept all promises."""
    forget_databases_of_the_caller()
    versions = [machine_line()]
    binary = Path()
    if FAILOVER in options.relays:
        binary = failover_binary(options.binary)
        versions.append(failover_version(binary))
    need_packages(PACKAGES + DRIVERS)
    versions.append(first_line("haproxy", "-v"))
    faults, skipped = playable(options.faults)
    chosen_relays = [relay for name, relay in relays(binary).items() if name in options.relays]
    report = LocalReport(local_outcomes(options, faults, chosen_relays), skipped)
    report.write(options.json, {"machine": versions, "seconds": options.seconds, "sslmode": options.sslmode})
    print(report.markdown())
    print("\nMachine: " + "; ".join(versions))
    print(f"Every answer: {options.json}")
    return report.all_met


def forget_databases_of_the_caller() -> None:
    """The environment of the caller must not lead clients to other databases."""
    for name in [name for name in os.environ if name.startswith(("PG", "MYSQL_"))]:
        del os.environ[name]


def playable(names: set[str]) -> tuple[list[Fault[Replica]], str | None]:
    """The faults that can be played here, and the reason if one can't be. Enters a private network if possible."""
    faults = [fault for fault in FAULTS if fault.name in names]
    running = [server.pid for server in laboratory_status() if server.pid]
    try:
        enter_private_network(running[0] if running else None)
    except NoNetwork as reason:
        if DROP in faults:
            faults.remove(DROP)
            return faults, f"{DROP.title}: skipped, no private network: {reason}"
    return faults, None


def local_outcomes(
    options: argparse.Namespace, faults: list[Fault[Replica]], chosen_relays: list[Relay[Job]]
) -> list[Outcome]:
    """Plays every fault on every engine."""
    found: list[Outcome] = []
    engines = [engine for name, engine in ENGINES.items() if name in options.engines]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="failover-faults-")))
        lab = stack.enter_context(laboratory_servers(*(engine.laboratory_name for engine in engines)))
        for engine in engines:
            servers = servers_of(engine, lab, options.sslmode)
            stack.enter_context(servers.haproxy_user())
            stand = LocalStand(servers, chosen_relays, options.seconds, directory)
            for fault in faults:
                say(f"{engine.name}: {fault.title}")
                found += play(stand, fault)
    return found


def compose_main() -> None:
    """Plays faults with Docker Compose. Fails if failover broke a promise."""
    names = [fault.name for fault in compose.FAULTS] + [fault.name for fault in HOPELESS] + [TITLE]
    parser = parser_of(COMPOSE_DESCRIPTION)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help="default all: " + ", ".join(names))
    parser.add_argument("--json", type=Path, help="where every event is written")
    options = parser.parse_args()
    if unknown := set(options.faults) - set(names):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    end_with(lambda: compose_faults(set(options.faults or names), options.json))


def compose_faults(names: set[str], path: Path | None) -> bool:
    """Plays the faults of those names, and prints the report. Returns whether failover kept all promises."""
    if missing := [name for name in NEEDED_SERVICES if name not in compose.services_running()]:
        raise ExperimentError(f"not running: {', '.join(missing)}; first: docker compose up -d")
    report = ComposeReport()
    with ComposeStand() as stand:
        for fault in compose.FAULTS:
            if fault.name in names:
                say(fault.title)
                report.outcomes += play(stand, fault)
        for hopeless in HOPELESS:
            if hopeless.name in names:
                say(hopeless.title)
                report.hopeless += play_hopeless(stand, hopeless)
        if TITLE in names:
            say("a memcached killed")
            report.notice = play_notice(stand)
    print(report.markdown())
    if path:
        report.write(path)
    return report.all_met
