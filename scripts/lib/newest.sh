# shellcheck shell=bash
# Today's servers, of Debian's unstable distribution, in a root directory of their own: .build/newest. Sourced; needs
# ROOT and packages.sh. They share the machine's network, see the checkout and /tmp at the same paths, and leave no
# mounts behind: each process has a mount namespace of its own (scripts/lib/in-newest).

NEWEST=$ROOT/.build/newest

newest_packages=(mysql-server-core mysql-client-core postgresql-18 libfaketime adduser
  # What MariaDB's programs need. Its packages conflict with MySQL's, so that they are unpacked below /opt/mariadb.
  libmariadb3 libncurses6 libedit2 libnuma1 liburing2 libaio1t64 libpcre2-8-0 libcrypt1)
newest_unpacked=(mariadb-server-core mariadb-client-core mariadb-client mariadb-server)

# need_newest makes the root directory, if it is not there or was made from other packages. Takes half a minute to two.
need_newest() {
  ((EUID == 0)) || die "--newest needs root: its servers run in a root directory of their own"
  local stamp="${newest_packages[*]} ${newest_unpacked[*]}"
  [[ $(cat "$NEWEST/made" 2>/dev/null) != "$stamp" ]] || return 0
  need_packages mmdebstrap util-linux
  echo "installing today's servers in ${NEWEST#"$ROOT/"}" >&2
  mkdir -p "${NEWEST%/*}"
  local made mirror log=$NEWEST.log
  mirror=$(debian_mirror)
  made=$(mktemp -d "$NEWEST.XXXXXX")
  # A mirror's list of unstable's packages may be weeks old.
  if ! mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io \
    --include="$(IFS=, && echo "${newest_packages[*]}")" \
    --customize-hook="$(declare -f newest_unpack); newest_unpack \"\$1\" ${newest_unpacked[*]}" \
    sid "$made" "$mirror" >"$log" 2>&1; then
    rm -rf --one-file-system "$made"
    die "cannot install today's servers; see $log"
  fi
  newest_programs "$made"
  echo "$stamp" >"$made/made"
  chmod 755 "$made"
  rm -rf --one-file-system "$NEWEST"
  mv "$made" "$NEWEST"
}

# newest_unpack ROOT PACKAGE... runs at the end of the installation, outside ROOT.
newest_unpack() {
  local made=$1
  shift
  # shellcheck disable=SC2016  # the inner shell expands it
  chroot "$made" sh -euc '
    mkdir -p /opt/mariadb /opt/debs
    cd /opt/debs
    apt-get -qq download "$@"
    for package in *.deb; do dpkg -x "$package" /opt/mariadb; done
    rm -r /opt/debs
    adduser --quiet --system --group --no-create-home --home /nonexistent mysql' - "$@"
}

# newest_programs ROOT makes a directory for the PATH, with today's clients as they are called from outside.
newest_programs() {
  local program
  mkdir "$1/programs"
  for program in psql pgbench pg_dump mysql mysqldump mariadb; do
    install /dev/stdin "$1/programs/$program" <<PROGRAM
#!/bin/sh
exec "$ROOT/scripts/lib/in-newest" root $program "\$@"
PROGRAM
  done
}

# debian_mirror prints the address that this machine's packages come from.
debian_mirror() {
  # sources.list has "deb URI SUITE…", a .sources file has "URIs: URI".
  local file mirror=
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [[ -e $file && -z $mirror ]] || continue
    mirror=$(sed -nE 's/^(deb( \[[^]]*\])?|URIs:) +([^ ]+\/debian)\/?( .*)?$/\3/p;T;q' "$file")
  done
  [[ -n $mirror ]] || die "the machine's apt sources name no mirror of Debian"
  echo "$mirror"
}

# newest_id USER: the number that files of the root directory's user have.
newest_id() { awk -F: -v user="$1" '$1 == user { print $3 }' "$NEWEST/etc/passwd"; }

# need_in_newest PACKAGE... installs in the root directory what is missing there, and starts none of the services.
need_in_newest() {
  need_newest
  local missing log=$NEWEST.log
  # Two callers install one after the other.
  exec 8<"$NEWEST/made"
  flock 8
  mapfile -t missing < <(DPKG_ADMINDIR=$NEWEST/var/lib/dpkg missing_packages "$@")
  if ((${#missing[@]})); then
    echo "installing ${missing[*]} in ${NEWEST#"$ROOT/"}" >&2
    install -m 755 /dev/stdin "$NEWEST/usr/sbin/policy-rc.d" <<<$'#!/bin/sh\nexit 101'
    newest_install "${missing[@]}" >>"$log" 2>&1 || die "cannot install ${missing[*]}; see $log"
  fi
  exec 8<&-
}

# newest_install PACKAGE... uses the sources of the root directory, whose lists may be weeks old.
newest_install() {
  local apt=("$ROOT/scripts/lib/in-newest" root env DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o Acquire::Check-Valid-Until=false -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  install -m 644 /etc/resolv.conf "$NEWEST/etc/resolv.conf"
  timeout 300 "${apt[@]}" update
  timeout 600 "${apt[@]}" install -y --no-install-recommends "$@"
}
