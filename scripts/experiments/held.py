"""`scripts/held`: applications that hold connections, through an outage of the replica and its return."""

import argparse
import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from .command import add_binary, chosen, end_with, failover_binary, failover_version, machine_line, parser_of, positive
from .faults import add_choice, forget_databases_of_the_caller
from .held_flips import play_flips
from .held_needs import need_python, python_versions
from .held_pool import play_pool
from .held_pools import POOLS, play_pools
from .held_report import Report
from .held_run import Run
from .held_session import make_table
from .held_site import SETTINGS, play_site
from .held_stand import Drain
from .laboratory import laboratory_servers, use_newest
from .local import ENGINES, NEWEST_ENGINES, servers_of
from .peers import trust
from .report import write_json

DESCRIPTION = """\
Plays outages of a replica under applications that hold their connections, and reports what they notice of the return.

  pool   workers with a connection each, in clear and with TLS, which read alone and in transactions
  site   a Django site with each of its ways to keep connections
  pools  pools of Go, Python and Java, with TLS unless --clear
  flips  transactions that check themselves, with TLS, through many outages and drains

Exit status 1 if at a return a transaction was cut, or a session did not come back in time. The laboratory is
LAB_NAME=held with LAB_PORT_OFFSET=2600, unless the environment has others. Drivers, pools and Django are today's, in
fixed versions below .build/held; Go, Java and their drivers are Debian's.
"""
EXPERIMENTS: dict[str, Callable[[Run], Report]] = {
    "pool": play_pool,
    "site": play_site,
    "pools": play_pools,
    "flips": play_flips,
}


def main() -> None:
    """Parses the command line and plays the experiments."""
    options = arguments()
    end_with(lambda: held(options))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = parser_of(DESCRIPTION)
    parser.add_argument(
        "experiments",
        nargs="+",
        type=lambda text: next(iter(chosen(text, EXPERIMENTS))),
        metavar="EXPERIMENT",
        help=", ".join(EXPERIMENTS),
    )
    add_choice(parser, "--engines", list(NEWEST_ENGINES))
    add_choice(parser, "--clients", ["clear", "tls"])
    add_choice(parser, "--pools", list(dict.fromkeys(pool.key for pool in POOLS)))
    add_choice(parser, "--settings", [setting.key for setting in SETTINGS])
    parser.add_argument(
        "--newest", action="store_true", help="today's servers; without it Debian's, `mysql` is MariaDB"
    )
    parser.add_argument("--clear", action="store_true", help="pools without TLS")
    parser.add_argument("--client-tls", action="store_true", help="failover ends the clients' TLS")
    parser.add_argument(
        "--think-first",
        action="store_true",
        help="flips whose transactions wait between BEGIN and the first read too, which MariaDB does not show",
    )
    parser.add_argument("--workers", type=positive, default=20, help="default 20")
    parser.add_argument("--flips", type=positive, default=20, help="default 20")
    parser.add_argument("--outages", type=positive, default=4, help="how many flips are outages, not drains; default 4")
    parser.add_argument("--drain-idle", type=float, default=1, metavar="SECONDS", help="default 1")
    parser.add_argument("--drain-busy-after", type=float, default=30, metavar="SECONDS", help="default 30")
    parser.add_argument("--drain-rate", type=positive, default=50, help="default 50")
    parser.add_argument("--drain-deadline", type=float, default=0, metavar="SECONDS", help="default 0: none")
    parser.add_argument("--no-attest", action="store_true", help="with `attest: false`")
    parser.add_argument(
        "--old", action="store_true", help="the binary knows only the keys drain_rate and drain_deadline"
    )
    parser.add_argument("--json", type=Path, help="where every error is written")
    add_binary(parser)
    return parser.parse_args()


def held(options: argparse.Namespace) -> bool:
    """Plays the experiments, and prints a table of each. Returns whether failover kept its promises."""
    os.environ["LAB_NAME"] = os.environ.get("LAB_NAME") or "held"
    os.environ["LAB_PORT_OFFSET"] = os.environ.get("LAB_PORT_OFFSET") or "2600"
    forget_databases_of_the_caller()
    binary = failover_binary(options.binary)
    versions = [machine_line(), failover_version(binary)]
    need_python()
    if options.newest:
        use_newest()
    known = NEWEST_ENGINES if options.newest else ENGINES
    engines = [engine for name, engine in known.items() if name in options.engines]
    drain = Drain(
        idle=options.drain_idle,
        busy_after=options.drain_busy_after,
        rate=options.drain_rate,
        deadline=options.drain_deadline,
        attest=not options.no_attest,
        is_old=options.old,
    )
    reports: dict[str, Report] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="failover-held-")))
        lab = stack.enter_context(laboratory_servers(*(engine.laboratory_name for engine in engines)))
        trust(Path(lab["TLS_CA"]))
        servers = {
            engine.name: servers_of(engine, lab, "disable" if options.clear else "require", options.client_tls)
            for engine in engines
        }
        for each in servers.values():
            each.fault("start")
            make_table(each)
        run = Run(options, binary, drain, servers, folder)
        for name in dict.fromkeys(options.experiments):
            reports[name] = EXPERIMENTS[name](run)
            print(f"\n{reports[name].markdown()}", flush=True)
    print("\nMachine: " + "; ".join(versions + python_versions()))
    if options.json:
        content: dict[str, object] = {"machine": versions, "drain": vars(drain)}
        write_json(options.json, content | {name: report.raw for name, report in reports.items()}, indent=1)
    return all(report.is_met for report in reports.values())
