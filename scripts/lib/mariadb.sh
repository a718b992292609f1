# shellcheck shell=bash
# The lab's MariaDB: a primary and a replica that follows it by GTID. Sourced; needs LAB, DATA and processes.sh.

# The server refuses to be root.
as_mysql=()
if ((EUID == 0)); then as_mysql=(setpriv --reuid=mysql --regid=mysql --init-groups --); fi

# Below /opt in the root directory of today's servers, where MySQL's programs have the usual names.
mariadb_path() { if is_newest; then echo "/opt/mariadb$1"; else echo "$1"; fi; }

mariadb_sql() {
  local name=$1
  shift
  timeout 60 "${as_administrator[@]}" "$(mariadb_path /usr/bin/mariadb)" --no-defaults --batch --skip-column-names --connect-timeout=30 \
    --socket="$DATA/$name/socket" --user="$(id -un)" "$@"
}

mariadb_answers() { mariadb_sql "$1" -e 'select 1' >/dev/null 2>&1; }

mariadb_launch() {
  launch "$1" "${as_mysql[@]}" "${CLOCK[@]}" "$(mariadb_path /usr/sbin/mariadbd)" --defaults-file="$DATA/$1/my.cnf"
}

# mariadb_schema: today's servers show the state of sessions by performance_schema, the others by a plugin.
mariadb_schema() {
  ! is_newest || cat <<'CONF'
performance-schema = ON
performance-schema-instrument = wait/lock/metadata/sql/mdl=ON
performance-schema-instrument = transaction=ON
performance-schema-consumer-events-transactions-current = ON
performance-schema-consumer-events-statements-current = ON
CONF
}

# mariadb_configure NAME SERVER_ID [LINE]...
mariadb_configure() {
  local dir=$DATA/$1 name=$1 id=$2
  shift 2
  as mysql tee "$dir/my.cnf" <<CONF
[mariadbd]
basedir = $(mariadb_path /usr)
datadir = $dir/db
socket = $dir/socket
pid-file = $dir/pid
bind-address = 127.0.0.1
port = $(port_of "$name")
server-id = $id
skip-name-resolve
proxy-protocol-networks = 127.0.0.0/8
plugin-load-add = auth_ed25519
plugin-load-add = metadata_lock_info
$(mariadb_schema)
ssl-ca = $dir/ca.pem
ssl-cert = $dir/server.pem
ssl-key = $dir/server.key
log-bin = binlog
log-slave-updates
gtid-strict-mode
slave-net-timeout = 10
innodb-buffer-pool-size = 32M
innodb-log-file-size = 16M
# Survives SIGKILL of the server, which is all that happens here.
innodb-flush-log-at-trx-commit = 2
innodb-flush-method = nosync
innodb-buffer-pool-dump-at-shutdown = off
$(printf '%s\n' "$@")
CONF
}

mariadb_make() {
  local primary=$DATA/mariadb-primary replica=$DATA/mariadb-replica
  make_server_dir mysql mariadb-primary
  make_server_dir mysql mariadb-replica
  mariadb_configure mariadb-primary 1
  mariadb_configure mariadb-replica 2 read-only relay-log=relay relay-log-recovery
  mariadb_install "$primary"
  as mysql cp -a "$primary/db" "$replica/db"
  start_server mariadb-primary
  mariadb_users mariadb-primary
  mariadb_follow mariadb-primary
}

# mariadb_install DIR: the administrator is who runs this script, known by the socket. No binary log yet: copies begin alike.
mariadb_install() {
  as mysql "$(mariadb_path /usr/bin/mariadb-install-db)" --no-defaults --basedir="$(mariadb_path /usr)" --datadir="$1/db" --skip-test-db --innodb-flush-method=nosync \
    --innodb-log-file-size=16M --auth-root-authentication-method=socket --auth-root-socket-user="$(id -un)"
}

mariadb_users() {
  mariadb_sql "$1" <<SQL
create user replicator identified via mysql_native_password using password('replicator-secret');
grant replication slave on *.* to replicator;
create user monitor identified via mysql_native_password using password('monitor-secret');
grant replica monitor, process on *.* to monitor;
grant select on performance_schema.* to monitor;
create user monitor_ed25519 identified via ed25519 using password('monitor-secret');
create user app identified via mysql_native_password using password('app-secret');
create database app;
grant all on app.* to app;
SQL
}

# mariadb_follow PRIMARY: the replica starts, if it has not, and follows.
mariadb_follow() {
  alive mariadb-replica || mariadb_launch mariadb-replica
  wait_until 200 mariadb_answers mariadb-replica || die "mariadb-replica does not answer; see $LAB/log/mariadb-replica.log"
  mariadb_sql mariadb-replica <<SQL
change master to master_host = '127.0.0.1', master_port = $(port_of "$1"), master_user = 'replicator',
  master_password = 'replicator-secret', master_use_gtid = slave_pos, master_connect_retry = 1;
start slave;
SQL
}

# mariadb_pause lets the replica apply nothing, mariadb_resume lets it go on.
mariadb_pause() { mariadb_sql mariadb-replica -e 'stop slave sql_thread'; }
mariadb_resume() { mariadb_sql mariadb-replica -e 'start slave'; }

# mariadb_cut parts the replica from its primary, mariadb_mend lets it connect again.
mariadb_cut() { mariadb_sql mariadb-replica -e 'stop slave io_thread'; }
mariadb_mend() { mariadb_sql mariadb-replica -e 'start slave io_thread'; }

# mariadb_promote makes the replica a primary of its own, mariadb_demote a replica again, if no client wrote to it.
mariadb_promote() { mariadb_sql mariadb-replica -e 'stop slave; reset slave all; set global read_only = 0'; }
mariadb_demote() {
  mariadb_sql mariadb-replica -e 'set global read_only = 1'
  mariadb_follow mariadb-primary
}

# mariadb_position prints how far the primary is; mariadb_follows REPLICA POSITION tells whether the replica streams and has come that far.
mariadb_position() { mariadb_sql mariadb-primary -e 'select @@gtid_binlog_pos'; }
mariadb_streams() {
  [[ $(mariadb_sql mariadb-replica --column-names -e 'show slave status\G' 2>/dev/null | grep -cE 'Slave_(IO|SQL)_Running: Yes') == 2 ]]
}
mariadb_follows() {
  mariadb_streams && [[ $(mariadb_sql mariadb-replica -e "select master_gtid_wait('$2', 0)" 2>/dev/null) == 0 ]]
}

mariadb_role() {
  if [[ $(mariadb_sql "$1" -e 'select @@read_only') == 0 ]]; then
    echo primary
  elif mariadb_streams; then
    echo 'replica, streaming'
  else
    echo 'replica, not streaming'
  fi
}

mariadb_shutdown() { kill -TERM "$1"; }

mariadb_clear() { rm -f "$DATA/$1/socket" "$DATA/$1/pid"; }
