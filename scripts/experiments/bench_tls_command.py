"""`scripts/bench tls`: its options, what it needs, and what it prints."""

import argparse
from dataclasses import asdict
from pathlib import Path

from .bench_tls import CLIENT_TLS, MEASUREMENTS, Stand, TLSPrimary, measure, need_tls_relays
from .bench_tls_relays import HAPROXY, PGBOUNCER, Identity, Job, tls_relays
from .bench_tls_report import COLUMNS, TLSReport
from .command import (
    chosen,
    failover_binary,
    failover_version,
    first_line,
    machine_line,
    need_packages,
    positive,
    raise_descriptor_limit,
)
from .laboratory import ROOT, exported, pgbench_primary, use_newest
from .peers import IN_NEWEST
from .relay import Relay

IDLE_SESSIONS = 1000


def add_tls_options(parser: argparse.ArgumentParser) -> None:
    """The options of `bench tls`."""
    path = ROOT / ".lab" / "bench-tls.json"
    names = [*COLUMNS, *(measurement.name for measurement in MEASUREMENTS)]
    parser.add_argument("--rounds", type=positive, default=5, help="default 5")
    parser.add_argument("--seconds", type=positive, default=4, help="length of a measurement; default 4")
    parser.add_argument("--sessions", type=positive, default=IDLE_SESSIONS, help=f"idle ones; default {IDLE_SESSIONS}")
    parser.add_argument("--json", type=Path, default=path, help=f"default {path.relative_to(ROOT)}")
    parser.add_argument(
        "--only",
        type=lambda text: chosen(text, names),
        default=set(),
        metavar="NAME,...",
        help="only these relays and measurements; default: all of a kind that is not named. Names: " + ", ".join(names),
    )


def tls_command(options: argparse.Namespace, directory: Path) -> None:
    """`bench tls`: the comparison, with today's PostgreSQL and relays."""
    names = [name for name in COLUMNS if name in options.only] or COLUMNS
    measurements = [m for m in MEASUREMENTS if m.name in options.only] or MEASUREMENTS
    binary = failover_binary(options.binary)
    versions = [machine_line(), failover_version(binary)]
    need_packages(["postgresql"])
    use_newest()
    need_tls_relays()
    raise_descriptor_limit()
    versions += [first_line(IN_NEWEST, "root", *argv) for argv in ([HAPROXY, "-v"], [PGBOUNCER, "--version"])]
    versions += [first_line("openssl", "version"), first_line(IN_NEWEST, "root", "openssl", "version")]
    # Relays and clients that are not root read their files here.
    directory.chmod(0o755)
    conf = directory / "openssl.cnf"
    conf.write_text(CLIENT_TLS)
    known: dict[str, Relay[Job] | None] = {"direct": None} | {relay.name: relay for relay in tls_relays(binary)}
    with pgbench_primary() as primary:
        versions.append(primary.version())
        authority = Path(exported()["TLS_CA"])
        identity = Identity(authority.parent / "server.pem", authority.parent / "server.key", authority)
        encrypted = TLSPrimary(**asdict(primary), tls_conf=conf)
        stand = Stand(encrypted, identity, options.seconds, options.sessions, directory)
        report = TLSReport(measure([known[name] for name in names], measurements, options.rounds, stand))
    conditions: dict[str, object] = {"machine": versions, "rounds": options.rounds, "seconds": options.seconds}
    report.write(options.json, conditions | {"sessions": options.sessions})
    rounds = f"{options.rounds} interleaved rounds, {options.seconds} s a measurement, {options.sessions} idle sessions"
    print(f"Medians of {rounds}; CPU by the kernel's process clock.\n")
    print(report.markdown())
    print("\nMachine: " + "; ".join(versions))
    print(f"Every round's values: {options.json}")
