# shellcheck shell=bash
# Which server of the lab listens where. Sourced; needs LAB, SERVERS and DEFAULT_OFFSET, sets OFFSET.

# A running lab keeps the ports it was started with.
OFFSET=$(cat "$LAB/offset" 2>/dev/null || echo "${LAB_PORT_OFFSET:-$DEFAULT_OFFSET}")
port_of() {
  case $1 in
    postgres-primary) echo $((15432 + OFFSET)) ;;
    postgres-replica) echo $((15433 + OFFSET)) ;;
    postgres-second) echo $((15434 + OFFSET)) ;;
    postgres-other) echo $((15435 + OFFSET)) ;;
    mariadb-primary) echo $((13306 + OFFSET)) ;;
    mariadb-replica) echo $((13307 + OFFSET)) ;;
    mariadb-other) echo $((13308 + OFFSET)) ;;
    mysql-primary) echo $((13309 + OFFSET)) ;;
    mysql-replica) echo $((13310 + OFFSET)) ;;
    group-1) echo $((13311 + OFFSET)) ;;
    group-2) echo $((13312 + OFFSET)) ;;
    group-3) echo $((13313 + OFFSET)) ;;
    group-1-members) echo $((13314 + OFFSET)) ;;
    group-2-members) echo $((13315 + OFFSET)) ;;
    group-3-members) echo $((13316 + OFFSET)) ;;
    memcached-1) echo $((11311 + OFFSET)) ;;
    memcached-2) echo $((11312 + OFFSET)) ;;
    redis-primary) echo $((16379 + OFFSET)) ;;
    redis-replica) echo $((16380 + OFFSET)) ;;
    redis-primary-tls) echo $((16381 + OFFSET)) ;;
    rabbitmq) echo $((16672 + OFFSET)) ;;
    rabbitmq-tls) echo $((16671 + OFFSET)) ;;
    rabbitmq-dist) echo $((16673 + OFFSET)) ;;
    rabbitmq-epmd) echo $((16674 + OFFSET)) ;;
  esac
}

engines() { printf '%s\n' "${SERVERS[@]%-*}" | awk '!seen[$0]++'; }
servers_of() { printf '%s\n' "${SERVERS[@]}" | grep -E "^$1(-|\$)"; }

# ports_of SERVER prints what port_of takes for each port that it listens on.
ports_of() {
  case $1 in
    redis-primary) echo redis-primary redis-primary-tls ;;
    rabbitmq) echo rabbitmq rabbitmq-tls rabbitmq-dist rabbitmq-epmd ;;
    group-*) echo "$1" "$1-members" ;;
    *) echo "$1" ;;
  esac
}

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$(port_of "$1")") 2>/dev/null; }
