"""Today's poolers as fault tests use them: PgBouncer, Odyssey and pgpool-II.

They log in to the servers themselves, and take TLS on both sides. Each function names the pages of the documentation
that its values follow. Where the documentation names no value, time limits are as short as those of failover and
HAProxy here: 1 s for a connection, and about 2 s for a server that is silent.
"""

import os
from pathlib import Path
from typing import Protocol

from .laboratory import HOST
from .local import Job

REPLICA_HOST, PRIMARY_HOST, ONE_PORT = "127.0.0.2", "127.0.0.3", 5432
"""Where PgBouncer finds the servers."""
CHILDREN = 48
"""pgpool-II, `num_init_children`: max_pool * num_init_children * 2 <= max_connections - superuser_reserved_connections.
PostgreSQL has 100 - 3 connections."""


class Login(Protocol):
    """A user's name and password."""

    @property
    def user(self) -> str:
        """The name."""

    @property
    def password(self) -> str:
        """The password."""


def _is_encrypted(job: Job) -> bool:
    return job.servers.client.sslmode != "disable"


def _certificate(job: Job) -> tuple[Path, Path, Path]:
    """Certificate and key of the primary, whose user runs the poolers too, and the authority of all certificates."""
    folder = job.servers.primary
    return folder / "server.pem", folder / "server.key", folder / "ca.pem"


def pgbouncer(job: Job) -> str:
    """Session mode and two hosts. It has no `prefer-standby`: it changes the host when a connection fails.

    https://www.pgbouncer.org/config.html, below `load_balance_hosts`: "recommended to set server_login_retry lower than
    the default to ensure fast retries when multiple hosts are available". Below `tcp_keepalive` and `tcp_user_timeout`:
    what ends sessions with a host that has vanished.
    """
    certificate, key, authority = _certificate(job)
    tls = "server_tls_sslmode = disable"
    if _is_encrypted(job):
        tls = f"client_tls_sslmode = prefer\nclient_tls_cert_file = {certificate}\nclient_tls_key_file = {key}\n"
        tls += f"client_tls_ca_file = {authority}\nserver_tls_sslmode = prefer\nserver_tls_ca_file = {authority}"
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
tcp_keepidle = 1
tcp_keepintvl = 1
tcp_keepcnt = 2
tcp_user_timeout = 2500
{tls}
"""


def pgbouncer_files(client: Login) -> dict[str, str]:
    """The user that clients log in as."""
    return {"pgbouncer.users": f'"{client.user}" "{client.password}"\n'}


def odyssey(job: Job) -> str:
    """Session mode, a storage of two hosts, and `prefer-standby` where it listens.

    https://github.com/yandex/odyssey/tree/v1.5.2-rc1/docs, configuration/global.md: more `workers` for heavy load,
    "especially using TLS setup"; `keepalive_usr_timeout` limits how long data may be unacknowledged, and says that 0
    stands for a value made from `keepalive`, which 1.5.2 did not do. storage.md: `server_max_routing` is how many
    connections are opened at a time, one per worker by default. features/tsa.md: `prefer-standby`, and several hosts in
    a storage.
    """
    servers, client = job.servers, job.servers.client
    certificate, key, authority = _certificate(job)
    client_tls = server_tls = 'tls "disable"'
    if _is_encrypted(job):
        client_tls = f'tls "allow"\n    tls_cert_file "{certificate}"\n    tls_key_file "{key}"'
        server_tls = f'tls "require"\n    tls_ca_file "{authority}"'
    return f"""\
daemonize no
log_to_stdout yes
log_format "%p %t %l [%i %s] (%c) %m\\n"
workers {os.cpu_count()}
backend_connect_timeout_ms 1000
keepalive 1
keepalive_keep_interval 1
keepalive_probes 2
keepalive_usr_timeout 2000
listen {{
    host "{HOST}"
    port {job.port}
    target_session_attrs "prefer-standby"
    {client_tls}
}}
storage "servers" {{
    type "remote"
    host "{HOST}:{servers.replica_port},{HOST}:{servers.primary_port}"
    endpoints_status_poll_interval 1000
    server_max_routing 64
    {server_tls}
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


def pgpool(job: Job) -> str:
    """Streaming replication, every session balanced to the replica, which is attached again once it streams.

    https://www.pgpool.net/docs/latest/en/html/, "Failover and Failback": health checks, `failover_on_backend_shutdown`
    and `auto_failback` are what it has for this job. "Load Balancing": a weight for each server; functions that are
    volatile go to the primary, unless a list names them. "Connection Settings": CHILDREN.
    """
    servers = job.servers
    monitor = {"user": servers.monitor_user, "password": servers.monitor_password, "database": servers.client.database}
    checks = "\n".join(
        f"{check}_{key} = '{value}'" for check in ("sr_check", "health_check") for key, value in monitor.items()
    )
    certificate, key, _ = _certificate(job)
    tls = f"ssl = on\nssl_cert = '{certificate}'\nssl_key = '{key}'" if _is_encrypted(job) else "ssl = off"
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
num_init_children = {CHILDREN}
max_pool = 1
load_balance_mode = on
read_only_function_list = 'pg_is_in_recovery'
connect_timeout = 1000
{checks}
sr_check_period = 1
health_check_period = 1
health_check_timeout = 2
health_check_max_retries = 0
failover_on_backend_error = on
failover_on_backend_shutdown = on
auto_failback = on
auto_failback_interval = 1
{tls}
"""


def pgpool_files(client: Login) -> dict[str, str]:
    """The user that clients log in as, from where, and no other administrator."""
    return {
        "pgpool.users": f"{client.user}:TEXT{client.password}\n",
        "pgpool.hba": f"host all all {HOST}/32 scram-sha-256\n",
        "pgpool.pcp": "",
    }
