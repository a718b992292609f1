#!/bin/bash
# PostgreSQL's replica: copies the primary at the first start, then follows it.
set -euo pipefail

if [[ ! -e $PGDATA/complete ]]; then
  find "$PGDATA" -mindepth 1 -delete
  password=$(</run/secrets/replication-password)
  pg_basebackup --dbname="host=postgres-primary user=replication password=$password" --pgdata="$PGDATA" \
    --write-recovery-conf --checkpoint=fast --wal-method=stream
  chmod 700 "$PGDATA"
  touch "$PGDATA/complete"
fi
# PostgreSQL requires at least as many connections as on the primary.
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c max_connections=60 -c hot_standby=on \
  -c wal_receiver_timeout=10s -c wal_retrieve_retry_interval=1s -c cluster_name=postgres-replica
