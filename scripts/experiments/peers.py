"""Today's relays as fault tests use them, each configured as its documentation advises.

All of them have the same job: one address for reads, which leads to the replica, and to the primary without one. They
run in the root directory of today's servers; see scripts/lib/newest-peers.sh.
"""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import relay
from .command import first_line
from .laboratory import HOST, ROOT
from .local import FAILOVER, Job, Servers, haproxy_default, haproxy_tuned, with_failover
from .process import ExperimentError
from .relay import Relay

IN_NEWEST = str(ROOT / "scripts" / "lib" / "in-newest")
REPLICA_HOST, PRIMARY_HOST, ONE_PORT = "127.0.0.2", "127.0.0.3", 5432
TABLE = "failover_hosts"
PGBOUNCER = "pgbouncer"


def need_peers() -> None:
    """Installs them, if they are missing."""
    files = " ".join(f". scripts/lib/{name}.sh;" for name in ("packages", "newest", "newest-peers"))
    if subprocess.run(["bash", "-euc", f"ROOT=$PWD; {files} need_newest_peers"], cwd=ROOT).returncode != 0:
        raise ExperimentError("cannot install today's relays")


def peer_versions() -> list[str]:
    """What each of them says of itself."""
    programs = [["haproxy", "-v"], ["mysqlrouter", "--version"], ["pgbouncer", "--version"]]
    programs += [["odyssey", "--version"], ["pgpool", "--version"]]
    return [first_line(IN_NEWEST, "root", *program) for program in programs]


def peers(binary: Path, engine: str) -> dict[str, Relay[Job]]:
    """The relays for an engine, by name. failover is run from `binary`."""
    known = [
        Relay("haproxy-default", haproxy_default, _haproxy),
        Relay("haproxy-tuned", haproxy_tuned, _haproxy),
        Relay(FAILOVER, with_failover, relay.failover(binary)),
    ]
    if engine == "mysql":
        known.append(Relay("mysqlrouter", _mysqlrouter, in_newest("mysql", "mysqlrouter", "-c")))
    else:
        known.append(Relay(PGBOUNCER, _pgbouncer, in_newest("postgres", "pgbouncer"), _pgbouncer_users))
        known.append(Relay("odyssey", _odyssey, in_newest("postgres", "odyssey")))
        options = ["-n", "-D", "-a", "pgpool.hba", "-F", "pgpool.pcp", "-f"]
        known.append(Relay("pgpool", _pgpool, in_newest("postgres", "pgpool", *options), _pgpool_files))
    return {each.name: each for each in known}


def in_newest(user: str, *argv: str) -> Callable[[Path], list[str]]:
    """The command line of a program that gets its configuration last, and runs in the directory of that file."""
    return lambda path: [IN_NEWEST, user, "env", "-C", str(path.parent), *argv, str(path)]


_haproxy = in_newest("root", "haproxy", "-db", "-f")


def _mysqlrouter(job: Job) -> str:
    """Static routing. Its manual says to keep `connect_timeout` low."""
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
"""


def _pgbouncer(job: Job) -> str:
    """The manual: with `load_balance_hosts=disable` set `server_login_retry` low. It has no `prefer-standby`."""
    return f"""\
[databases]
{job.servers.client.database} = host={REPLICA_HOST},{PRIMARY_HOST} port={ONE_PORT} load_balance_hosts=disable
[pgbouncer]
listen_addr = {HOST}
listen_port = {job.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = pgbouncer.users
pool_mode = session
max_client_conn = 1000
default_pool_size = 50
server_login_retry = 0.1
server_connect_timeout = 1
"""


def _pgbouncer_users(job: Job) -> dict[str, str]:
    client = job.servers.client
    return {"pgbouncer.users": f'"{client.user}" "{client.password}"\n'}


def _odyssey(job: Job) -> str:
    """A storage of two hosts, and `prefer-standby` where it listens."""
    servers, client = job.servers, job.servers.client
    return f"""\
daemonize no
log_to_stdout yes
log_format "%p %t %l [%i %s] (%c) %m\\n"
workers 1
backend_connect_timeout_ms 1000
listen {{
    host "{HOST}"
    port {job.port}
    target_session_attrs "prefer-standby"
}}
storage "servers" {{
    type "remote"
    host "{HOST}:{servers.replica_port},{HOST}:{servers.primary_port}"
    endpoints_status_poll_interval 1000
}}
database "{client.database}" {{
    user "{client.user}" {{
        authentication "scram-sha-256"
        password "{client.password}"
        storage "servers"
        storage_password "{client.password}"
        pool "session"
        pool_size 0
    }}
}}
"""


def _pgpool(job: Job) -> str:
    """Streaming replication, every session balanced to the replica, which is attached again once it streams."""
    servers = job.servers
    monitor = {"user": servers.monitor_user, "password": servers.monitor_password, "database": servers.client.database}
    checks = "\n".join(
        f"{check}_{key} = '{value}'" for check in ("sr_check", "health_check") for key, value in monitor.items()
    )
    return f"""\
backend_clustering_mode = streaming_replication
listen_addresses = '{HOST}'
port = {job.port}
unix_socket_directories = '/tmp'
pcp_listen_addresses = ''
pcp_port = {job.port + 1}
pcp_socket_dir = '/tmp'
pid_file_name = '/tmp/pgpool-{job.port}.pid'
work_dir = '/tmp'
backend_hostname0 = '{HOST}'
backend_port0 = {servers.primary_port}
backend_weight0 = 0
backend_flag0 = 'DISALLOW_TO_FAILOVER'
backend_hostname1 = '{HOST}'
backend_port1 = {servers.replica_port}
backend_weight1 = 1
backend_application_name1 = 'postgres-replica'
enable_pool_hba = on
pool_passwd = 'pgpool.users'
num_init_children = 40
max_pool = 1
load_balance_mode = on
read_only_function_list = '.*'
connect_timeout = 1000
{checks}
sr_check_period = 1
health_check_period = 1
health_check_timeout = 2
failover_on_backend_shutdown = on
auto_failback = on
auto_failback_interval = 1
"""


def _pgpool_files(job: Job) -> dict[str, str]:
    client = job.servers.client
    return {
        "pgpool.users": f"{client.user}:TEXT{client.password}\n",
        "pgpool.hba": f"host all all {HOST}/32 scram-sha-256\n",
        "pgpool.pcp": "",
    }


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
