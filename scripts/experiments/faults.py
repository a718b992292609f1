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
from .laboratory import ROOT, laboratory_servers, laboratory_status, use_newest
from .local import ENGINES, FAILOVER, NEWEST_ENGINES, Job, Servers, relays, servers_of
from .local_faults import DROP, FAULTS, NoNetwork, Replica, enter_private_network
from .local_stand import BEFORE_SECONDS, LocalStand
from .notice import TITLE, play_notice
from .outcome import Outcome
from .peers import (
    NO_DIRECT_TLS,
    PGBOUNCER,
    driver_versions,
    need_peers,
    one_port,
    peer_versions,
    peers,
    trust,
    use_newest_drivers,
)
from .play import Fault, play
from .process import ExperimentError, say
from .relay import Relay

LOCAL_DESCRIPTION = """\
Plays every fault of a replica, under load, behind failover and HAProxy, and reports what clients notice.

Each fault is played once before all relays at the same time, each under 20 new clients per second and with sessions
that stay open. Debian's own Python runs this, because Debian's database drivers are installed only for it.

With --newest the servers are today's (scripts/lab --newest), the relays are HAProxy 3.2, MySQL Router, PgBouncer,
Odyssey and pgpool-II too, and the drivers are today's, which ask for TLS. Each relay has each fault alone: logins that
hang behind one relay would take the replica's connections from the others. The engine `mysql` is MySQL with --newest,
and MariaDB without.
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
    add_choice(parser, "--engines", list(NEWEST_ENGINES))
    add_choice(parser, "--faults", [fault.name for fault in FAULTS])
    known = relays(Path()) | peers(Path(), "postgres") | peers(Path(), "mysql")
    add_choice(parser, "--relays", list(known))
    parser.add_argument("--newest", action="store_true", help="today's servers and relays")
    parser.add_argument(
        "--seconds",
        type=positive,
        default=10,
        help=f"length of the load, until the end of the fault, which begins at {BEFORE_SECONDS} s; default 10",
    )
    parser.add_argument("--sslmode", choices=["disable", "prefer", "require"], default="prefer", help="PostgreSQL's")
    parser.add_argument(
        "--sslnegotiation",
        choices=["postgres", "direct"],
        default="postgres",
        help="PostgreSQL's, with --newest and --sslmode require; Odyssey and pgpool-II do not know direct TLS",
    )
    parser.add_argument("--client-tls", action="store_true", help="failover ends the clients' TLS; --sslmode require")
    parser.add_argument("--json", type=Path, default=DEFAULT_JSON, help="every answer; default .lab/faults.json")
    add_binary(parser)
    options = parser.parse_args()
    if options.seconds <= BEFORE_SECONDS:
        parser.error(f"--seconds must be more than {BEFORE_SECONDS}: that is when the fault begins")
    if options.engines == {"mariadb"} and not options.newest:
        parser.error("--engines mariadb needs --newest; without it mysql is MariaDB")
    if options.sslnegotiation == "direct" and not (options.newest and options.sslmode == "require"):
        parser.error("--sslnegotiation direct needs --newest and --sslmode require")
    if options.client_tls and options.sslmode != "require":
        parser.error("--client-tls needs --sslmode require")
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
    if options.sslnegotiation == "direct":
        # The clients' libpq reads it.
        os.environ["PGSSLNEGOTIATION"] = options.sslnegotiation
    versions = [machine_line()]
    binary = Path()
    if FAILOVER in options.relays:
        binary = failover_binary(options.binary)
        versions.append(failover_version(binary))
    need_packages(PACKAGES + DRIVERS)
    if options.newest:
        use_newest()
        need_peers()
        use_newest_drivers()
        versions += peer_versions() + driver_versions()
    else:
        versions.append(first_line("haproxy", "-v"))
    faults, skipped = playable(options.faults)
    report = LocalReport(local_outcomes(options, faults, binary, is_private=skipped is None), skipped)
    conditions = {name: getattr(options, name) for name in ("seconds", "sslmode", "sslnegotiation", "client_tls")}
    report.write(options.json, {"machine": versions, **conditions})
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
    options: argparse.Namespace, faults: list[Fault[Replica]], binary: Path, is_private: bool
) -> list[Outcome]:
    """Plays every fault on every engine. `is_private`: in a private network."""
    found: list[Outcome] = []
    known = NEWEST_ENGINES if options.newest else ENGINES
    engines = [engine for name, engine in known.items() if name in options.engines]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="failover-faults-")))
        # Relays that refuse to be root read their configurations here.
        directory.chmod(0o755)
        lab = stack.enter_context(laboratory_servers(*(engine.laboratory_name for engine in engines)))
        if options.newest:
            trust(Path(lab["TLS_CA"]))
        for engine in engines:
            servers = servers_of(engine, lab, options.sslmode, options.client_tls)
            stack.enter_context(servers.haproxy_user())
            chosen_relays = relays_of(options, servers, binary, is_private)
            if any(relay.name == PGBOUNCER for relay in chosen_relays):
                stack.enter_context(one_port(servers))
            for fault in faults:
                for group in [[relay] for relay in chosen_relays] if options.newest else [chosen_relays]:
                    say(f"{engine.name}: {fault.title}: " + ", ".join(relay.name for relay in group))
                    found += play(LocalStand(servers, group, options.seconds, directory), fault)
    return found


def relays_of(options: argparse.Namespace, servers: Servers, binary: Path, is_private: bool) -> list[Relay[Job]]:
    """The chosen relays that the engine has."""
    known = peers(binary, servers.engine.name) if options.newest else relays(binary)
    found = [relay for name, relay in known.items() if name in options.relays]
    if options.sslnegotiation == "direct":
        found = [relay for relay in found if relay.name not in NO_DIRECT_TLS]
    if not is_private and any(relay.name == PGBOUNCER for relay in found):
        say(f"{PGBOUNCER} is left out: its two servers need addresses with the same port, in a private network")
        found = [relay for relay in found if relay.name != PGBOUNCER]
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
