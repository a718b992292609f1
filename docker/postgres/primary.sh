#!/bin/bash
# PostgreSQL's primary: makes the database at the first start, then serves it.
set -euo pipefail

sql() { psql -X -q -v ON_ERROR_STOP=1 -h /tmp -U postgres "$@"; }

if [[ ! -e $PGDATA/complete ]]; then
  find "$PGDATA" -mindepth 1 -delete
  initdb --username=postgres --encoding=UTF8 --locale=C --auth-local=peer --auth-host=scram-sha-256 --no-instructions
  cat >>"$PGDATA/pg_hba.conf" <<'CONF'
host all         all         samenet scram-sha-256
host replication replication samenet scram-sha-256
CONF
  pg_ctl --wait --silent --options="-c listen_addresses='' -c unix_socket_directories=/tmp" start
  sql -v monitor="$(</run/secrets/monitor-password)" -v app="$(</run/secrets/app-password)" \
    -v replication="$(</run/secrets/replication-password)" <<'SQL'
create role monitor login password :'monitor' in role pg_read_all_stats;
create role app login password :'app';
create role replication login replication password :'replication';
create database app owner app;
SQL
  pg_ctl --wait --silent --mode=fast stop
  touch "$PGDATA/complete"
fi
# With this, a replica that was down for long can still catch up.
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c max_connections=60 -c wal_keep_size=256MB \
  -c wal_sender_timeout=10s -c cluster_name=postgres-primary
