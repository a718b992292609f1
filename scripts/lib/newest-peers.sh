# shellcheck shell=bash
# The relays that failover is compared with, in today's versions. They are installed in the root directory of today's
# servers and run there by scripts/lib/in-newest. Sourced; needs ROOT, packages.sh and newest.sh.

# need_newest_peers installs what is missing.
need_newest_peers() { need_in_newest haproxy mysql-router pgbouncer odyssey pgpool2; }
