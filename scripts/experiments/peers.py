"""Today's relays as fault tests use them, each with what its documentation offers for the job.

All of them have the same job: one address for reads, which leads to the replica, and to the primary without one. They
run in the root directory of today's servers; see scripts/lib/newest.sh.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import poolers, relay
from .command import call_function, first_line
from .laboratory import HOST, ROOT
from .local import FAILOVER, Job, Servers, haproxy, haproxy_tuned, with_failover
from .poolers import ONE_PORT, PRIMARY_HOST, REPLICA_HOST, pgbouncer_files, pgpool_files
from .process import ExperimentError
from .relay import Relay

IN_NEWEST = str(ROOT / "scripts" / "lib" / "in-newest")
DRIVERS = ROOT / ".build" / "newest-drivers"
TABLE = "failover_hosts"
PGBOUNCER = "pgbouncer"
NO_DIRECT_TLS = ["odyssey", "pgpool"]
"""They take TLS from a client only after its request for it."""


def need_peers() -> None:
    """Installs them, if they are missing."""
    packages = ["haproxy", "mysql-router", "pgbouncer", "odyssey", "pgpool2"]
    call_function(["packages", "newest"], "need_in_newest", *packages)


def use_newest_drivers() -> None:
    """From now on the clients' drivers are today's. Installs them, if they are missing."""
    call_function(["packages"], "need_newest_drivers", str(DRIVERS))
    sys.path.insert(0, str(DRIVERS))


def trust(authority: Path) -> None:
    """The clients' TLS trusts this authority alone. All of the machine's would take PyMySQL 40 ms of CPU a client."""
    os.environ |= {"SSL_CERT_FILE": str(authority), "SSL_CERT_DIR": str(authority.parent)}


def driver_versions() -> list[str]:
    """The versions of today's drivers."""
    import psycopg
    import pymysql

    major, minor = divmod(psycopg.pq.version(), 10_000)
    return [f"psycopg {psycopg.__version__} with libpq {major}.{minor}", f"PyMySQL {pymysql.VERSION_STRING}"]


def peer_versions() -> list[str]:
    """What each of them says of itself."""
    programs = [["haproxy", "-v"], ["mysqlrouter", "--version"], ["pgbouncer", "--version"]]
    programs += [["odyssey", "--version"], ["pgpool", "--version"]]
    return [first_line(IN_NEWEST, "root", *program) for program in programs]


def peers(binary: Path, engine: str) -> dict[str, Relay[Job]]:
    """The relays for an engine, by name. failover is run from `binary`."""
    known = [
        Relay("haproxy-default", _haproxy_default, RUN_HAPROXY),
        Relay("haproxy-tuned", haproxy_tuned, RUN_HAPROXY),
        Relay(FAILOVER, with_failover, relay.failover(binary)),
    ]
    if engine == "mysql":
        known.append(Relay("mysqlrouter", _mysqlrouter, in_newest("mysql", "mysqlrouter", "-c")))
    if engine == "postgres":
        known.append(
            Relay(PGBOUNCER, poolers.pgbouncer, RUN_PGBOUNCER, lambda job: pgbouncer_files(job.servers.client))
        )
        known.append(Relay("odyssey", poolers.odyssey, RUN_ODYSSEY))
        known.append(Relay("pgpool", poolers.pgpool, RUN_PGPOOL, lambda job: pgpool_files(job.servers.client)))
    return {each.name: each for each in known}


def in_newest(user: str, *argv: str) -> Callable[[Path], list[str]]:
    """The command line of a program that gets its configuration last, and runs in the directory of that file."""
    return lambda path: [IN_NEWEST, user, "env", "-C", str(path.parent), *argv, str(path)]


RUN_HAPROXY = in_newest("root", "haproxy", "-db", "-f")
RUN_PGBOUNCER = in_newest("postgres", "pgbouncer")
RUN_ODYSSEY = in_newest("postgres", "odyssey")
RUN_PGPOOL = in_newest("postgres", "pgpool", "-n", "-D", "-a", "pgpool.hba", "-F", "pgpool.pcp", "-f")


def _haproxy_default(job: Job) -> str:
    """As in the manual's first example (configuration.txt, section 2.10): with a limit for connections."""
    return haproxy(job, "timeout connect 5s", "")


def _mysqlrouter(job: Job) -> str:
    """Static routing: MySQL's asynchronous replication has no metadata for the other kind. TLS is passed through.

    https://dev.mysql.com/doc/mysql-router/, "Connection Routing (Standalone)": "You should keep this value low" of
    `connect_timeout`, and 1 is its least value. The section `destination_status` has its defaults, the shortest
    possible: an error puts a server in quarantine for 1 s, after which it is tried again. TLS that ends in the router
    (`client_ssl_mode = PREFERRED`) had the same results.
    """
    servers = job.servers
    return f"""\
[DEFAULT]
logging_folder =
runtime_folder = /tmp
data_folder = /tmp
[logger]
level = INFO
[routing:reads]
bind_address = {HOST}
bind_port = {job.port}
destinations = {HOST}:{servers.replica_port},{HOST}:{servers.primary_port}
routing_strategy = first-available
protocol = classic
connect_timeout = 1
client_ssl_mode = PASSTHROUGH
server_ssl_mode = AS_CLIENT
[destination_status]
error_quarantine_threshold = 1
error_quarantine_interval = 1
"""


@contextmanager
def one_port(servers: Servers) -> Iterator[None]:
    """In the private network both servers have addresses with the same port too: PgBouncer takes one for all hosts."""
    rules = ""
    for host, port in ((REPLICA_HOST, servers.replica_port), (PRIMARY_HOST, servers.primary_port)):
        rules += f"ip daddr {host} tcp dport {ONE_PORT} dnat to {HOST}:{port}; "
    chain = f"chain servers {{ type nat hook output priority -100; {rules} }}"
    _nft(f"table ip {TABLE} {{ {chain}; }}")
    try:
        yield
    finally:
        _nft("delete", "table", "ip", TABLE)


def _nft(*argv: str) -> None:
    done = subprocess.run(["nft", *argv], capture_output=True, text=True)
    if done.returncode != 0:
        raise ExperimentError(f"nft: {done.stderr.strip()}")
