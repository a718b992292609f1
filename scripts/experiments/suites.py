"""`scripts/suites`: test suites of drivers and frameworks, without the proxy and through it."""

import argparse
import os
import time

from .command import add_binary, chosen, end_with, failover_binary, failover_version, machine_line, parser_of
from .laboratory import ROOT, laboratory_servers, use_newest
from .process import ExperimentError, say
from .suites_drivers import DRIVERS
from .suites_load import LOADS
from .suites_outcome import Comparison, Outcomes, Suite, differing, report
from .suites_stand import NEWEST_TARGETS, TARGETS, Stand, Target, need_suites, use_newest_clients, with_stand

DESCRIPTION = """\
Runs test suites that others wrote, first against a server itself and then through failover, and compares each test.

A laboratory of its own is started (LAB_NAME=suites, LAB_PORT_OFFSET=3000) and failover in front of each primary. A test
whose results differ runs again three times by itself on both sides: it differs by chance if it can have the same result
there. The logs are in .build/suites/runs. The first run also downloads and installs the suites.

Exit status: 0 if no test differs except by chance, 1 if any does.
"""
RUNS = ROOT / ".build" / "suites" / "runs"
ALONE_TIMES = 3
ALONE_LIMIT = 30
"""How many differing tests run again. With more of them the cause is not chance."""


def main() -> None:
    """Parses the command line and runs the suites."""
    suites = [*DRIVERS, *LOADS]
    names = [suite.name for suite in suites]
    parser = parser_of(DESCRIPTION)
    parser.add_argument(
        "--suite",
        type=lambda text: chosen(text, names),
        default=set(names),
        metavar="NAMES",
        help=f"which ones, separated by commas; default all: {', '.join(names)}",
    )
    parser.add_argument("--newest", action="store_true", help="today's servers (scripts/lab --newest), also MySQL")
    parser.add_argument("--tls", action="store_true", help="with TLS; default: in clear text")
    add_binary(parser)
    options = parser.parse_args()
    end_with(lambda: run([suite for suite in suites if suite.name in options.suite], options))


def run(suites: list[Suite], options: argparse.Namespace) -> bool:
    """Runs the suites. Returns whether no test differs except by chance."""
    os.environ.setdefault("LAB_NAME", "suites")
    os.environ.setdefault("LAB_PORT_OFFSET", "3000")
    binary = failover_binary(options.binary)
    known = TARGETS
    if options.newest:
        known = NEWEST_TARGETS
        use_newest()
        use_newest_clients()
    pairs = [(suite, target) for suite in suites for target in known if target.engine == suite.engine]
    need_suites([suite.name for suite in suites])
    comparisons = []
    with (
        laboratory_servers(*dict.fromkeys(target.name for _, target in pairs)) as lab,
        with_stand(binary, lab, known, options.tls) as stand,
    ):
        versions = [stand.version(target) for target in dict.fromkeys(target for _, target in pairs)]
        for suite, target in pairs:
            comparisons.append(compare(suite, target, stand))
    print(f"\nMachine: {machine_line()}; {failover_version(binary)}")
    print(f"Servers: {', '.join(versions)}; {'TLS' if options.tls else 'clear text'}\n")
    print(report(comparisons))
    return not any(comparison.proxy_differs() for comparison in comparisons)


def compare(suite: Suite, target: Target, stand: Stand) -> Comparison:
    """Runs a suite on both sides, and again what differs."""
    direct, proxied = (one_side(suite, target, stand, through_proxy, []) for through_proxy in (False, True))
    comparison = Comparison(suite.title, target.name, direct, proxied)
    names = differing(direct, proxied)
    say(f"{suite.name} on {target.name}: {len(direct)} tests, {len(names)} differ")
    for name in names[:ALONE_LIMIT]:
        pairs = comparison.alone.setdefault(name, [])
        for _ in range(ALONE_TIMES):
            first, second = (one_side(suite, target, stand, through_proxy, [name]) for through_proxy in (False, True))
            pairs.append((first.get(name, "missing"), second.get(name, "missing")))
    return comparison


def one_side(suite: Suite, target: Target, stand: Stand, through_proxy: bool, tests: list[str]) -> Outcomes:
    """Runs a suite, or some of its tests, on new databases."""
    side = "proxy" if through_proxy else "direct"
    stand.renew_databases(target)
    mode = "tls" if stand.tls else "clear"
    files = RUNS / mode / f"{suite.name}-{target.name}-{side}{'-alone' if tests else ''}"
    files.mkdir(parents=True, exist_ok=True)
    began, before = time.monotonic(), stand.proxied_sessions(target)
    outcomes = suite.run(stand.address(target, through_proxy), files, tests)
    sessions = stand.proxied_sessions(target) - before
    if not tests:
        seconds = f"{time.monotonic() - began:.0f} s, {sessions} sessions through the proxy"
        say(f"{suite.name} on {target.name}, {side}: {len(outcomes)} tests in {seconds}")
        if not outcomes or through_proxy != (sessions > 0):
            raise ExperimentError(f"{suite.name}: no results, or not by that way; see {files / 'log'}")
    return outcomes
