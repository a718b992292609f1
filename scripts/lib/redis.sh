# shellcheck shell=bash
# The lab's Redis: a primary, with a TLS port too, and a replica. Sourced; needs LAB, DATA and processes.sh.

as_redis=()
if ((EUID == 0)); then as_redis=(setpriv --reuid=redis --regid=redis --init-groups --); fi

redis_ask() {
  local name=$1
  shift
  REDISCLI_AUTH=redis-secret timeout 60 redis-cli -h 127.0.0.1 -p "$(port_of "$name")" "$@" 2>/dev/null | tr -d '\r'
}

# redis_info NAME KEY prints a value of INFO replication.
redis_info() { redis_ask "$1" info replication | sed -n "s/^$2://p"; }

redis_answers() { [[ $(redis_ask "$1" ping) == PONG ]]; }

redis_launch() { launch "$1" "${as_redis[@]}" redis-server "$DATA/$1/redis.conf"; }

# redis_configure NAME [LINE]...
redis_configure() {
  local dir=$DATA/$1 name=$1
  shift
  make_server_dir redis "$name"
  as redis tee "$dir/redis.conf" <<CONF
bind 127.0.0.1
port $(port_of "$name")
dir $dir
save ""
requirepass redis-secret
user monitor on >monitor-secret +ping +info +select
user monitor_ping on >monitor-secret +ping
masterauth redis-secret
# A replica notices soon that its primary is frozen, and follows at once when there is one.
repl-timeout 5
repl-ping-replica-period 1
repl-diskless-sync-delay 0
$(printf '%s\n' "$@")
CONF
}

redis_make() {
  local dir=$DATA/redis-primary
  redis_configure redis-primary "tls-port $(port_of redis-primary-tls)" "tls-ca-cert-file $dir/ca.pem" \
    "tls-cert-file $dir/server.pem" "tls-key-file $dir/server.key" 'tls-auth-clients no'
  redis_configure redis-replica "replicaof 127.0.0.1 $(port_of redis-primary)"
}

# redis_position prints how far the primary is; redis_follows REPLICA POSITION tells whether the replica is linked and has come that far.
redis_position() {
  local offset
  offset=$(redis_info redis-primary master_repl_offset)
  echo "${offset:?}"
}
redis_linked() { [[ $(redis_info redis-replica master_link_status) == up ]]; }
redis_follows() { redis_linked && (($(redis_info redis-replica slave_repl_offset) >= $2)); }

redis_role() {
  if [[ $(redis_info "$1" role) == master ]]; then
    echo primary
  elif redis_linked; then
    echo 'replica, linked'
  else
    echo 'replica, cut off'
  fi
}

redis_shutdown() { kill -TERM "$1"; }

redis_clear() { :; }
