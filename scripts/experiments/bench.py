"""`scripts/bench`: compares the proxy with HAProxy, nginx and no relay, and measures it under load."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .admin_cost import (
    FOLLOWED,
    MEASURED,
    TARGETS,
    USUAL,
    VARIANTS,
    clients_lines,
    flooded,
    memory_lines,
    under_load,
    variant,
)
from .bench_relays import HAPROXY, NGINX, Candidate, failover
from .bench_tls_command import add_tls_options, tls_command
from .command import (
    add_binary,
    chosen,
    end_with,
    failover_binary,
    failover_version,
    first_line,
    machine_line,
    need_packages,
    positive,
    raise_descriptor_limit,
)
from .comparison import RELAYS, Columns, Report, compare
from .laboratory import ROOT, pgbench_primary, use_newest
from .mass import mass_report
from .measurement import MEASUREMENTS, Conditions, Measurement
from .peer_bench import PEERS, peer_candidates
from .peers import need_peers, peer_versions
from .process import say
from .services import events_report, idle_report

DESCRIPTION = "Compares the proxy with other relays and no relay, and measures it under load, on this machine."
SERVERS = ["memcached", "postgresql"]
RELAY_PACKAGES = ["haproxy", "nginx-light", "libnginx-mod-stream"]
IDLE_SESSIONS = 4000
SPARE_DESCRIPTORS = 400


def main() -> None:
    """Parses the command line and runs what it names."""
    options = parse_arguments()

    def run() -> bool:
        with tempfile.TemporaryDirectory(prefix="failover-bench-") as directory:
            options.run(options, Path(directory))
        return True

    end_with(run)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=DESCRIPTION)
    commands = parser.add_subparsers(required=True)
    relay = commands.add_parser("relay", help="compare throughput, CPU and memory of relays")
    every = Columns([*dict.fromkeys(RELAYS.relays + PEERS.relays)], RELAYS.baseline, RELAYS.compared)
    add_comparison_options(relay, "relay", 3, every, MEASUREMENTS)
    relay.add_argument("--newest", action="store_true", help="today's PostgreSQL, HAProxy and poolers")
    relay.set_defaults(run=relay_command)
    tls = commands.add_parser("tls", help="compare relays that end TLS and begin it again to the server")
    add_tls_options(tls)
    tls.set_defaults(run=tls_command)
    admin = commands.add_parser(
        "admin", help="what the admin plane costs the data plane, and how much memory its clients take"
    )
    add_comparison_options(admin, "admin", 5, VARIANTS, MEASURED, USUAL)
    admin.add_argument("--hold", type=positive, default=120, help="seconds that memory is watched; default 120")
    admin.set_defaults(run=admin_command)
    services = commands.add_parser("services", help="what 200 idle services cost")
    services.add_argument("--frequency", type=positive, default=120, help="seconds between pings; default 120")
    services.add_argument("--seconds", type=positive, default=125, help="default 125")
    services.set_defaults(run=services_command)
    events = commands.add_parser("events", help="ten thousand outages and recoveries a minute, and a slow notifier")
    events.add_argument("--seconds", type=positive, default=60, help="default 60")
    events.set_defaults(run=events_command)
    mass = commands.add_parser("mass", help="pings, status and outages of 1000 routes")
    mass.add_argument("--seconds", type=positive, default=30, help="length of the measurement of pings; default 30")
    mass.set_defaults(run=mass_command)
    for command in (relay, tls, admin, services, events, mass):
        add_binary(command)
    return parser.parse_args()


def add_comparison_options(
    parser: argparse.ArgumentParser,
    name: str,
    rounds: int,
    columns: Columns,
    measurements: list[Measurement],
    usual: list[str] | None = None,
) -> None:
    """The options of a comparison. Without `--only` it takes the `usual` measurements, or all."""
    parser.add_argument("--rounds", type=positive, default=rounds, help=f"default {rounds}")
    parser.add_argument("--seconds", type=positive, default=4, help="length of a measurement; default 4")
    path = ROOT / ".lab" / f"bench-{name}.json"
    parser.add_argument("--json", type=Path, default=path, help=f"default {path.relative_to(ROOT)}")
    names = [*columns.relays, *(measurement.name for measurement in measurements)]
    otherwise = f"all relays, and {', '.join(usual)}" if usual else "all of a kind that is not named"
    parser.add_argument(
        "--only",
        type=lambda text: chosen(text, names),
        default=set(),
        metavar="NAME,...",
        help=f"only these relays and measurements; default: {otherwise}. Names: " + ", ".join(names),
    )


def relay_command(options: argparse.Namespace, directory: Path) -> None:
    """`bench relay`: the comparison."""
    columns = PEERS if options.newest else RELAYS
    relay_names = [name for name in columns.relays if name in options.only] or columns.relays
    measurements = [m for m in MEASUREMENTS if m.name in options.only] or MEASUREMENTS
    known: dict[str, Candidate | None] = {"direct": None, "haproxy": HAPROXY, "nginx": NGINX}
    versions = [machine_line()]
    binary = Path()
    if "failover" in relay_names:
        binary = failover_binary(options.binary)
        known["failover"] = failover(binary)
        versions.append(failover_version(binary))
    need_packages(SERVERS if options.newest else RELAY_PACKAGES + SERVERS)
    if options.newest:
        use_newest()
        need_peers()
        # Relays that refuse to be root read their configurations here.
        directory.chmod(0o755)
        known = peer_candidates(binary)
        versions += peer_versions()
    else:
        versions += [first_line("haproxy", "-v"), first_line("nginx", "-v")]
    versions.append(first_line("memcached", "--version"))
    with pgbench_primary() as primary:
        versions.append(primary.version())
        conditions = Conditions(primary, options.seconds, allowed_sessions(), directory)
        relays = [known[name] for name in relay_names]
        report = Report(compare(relays, measurements, options.rounds, conditions), columns)
    publish(report, options, versions)


def admin_command(options: argparse.Namespace, directory: Path) -> None:
    """`bench admin`: failover with and without an admin plane, and what clients of it do."""
    names = [name for name in VARIANTS.relays if name in options.only] or VARIANTS.relays
    wanted = [one for one in MEASURED if one.name in options.only] or [one for one in MEASURED if one.name in USUAL]
    binary = failover_binary(options.binary)
    need_packages(SERVERS)
    versions = [machine_line(), failover_version(binary), first_line("memcached", "--version")]
    with pgbench_primary() as primary:
        versions.append(primary.version())
        conditions = Conditions(primary, options.seconds, allowed_sessions(), directory)
        relays: list[Candidate | None] = [variant(binary, name) for name in names]
        samples = compare(relays, [under_load(one) for one in wanted], options.rounds, conditions)
        held = [flooded(binary, options.hold, conditions)] if FOLLOWED in names else []
    lines = clients_lines(samples + held) + [line for sample in held for line in memory_lines(sample.values)]
    publish(Report(samples + held, VARIANTS, TARGETS), options, versions, lines)


def publish(report: Report, options: argparse.Namespace, versions: list[str], clients: Sequence[str] = ()) -> None:
    """Writes the values of all rounds and prints the summary."""
    report.write(options.json, {"machine": versions, "rounds": options.rounds, "seconds": options.seconds})
    rounds = f"{options.rounds} interleaved rounds, {options.seconds} s a measurement"
    print(f"Medians of {rounds}; CPU by the kernel's process clock.\n")
    print(report.markdown())
    if clients:
        print("\nClients of the admin plane:\n" + "\n".join(clients))
    print("\nMachine: " + "; ".join(versions))
    print(f"Every round's values: {options.json}")


def services_command(options: argparse.Namespace, directory: Path) -> None:
    """`bench services`: the cost of idle services."""
    binary = failover_binary(options.binary)
    line = machine_line()
    print(idle_report(binary, options.frequency, options.seconds, directory))
    print(f"\nMachine: {line}; {failover_version(binary)}")


def events_command(options: argparse.Namespace, directory: Path) -> None:
    """`bench events`: what a slow notifier does with many events."""
    binary = failover_binary(options.binary)
    line = machine_line()
    print(events_report(binary, options.seconds, directory))
    print(f"\nMachine: {line}; {failover_version(binary)}")


def mass_command(options: argparse.Namespace, directory: Path) -> None:
    """`bench mass`: what 1000 routes cost."""
    binary = failover_binary(options.binary)
    raise_descriptor_limit()
    line = machine_line()
    print(mass_report(binary, options.seconds, directory))
    print(f"\nMachine: {line}; {failover_version(binary)}")


def allowed_sessions() -> int:
    """The number of idle sessions that the limit of open files allows. A relay needs two descriptors for each."""
    hard = raise_descriptor_limit()
    allowed = min(IDLE_SESSIONS, (hard - SPARE_DESCRIPTORS) // 2)
    if allowed < IDLE_SESSIONS:
        say(f"{allowed} idle sessions instead of {IDLE_SESSIONS}: the hard limit of open files is {hard}")
    return allowed
