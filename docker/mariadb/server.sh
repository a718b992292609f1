#!/bin/bash
# server.sh primary|replica: makes a MariaDB server at the first start, then serves it. A replica follows by GTID.
set -euo pipefail
role=$1
data=/var/lib/mysql

if [[ ! -e $data/complete ]]; then
  find "$data" -mindepth 1 -delete
  # The administrator is the user that runs the server, authenticated by the socket.
  mariadb-install-db --no-defaults --datadir="$data" --skip-test-db \
    --auth-root-authentication-method=socket --auth-root-socket-user=mysql >/dev/null
  touch "$data/complete"
fi

# The server runs this at each start, one statement per line. It is not in the binary log: both servers start equal.
cat >/tmp/init.sql <<SQL
set session sql_log_bin = 0;
create database if not exists app;
create user if not exists monitor identified by '$(</run/secrets/monitor-password)';
create user if not exists app identified by '$(</run/secrets/app-password)';
create user if not exists replication identified by '$(</run/secrets/replication-password)';
grant all on app.* to app;
grant replication slave on *.* to replication;
grant process on *.* to monitor;
SQL
options=(--server-id=1)
if [[ $role == replica ]]; then
  options=(--server-id=2 --read-only --relay-log=relay --relay-log-recovery --skip-slave-start)
  cat >>/tmp/init.sql <<SQL
change master to master_host = 'mariadb-primary', master_user = 'replication', master_password = '$(</run/secrets/replication-password)', master_use_gtid = slave_pos, master_connect_retry = 1;
start slave;
SQL
fi
exec mariadbd --no-defaults --datadir="$data" --socket=/tmp/mariadb.sock --bind-address=0.0.0.0 --skip-name-resolve \
  --init-file=/tmp/init.sql --max-connections=60 --log-bin=binlog --log-slave-updates --gtid-strict-mode \
  --plugin-load-add=metadata_lock_info --slave-net-timeout=10 --innodb-buffer-pool-size=32M --innodb-log-file-size=16M "${options[@]}"
