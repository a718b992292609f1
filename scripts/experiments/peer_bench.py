"""Today's relays as the benchmark compares them. PgBouncer, Odyssey and pgpool-II pass on PostgreSQL alone."""

from dataclasses import replace
from pathlib import Path

from .bench_relays import HAPROXY, Candidate, Job, failover
from .comparison import Columns
from .laboratory import HOST
from .peers import RUN_HAPROXY, RUN_ODYSSEY, RUN_PGBOUNCER, RUN_PGPOOL
from .poolers import pgbouncer_files, pgpool_files
from .relay import Relay

PEERS = Columns(
    ["direct", "haproxy", "failover", "pgbouncer", "odyssey", "pgpool"],
    baseline="haproxy",
    compared=["failover"],
)


def peer_candidates(binary: Path) -> dict[str, Candidate | None]:
    """All columns by name. None stands for no relay. failover is run from `binary`."""
    found = [
        Candidate(replace(HAPROXY.relay, command=RUN_HAPROXY)),
        failover(binary),
        _pooler(Relay("pgbouncer", _pgbouncer, RUN_PGBOUNCER, lambda job: pgbouncer_files(job.primary))),
        _pooler(Relay("odyssey", _odyssey, RUN_ODYSSEY)),
        _pooler(Relay("pgpool", _pgpool, RUN_PGPOOL, lambda job: pgpool_files(job.primary))),
    ]
    return {"direct": None} | {each.name: each for each in found}


def _pooler(relay: Relay[Job]) -> Candidate:
    return Candidate(relay, has_memcached=False)


def _pgbouncer(job: Job) -> str:
    """Session mode. It uses one thread."""
    return f"""\
[databases]
{job.primary.database} = host={HOST} port={job.servers.postgres}
[pgbouncer]
listen_addr = {HOST}
listen_port = {job.listen.postgres}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = pgbouncer.users
pool_mode = session
default_pool_size = 50
server_tls_sslmode = disable
"""


def _odyssey(job: Job) -> str:
    """Session mode and one worker."""
    primary = job.primary
    return f"""\
daemonize no
log_to_stdout yes
log_session no
log_format "%p %t %l [%i %s] (%c) %m\\n"
workers 1
listen {{
    host "{HOST}"
    port {job.listen.postgres}
}}
storage "server" {{
    type "remote"
    host "{HOST}:{job.servers.postgres}"
    server_max_routing 64
}}
database "{primary.database}" {{
    user "{primary.user}" {{
        authentication "scram-sha-256"
        password "{primary.password}"
        storage "server"
        storage_password "{primary.password}"
        pool "session"
        pool_size 0
    }}
}}
"""


def _pgpool(job: Job) -> str:
    """Raw mode: one server. A process for each client."""
    return f"""\
backend_clustering_mode = raw
listen_addresses = '{HOST}'
port = {job.listen.postgres}
unix_socket_directories = '/tmp'
pcp_listen_addresses = ''
pcp_port = {job.listen.memcached}
pcp_socket_dir = '/tmp'
pid_file_name = '/tmp/pgpool-{job.listen.postgres}.pid'
work_dir = '/tmp'
backend_hostname0 = '{HOST}'
backend_port0 = {job.servers.postgres}
enable_pool_hba = on
pool_passwd = 'pgpool.users'
num_init_children = 40
max_pool = 1
"""
