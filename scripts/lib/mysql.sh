# shellcheck shell=bash
# Oracle's MySQL in a laboratory of today's servers: a primary and a replica that follows it by GTID. Sourced; needs
# LAB, DATA and processes.sh.

# The administrator is root without a password, and only through the socket, whose directory is closed to other users.
mysql_sql() {
  local name=$1
  shift
  timeout 60 "${as_administrator[@]}" mysql --no-defaults --batch --skip-column-names --connect-timeout=30 \
    --socket="$DATA/$name/socket" --user=root "$@"
}

mysql_answers() { mysql_sql "$1" -e 'select 1' >/dev/null 2>&1; }

# mysql_welcome NAME: an account that has logged in since the server's start may log in without encryption, for which
# few drivers can exchange the key.
mysql_welcome() {
  local user
  for user in app:app-secret monitor:monitor-secret; do
    MYSQL_PWD=${user#*:} timeout 60 "${as_administrator[@]}" mysql --no-defaults --ssl-mode=REQUIRED --host=127.0.0.1 \
      --port="$(port_of "$1")" --user="${user%:*}" -e 'do 0' >>"$LAB/log/make.log" 2>&1 || true
  done
}

mysql_launch() { launch "$1" "${as_mysql[@]}" "${CLOCK[@]}" /usr/sbin/mysqld --defaults-file="$DATA/$1/my.cnf"; }

# mysql_configure NAME SERVER_ID [LINE]...
mysql_configure() {
  local dir=$DATA/$1 name=$1 id=$2
  shift 2
  as mysql tee "$dir/my.cnf" <<CONF
[mysqld]
datadir = $dir/db
socket = $dir/socket
pid-file = $dir/pid
bind-address = 127.0.0.1
port = $(port_of "$name")
server-id = $id
skip-name-resolve
local-infile = ON
mysqlx = 0
# The folder of the default is of a package that is not needed here.
secure-file-priv =
ssl-ca = $dir/ca.pem
ssl-cert = $dir/server.pem
ssl-key = $dir/server.key
log-bin = binlog
gtid-mode = ON
enforce-gtid-consistency = ON
replica-net-timeout = 10
innodb-buffer-pool-size = 32M
innodb-redo-log-capacity = 16M
# Survives SIGKILL of the server, which is all that happens here.
innodb-flush-log-at-trx-commit = 2
sync-binlog = 0
innodb-buffer-pool-dump-at-shutdown = OFF
$(printf '%s\n' "$@")
CONF
}

mysql_make() {
  local primary=$DATA/mysql-primary replica=$DATA/mysql-replica
  make_server_dir mysql mysql-primary
  make_server_dir mysql mysql-replica
  mysql_configure mysql-primary 1
  mysql_configure mysql-replica 2 super-read-only=ON relay-log=relay relay-log-recovery=ON
  as mysql /usr/sbin/mysqld --defaults-file="$primary/my.cnf" --initialize-insecure --skip-log-bin
  as mysql cp -a "$primary/db" "$replica/db"
  # Two servers with the same identity cannot follow each other; each makes a new one.
  as mysql rm -f "$replica/db/auto.cnf"
  start_server mysql-primary
  mysql_users mysql-primary
  mysql_follow mysql-primary
}

mysql_users() {
  mysql_sql "$1" <<SQL
create user replicator identified by 'replicator-secret';
grant replication slave on *.* to replicator;
create user monitor identified by 'monitor-secret';
grant replication client, process on *.* to monitor;
grant select on performance_schema.* to monitor;
create user monitor_plain identified by 'monitor-secret';
create user app identified by 'app-secret';
create database app;
grant all on app.* to app;
SQL
}

# mysql_follow PRIMARY: the replica starts, if it has not, and follows.
mysql_follow() {
  alive mysql-replica || mysql_launch mysql-replica
  wait_until 200 mysql_answers mysql-replica || die "mysql-replica does not answer; see $LAB/log/mysql-replica.log"
  mysql_sql mysql-replica <<SQL
change replication source to source_host = '127.0.0.1', source_port = $(port_of "$1"), source_user = 'replicator',
  source_password = 'replicator-secret', source_auto_position = 1, source_ssl = 1, source_connect_retry = 1,
  source_retry_count = 1000000;
start replica;
SQL
}

# mysql_pause lets the replica apply nothing, mysql_resume lets it go on.
mysql_pause() { mysql_sql mysql-replica -e 'stop replica sql_thread'; }
mysql_resume() { mysql_sql mysql-replica -e 'start replica'; }

# mysql_cut parts the replica from its primary, mysql_mend lets it connect again.
mysql_cut() { mysql_sql mysql-replica -e 'stop replica io_thread'; }
mysql_mend() { mysql_sql mysql-replica -e 'start replica io_thread'; }

# mysql_promote makes the replica a primary of its own, mysql_demote a replica again, if no client wrote to it.
mysql_promote() { mysql_sql mysql-replica -e 'stop replica; reset replica all; set global read_only = OFF'; }
mysql_demote() {
  mysql_sql mysql-replica -e 'set global super_read_only = ON'
  mysql_follow mysql-primary
}

# mysql_position prints how far the primary is; mysql_follows REPLICA POSITION tells whether the replica streams and has
# come that far.
mysql_position() { mysql_sql mysql-primary -e 'select @@gtid_executed'; }
mysql_streams() {
  [[ $(mysql_sql mysql-replica --vertical --column-names -e 'show replica status' 2>/dev/null |
    grep -cE 'Replica_(IO|SQL)_Running: Yes') == 2 ]]
}
mysql_follows() {
  mysql_streams && [[ $(mysql_sql mysql-replica -e "select gtid_subset('$2', @@gtid_executed)" 2>/dev/null) == 1 ]]
}

mysql_role() {
  if [[ $(mysql_sql "$1" -e 'select @@read_only') == 0 ]]; then
    echo primary
  elif mysql_streams; then
    echo 'replica, streaming'
  else
    echo 'replica, not streaming'
  fi
}

mysql_shutdown() { kill -TERM "$1"; }

mysql_clear() { rm -f "$DATA/$1"/{socket,socket.lock,pid}; }
