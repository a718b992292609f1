# shellcheck shell=bash
# A lab with every problem that `failover doctor` can find in real servers. Sourced; needs LAB, DATA and both
# engines' files.
#
# The replicas follow servers of their own, postgres-other and mariadb-other, whose data no primary has. Certificates end in
# days. The other problems are described at each server, and in the configuration.

postgres_make_broken() {
  local name
  for name in postgres-primary postgres-replica postgres-other; do make_server_dir postgres "$name"; done
  # It could not take the sessions of the replica, nor as many as the proxy's route lets in.
  postgres_init postgres-primary 'max_connections = 20'
  postgres_init postgres-other 'max_connections = 40'
  postgres_copy postgres-other postgres-replica
  as postgres tee -a "$DATA/postgres-replica/db/postgresql.conf" <<<"timezone = 'Asia/Tokyo'"
  echo +95s | as postgres tee "$DATA/postgres-replica/clock"
}

mariadb_make_broken() {
  local name other=$DATA/mariadb-other
  for name in mariadb-primary mariadb-replica mariadb-other; do make_server_dir mysql "$name"; done
  # It locks out who comes and goes ten times, and shows whom it counts.
  mariadb_configure mariadb-primary 1 skip-name-resolve=OFF max-connect-errors=10 performance-schema=ON
  mariadb_configure mariadb-other 7
  # It calls itself an older version.
  mariadb_configure mariadb-replica 2 read-only relay-log=relay relay-log-recovery default-time-zone=+09:00 \
    version=10.6.99-MariaDB
  mariadb_install "$other"
  as mysql cp -a "$other/db" "$DATA/mariadb-primary/db"
  as mysql cp -a "$other/db" "$DATA/mariadb-replica/db"
  start_server mariadb-primary
  start_server mariadb-other
  mariadb_users mariadb-primary
  mariadb_users mariadb-other
  mariadb_follow mariadb-other
  # It has the users before it stops to apply.
  wait_until 200 mariadb_has_users || die "mariadb-replica does not follow; see $LAB/log/mariadb-replica.log"
  mariadb_pause
}

mariadb_has_users() { [[ $(mariadb_sql mariadb-replica -e "select count(*) from mysql.user where user = 'app'") == 1 ]]; }

# Sessions that the replica holds, more than the primary takes.
HELD=18
sessions_are_held() {
  [[ $(postgres_sql postgres-replica -c "select count(*) from pg_stat_activity where query ~ '^select pg_sleep'") -ge $HELD ]]
}

# What is needed in addition to the servers.
finish_broken() {
  if ! alive postgres-sessions; then
    echo 'select pg_sleep(3600);' >"$LAB/sleep.sql"
    launch postgres-sessions "$(pg_bin)/pgbench" -n -c "$HELD" -T 1000000 -f "$LAB/sleep.sql" -h "$DATA/postgres-replica" \
      -p "$(port_of postgres-replica)" -U postgres postgres
    wait_until 200 sessions_are_held || die "the replica holds no sessions; see $LAB/log/postgres-sessions.log"
  fi
  echo monitor-secret >"$LAB/password"
  broken_configuration >"$LAB/broken.yaml"
  # All users may read both.
  chmod 644 "$LAB/password" "$LAB/broken.yaml"
  echo "to see every problem: failover doctor --config ${LAB#"$PWD/"}/broken.yaml"
}

broken_configuration() {
  local file='password: {file: password}'
  local pg="engine: postgres, host: 127.0.0.1, name: app, $file"
  local my="engine: mysql, host: 127.0.0.1, $file"
  cat <<YAML
# Wrong on purpose, for: failover doctor --config broken.yaml
monitoring_ping_frequency: 10s

databases:
  default: {$pg, port: $(port_of postgres-primary), user: monitor, role: primary, tls_ca: tls/ca.pem}
  # The user has no permission to read the lag.
  slave: {$pg, port: $(port_of postgres-replica), user: monitor_md5, password_methods: [scram, md5], role: replica, max_lag: 10s}
  # Not a replica, and without a role here, so the ping does not notice.
  reports: {$pg, port: $(port_of postgres-other), user: monitor}
  twin: {$pg, port: $(port_of postgres-primary), user: monitor, role: replica, max_lag: 60s, ping_query: SELECT nothing}
  stranger: {engine: postgres, host: 127.0.0.1, port: $(port_of postgres-primary), user: stranger, password: guess}
  nowhere: {engine: postgres, host: nowhere.invalid, user: monitor, $file}

  orders-primary: {$my, port: $(port_of mariadb-primary), user: monitor, role: primary}
  orders: {$my, port: $(port_of mariadb-replica), user: monitor, role: replica, max_lag: 60s}
  blind: {$my, port: $(port_of mariadb-replica), user: monitor_ed25519, role: replica, max_lag: 60s}
  stock: {$my, port: $(port_of mariadb-other), user: monitor}
  stock-primary: {$my, port: $(port_of mariadb-replica), user: monitor}

services:
  slave: {type: database, listen: "127.0.0.1:0", max_connections: 200}
  reports: {type: database, db_alias: reports, listen: "127.0.0.1:0"}
  twin: {type: database, db_alias: twin, listen: "127.0.0.1:0"}
  orders: {type: database, db_alias: orders, failover_db_alias: orders-primary, listen: "127.0.0.1:0"}
  stock: {type: database, db_alias: stock, failover_db_alias: stock-primary, listen: "127.0.0.1:0"}
  # The replica's own source, which it does not keep up with.
  source: {type: database, db_alias: orders, failover_db_alias: stock, listen: "127.0.0.1:0"}
  closed: {type: tcp, host: 127.0.0.1, port: 1}
YAML
}
