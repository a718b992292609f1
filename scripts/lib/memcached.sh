# shellcheck shell=bash
# The lab's Memcached pool: two servers that know nothing of each other. Sourced; needs processes.sh.

as_memcached=()
if ((EUID == 0)); then as_memcached=(setpriv --reuid=memcache --regid=memcache --init-groups --); fi

memcached_make() { :; }

memcached_launch() {
  launch "$1" "${as_memcached[@]}" memcached --listen=127.0.0.1 --port="$(port_of "$1")" --udp-port=0 --memory-limit=16
}

# Without a `quit`, the server would wait for more.
memcached_version() { talk "$(port_of "$1")" 'version\r\nquit\r\n' 100 | tr -d '\r' | sed -n 's/^VERSION //p'; }

memcached_answers() { [[ -n $(memcached_version "$1") ]]; }

memcached_role() { echo "version $(memcached_version "$1")"; }

memcached_shutdown() { kill -TERM "$1"; }

memcached_clear() { :; }
