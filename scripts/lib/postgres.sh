# shellcheck shell=bash
# The lab's PostgreSQL: a primary and two streaming replicas, postgres-replica and postgres-second. Sourced; needs LAB, DATA and processes.sh.

# In a laboratory of today's servers these are other ones; see scripts/lab.
as_postgres=() as_administrator=() SERVER_ROOT=/
# The server refuses to be root.
if ((EUID == 0)); then as_postgres=(setpriv --reuid=postgres --regid=postgres --init-groups --); fi

pg_bin() {
  local dirs
  mapfile -t dirs < <(cd "$SERVER_ROOT" && printf '%s\n' usr/lib/postgresql/*/bin | sort -V)
  echo "/${dirs[-1]}"
}

# Clients come through the socket, whose directory is closed to other users: so `trust` in pg_hba.conf.
postgres_sql() {
  local name=$1
  shift
  PGCONNECT_TIMEOUT=30 timeout 60 "${as_administrator[@]}" "$(pg_bin)/psql" -X -A -t -q -v ON_ERROR_STOP=1 \
    -h "$DATA/$name" -p "$(port_of "$name")" -U postgres -d postgres "$@"
}

postgres_answers() { postgres_sql "$1" -c 'select 1' >/dev/null 2>&1; }

postgres_launch() {
  # Only a broken lab has a server whose clock is always wrong.
  if [[ -e $DATA/$1/clock ]]; then
    local CLOCK
    set_clock "$(cat "$DATA/$1/clock")"
  fi
  launch "$1" "${as_postgres[@]}" "${CLOCK[@]}" "$(pg_bin)/postgres" -D "$DATA/$1/db" \
    -c port="$(port_of "$1")" -c unix_socket_directories="$DATA/$1" -c cluster_name="$1"
}

postgres_make() {
  make_server_dir postgres postgres-primary
  make_server_dir postgres postgres-replica
  make_server_dir postgres postgres-second
  postgres_init postgres-primary
  postgres_copy postgres-primary postgres-replica
  postgres_copy postgres-primary postgres-second
}

# postgres_init NAME [LINE]...: a primary with the lab's users; lines of configuration.
postgres_init() {
  local name=$1 primary=$DATA/$1
  shift
  as postgres "$(pg_bin)/initdb" -D "$primary/db" -U postgres -E UTF8 --locale=C --no-sync --no-instructions
  as postgres tee -a "$primary/db/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
ssl = on
ssl_ca_file = '$primary/ca.pem'
ssl_cert_file = '$primary/server.pem'
ssl_key_file = '$primary/server.key'
password_encryption = 'scram-sha-256'
shared_buffers = 32MB
wal_keep_size = 1GB                      # a replica that was away for long still catches up
wal_retrieve_retry_interval = 200ms
wal_sender_timeout = 5s                  # a shutdown waits no longer for a frozen replica
dynamic_shared_memory_type = mmap        # in the data directory: SIGKILL leaves nothing in /dev/shm
autovacuum = off                         # an idle server writes nothing
fsync = off                              # survives SIGKILL of the server, which is all that happens here
full_page_writes = off
$(printf '%s\n' "$@")
CONF
  as postgres tee "$primary/db/pg_hba.conf" <<CONF
local all,replication  postgres                  trust
local all              all                       scram-sha-256
host  all              monitor_md5  127.0.0.1/32  md5
host  all              all          127.0.0.1/32  scram-sha-256
CONF
  start_server "$name"
  postgres_sql "$name" <<SQL
set client_min_messages = error;
create role monitor login password 'monitor-secret' in role pg_read_all_stats;
create role app login password 'app-secret';
create database app owner app;
set password_encryption = 'md5';
create role monitor_md5 login password 'monitor-secret';
SQL
}

# postgres_copy PRIMARY REPLICA makes the replica's database, from the primary.
postgres_copy() {
  as postgres "$(pg_bin)/pg_basebackup" -h "$DATA/$1" -p "$(port_of "$1")" -U postgres \
    -D "$DATA/$2/db" --write-recovery-conf --checkpoint=fast --no-sync
}

# postgres_pause REPLICA lets it apply nothing, postgres_resume lets it go on.
postgres_pause() { postgres_sql "$1" -c 'select pg_wal_replay_pause()' >/dev/null; }
postgres_resume() { postgres_sql "$1" -c 'select pg_wal_replay_resume()' >/dev/null; }

# postgres_cut REPLICA parts it from its primary, postgres_mend lets it connect again.
postgres_cut() { postgres_connect_to "$1" ''; }
postgres_mend() { postgres_connect_to "$1" "host=$DATA/postgres-primary port=$(port_of postgres-primary) user=postgres"; }
postgres_connect_to() {
  postgres_sql "$1" -c "alter system set primary_conninfo = '$2'" -c 'select pg_reload_conf()' >/dev/null
}

# postgres_promote REPLICA makes it a primary of its own, postgres_demote a replica again.
postgres_promote() { postgres_sql "$1" -c 'select pg_promote()' >/dev/null; }
postgres_demote() {
  kill_server "$1"
  postgres_clear "$1"
  as postgres rm -r "$DATA/$1/db"
  postgres_copy postgres-primary "$1"
  postgres_launch "$1"
  wait_until 200 answers_or_died "$1"
}

# postgres_position prints how far the primary is; postgres_follows REPLICA POSITION tells whether it streams and has come that far.
postgres_position() { postgres_sql postgres-primary -c 'select pg_current_wal_lsn()'; }
postgres_follows() {
  [[ $(postgres_sql "$1" -c "select pg_last_wal_replay_lsn() >= '$2'
    and exists (select from pg_stat_wal_receiver where status = 'streaming')" 2>/dev/null) == t ]]
}

postgres_role() {
  postgres_sql "$1" -c "select case when not pg_is_in_recovery() then 'primary'
    when exists (select from pg_stat_wal_receiver where status = 'streaming') then 'replica, streaming'
    else 'replica, not streaming' end"
}

# postgres_shutdown PID: the fast one, which does not wait for sessions.
postgres_shutdown() { kill -INT "$1"; }

# After SIGKILL: the shared memory segment (postmaster.pid, line 7: key and id), and the lock files, whose pid may
# be another process's, or a zombie's, by the time of the next start.
postgres_clear() {
  local id
  id=$(awk 'NR == 7 { print $2 }' "$DATA/$1/db/postmaster.pid" 2>/dev/null) || true
  [[ -z $id ]] || ipcrm --shmem-id "$id" 2>/dev/null || true
  rm -f "$DATA/$1/db/postmaster.pid" "$DATA/$1"/.s.PGSQL.*
}
