# shellcheck shell=bash
# Three of Oracle's MySQL servers in a group (group replication, single-primary mode), in a laboratory of today's
# servers. Sourced; needs mysql.sh.

GROUP_NAME=8a3f5a4c-7c1f-4d0e-9d0a-1f6f0a0c0d01

group_sql() { mysql_sql "$@"; }
group_answers() { mysql_answers "$1"; }
group_launch() { mysql_launch "$1"; }
group_shutdown() { mysql_shutdown "$1"; }
group_clear() { mysql_clear "$1"; }

# group_address NAME: where the members talk to each other.
group_address() { echo "127.0.0.1:$(port_of "$1-members")"; }

group_make() {
  local name members first=$DATA/group-1
  members=$(for name in $(servers_of group); do group_address "$name"; done | paste -sd ,)
  for name in $(servers_of group); do
    make_server_dir mysql "$name"
    mysql_configure "$name" "${name#group-}" plugin-load-add=group_replication.so report-host=127.0.0.1 \
      loose-group-replication-group-name="$GROUP_NAME" loose-group-replication-start-on-boot=OFF \
      loose-group-replication-local-address="$(group_address "$name")" loose-group-replication-group-seeds="$members" \
      loose-group-replication-recovery-use-ssl=ON
  done
  as mysql /usr/sbin/mysqld --defaults-file="$first/my.cnf" --initialize-insecure --skip-log-bin
  for name in group-2 group-3; do
    as mysql cp -a "$first/db" "$DATA/$name/db"
    as mysql rm -f "$DATA/$name/db/auto.cnf"
  done
  start_server group-1
  mysql_users group-1
  group_sql group-1 -e "grant replication client on *.* to app"
}

# group_welcome NAME lets a server that has started join the group. The first one makes it.
group_welcome() {
  [[ $(group_state "$1") != ONLINE ]] || return 0
  local other bootstrap=OFF
  [[ -n $(for other in $(servers_of group); do [[ $(group_state "$other") != ONLINE ]] || echo "$other"; done) ]] || bootstrap=ON
  group_sql "$1" <<SQL || die "$1 does not join the group; see $LAB/log/$1.log"
set global group_replication_bootstrap_group = $bootstrap;
start group_replication user = 'replicator', password = 'replicator-secret';
set global group_replication_bootstrap_group = OFF;
SQL
  wait_until 200 group_is_online "$1" || die "$1 does not join the group; see $LAB/log/$1.log"
  mysql_welcome "$1"
}

group_state() {
  alive "$1" && ! frozen "$1" || return 0
  group_sql "$1" -e 'select member_state from performance_schema.replication_group_members where member_id = @@server_uuid' \
    2>/dev/null || true
}
group_is_online() { [[ $(group_state "$1") == ONLINE ]]; }

group_role() {
  if [[ $(group_state "$1") != ONLINE ]]; then
    echo 'not in the group'
  elif [[ $(group_sql "$1" -e 'select @@super_read_only') == 0 ]]; then
    echo primary
  else
    echo 'replica, streaming'
  fi
}
