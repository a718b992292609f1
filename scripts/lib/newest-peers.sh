# shellcheck shell=bash
# The relays that failover is compared with, in today's versions. They are installed in the root directory of today's
# servers and run there by scripts/lib/in-newest. Sourced; needs ROOT, packages.sh and newest.sh.

newest_peers=(haproxy mysql-router pgbouncer odyssey pgpool2)

# need_newest_peers installs what is missing, and starts none of the services.
need_newest_peers() {
  need_newest
  local missing log=$NEWEST.log
  # Two callers install one after the other.
  exec 8<"$NEWEST/made"
  flock 8
  mapfile -t missing < <(newest_missing "${newest_peers[@]}")
  if ((${#missing[@]})); then
    echo "installing ${missing[*]} in ${NEWEST#"$ROOT/"}" >&2
    install -m 755 /dev/stdin "$NEWEST/usr/sbin/policy-rc.d" <<<$'#!/bin/sh\nexit 101'
    newest_install "${missing[@]}" >>"$log" 2>&1 || die "cannot install ${missing[*]}; see $log"
  fi
  exec 8<&-
}

# newest_missing PACKAGE... prints those that the root directory does not have.
newest_missing() {
  local package
  for package; do
    [[ $(dpkg-query --admindir="$NEWEST/var/lib/dpkg" -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      echo "$package"
  done
}

# newest_install PACKAGE... uses the sources of the root directory, whose lists may be weeks old.
newest_install() {
  local apt=("$ROOT/scripts/lib/in-newest" root env DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o Acquire::Check-Valid-Until=false -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  install -m 644 /etc/resolv.conf "$NEWEST/etc/resolv.conf"
  timeout 300 "${apt[@]}" update
  timeout 600 "${apt[@]}" install -y --no-install-recommends "$@"
}
