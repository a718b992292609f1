# shellcheck shell=bash
# What the scripts need from the machine, installed when it is missing. Sourced.

die() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# missing_packages NAME... prints those that are not installed; with DPKG_ADMINDIR, in another root directory.
missing_packages() {
  local name
  for name in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || echo "$name"
  done
}

# need_packages NAME... installs those Debian packages that are missing, and starts none of their services.
need_packages() {
  command -v dpkg-query >/dev/null || die "not a Debian system; install the content of these packages, then change ${BASH_SOURCE[0]}: $*"
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0

  local root=()
  if ((EUID != 0)); then
    root=(sudo)
    # Without a terminal no one can type a password.
    if [[ ! -t 0 ]]; then root+=(-n); fi
    "${root[@]}" true 2>/dev/null || die "neither root nor sudo; as root run: apt-get install ${missing[*]}"
  fi
  echo "installing ${missing[*]}" >&2
  install_quietly "${missing[@]}"
}

# Runs in a subshell, so that its trap takes back what it put in place, however the installation ends.
# Uses `root`, the prefix of commands that need privileges.
install_quietly() (
  set -euo pipefail
  undo=()
  # shellcheck disable=SC2317  # the trap calls it
  take_back() {
    local path
    for path in "${undo[@]}"; do "${root[@]}" rm -f "$path"; done
    # Goes only if this run left it empty.
    "${root[@]}" rmdir --ignore-fail-on-non-empty /etc/postgresql-common/createcluster.d 2>/dev/null || true
  }
  trap take_back EXIT
  trap 'exit 1' HUP INT TERM
  # Two callers install one after the other: not every lock of apt can be waited for.
  exec 9<"${BASH_SOURCE[0]}"
  flock 9

  # Debian's server packages start their service and create a cluster; the lab brings its own.
  local policy=/usr/sbin/policy-rc.d no_cluster=/etc/postgresql-common/createcluster.d/failover-lab.conf
  if [[ ! -e $policy ]]; then
    undo+=("$policy")
    "${root[@]}" install -m 755 /dev/stdin "$policy" <<<$'#!/bin/sh\nexit 101'
  fi
  undo+=("$no_cluster")
  "${root[@]}" install -D -m 644 /dev/stdin "$no_cluster" <<<'create_main_cluster = false'

  # Another apt at work is waited for.
  apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  "${apt[@]}" update
  "${apt[@]}" install -y --no-install-recommends "$@" </dev/null >/dev/null
)

# need_swift ends the script unless a Swift that can build this package is on the PATH.
need_swift() {
  local least=6.2 found
  found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1) || true
  if [[ -z $found || $(printf '%s\n' "$least" "$found" | sort -V | head -n 1) != "$least" ]]; then
    die "needs Swift $least or newer on the PATH (found: ${found:-none}); see swift.org/install for the Debian 12 toolchain"
  fi
}

# need_clients DIRECTORY: the drivers that the tests use as applications do, what lets packets vanish, and what the
# notifiers tell. What Debian
# has not goes below DIRECTORY.
need_clients() {
  need_packages python3-psycopg python3-pymysql python3-cryptography python3-pip iproute2 nftables memcached openssl
  [[ -e $1/mysql/connector ]] ||
    /usr/bin/python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$1" mysql-connector-python ||
    die "cannot install mysql-connector-python"
}

# need_newest_drivers DIRECTORY: the drivers of today, in fixed versions, go below DIRECTORY with what they need.
# mysqlclient has no wheel, so that it is Debian's (module MySQLdb).
need_newest_drivers() {
  local drivers=('psycopg[binary]==3.3.9' psycopg2-binary==2.9.13 asyncpg==0.32.0 pg8000==1.31.6 PyMySQL==1.2.4
    mysql-connector-python==26.10.0 aiomysql==0.3.2 asyncmy==0.2.18 cryptography==50.0.2)
  need_packages python3-mysqldb python3-pip
  [[ $(cat "$1/made" 2>/dev/null) != "${drivers[*]}" ]] || return 0
  rm -rf "$1"
  /usr/bin/python3 -m pip install --quiet --disable-pip-version-check --only-binary :all: --target "$1" "${drivers[@]}" ||
    die "cannot install today's drivers"
  echo "${drivers[*]}" >"$1/made"
}

# need_python_checks DIRECTORY: what checks Python, and those libraries that have types. ruff is not in Debian: a fixed
# version goes below DIRECTORY, as bin/ruff.
need_python_checks() {
  local ruff=0.14.6
  need_packages mypy python3-pip python3-psycopg python3-selenium
  [[ $("$1/bin/ruff" --version 2>/dev/null) == "ruff $ruff" ]] ||
    /usr/bin/python3 -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target "$1" "ruff==$ruff" ||
    die "cannot install ruff $ruff"
}

# need_site_generator DIRECTORY: what makes a site of the manual. It is not in Debian: a fixed version goes below
# DIRECTORY.
need_site_generator() {
  local material=9.7.7
  need_packages python3-pip
  [[ -e $1/mkdocs_material-$material.dist-info ]] ||
    /usr/bin/python3 -m pip install --quiet --disable-pip-version-check --upgrade --target "$1" \
      "mkdocs-material==$material" 'mkdocs<2' ||
    die "cannot install mkdocs-material $material"
}

# What every build needs in addition to Swift: the client libraries of both databases, OpenSSL, a reader of Redis'
# answers, and libcurl for webhooks.
need_build_tools() {
  need_swift
  need_packages libpq-dev default-libmysqlclient-dev libssl-dev libhiredis-dev libcurl4-openssl-dev pkg-config
}

# need_browser: a browser, what drives it, and fonts that hold the letters of the tests.
need_browser() {
  need_packages chromium chromium-driver python3-selenium fonts-dejavu-core
}
