# shellcheck shell=bash
# The lab's RabbitMQ: one node with a name server of its own (epmd). Sourced; needs LAB, DATA and processes.sh.

as_rabbitmq=()
if ((EUID == 0)); then as_rabbitmq=(setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups --); fi

# A node listens when it has booted, and answers the protocol's header with a frame of type 1.
rabbitmq_answers() { [[ $(talk "$(port_of "$1")" 'AMQP\0\0\x09\x01' 1 | od -An -tu1) -eq 1 ]]; }

rabbitmq_launch() {
  local dir=$DATA/$1 port
  port=$(port_of rabbitmq-epmd)
  # Else the node would start one that outlives it.
  if ! alive rabbitmq-epmd; then
    launch rabbitmq-epmd "${as_rabbitmq[@]}" env ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$port" epmd
  fi
  # As under systemd: one process, which ends in order at SIGTERM.
  launch "$1" "${as_rabbitmq[@]}" env RUNNING_UNDER_SYSTEMD=1 HOME="$dir" LC_ALL=C.UTF-8 \
    ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$port" \
    RABBITMQ_NODENAME="failover-lab-$OFFSET@localhost" RABBITMQ_DIST_PORT="$(port_of rabbitmq-dist)" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}' \
    RABBITMQ_CONF_ENV_FILE="$dir/env.conf" RABBITMQ_CONFIG_FILE="$dir/rabbitmq.conf" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$dir/plugins" RABBITMQ_MNESIA_BASE="$dir/mnesia" RABBITMQ_LOG_BASE="$dir/log" \
    RABBITMQ_LOGS=- RABBITMQ_PID_FILE="$dir/pid" /usr/lib/rabbitmq/bin/rabbitmq-server
}

rabbitmq_make() {
  local dir=$DATA/rabbitmq
  make_server_dir rabbitmq rabbitmq
  as rabbitmq tee "$dir/env.conf" </dev/null
  as rabbitmq tee "$dir/plugins" <<<'[].'
  as rabbitmq tee "$dir/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$(port_of rabbitmq)
listeners.ssl.1 = 127.0.0.1:$(port_of rabbitmq-tls)
ssl_options.cacertfile = $dir/ca.pem
ssl_options.certfile = $dir/server.pem
ssl_options.keyfile = $dir/server.key
ssl_options.verify = verify_none
default_user = monitor
default_pass = monitor-secret
default_vhost = app
CONF
}

rabbitmq_role() { rabbitmq_answers "$1" && echo broker; }

rabbitmq_shutdown() { kill -TERM "$1"; }

rabbitmq_clear() { rm -f "$DATA/$1/pid"; }
