# shellcheck shell=bash
# The lab's directories and certificates. Sourced; needs LAB and OFFSET, sets DATA.

# An unprivileged server can use DIR only if its user may pass all of its parents; a socket's path ends at 107 bytes.
usable_by_servers() {
  ((${#1} <= 70)) || return 1
  local prefix
  for prefix in "as_postgres[@]" "as_mysql[@]" "as_redis[@]" "as_rabbitmq[@]"; do
    # A user whose engine is not installed has nothing to run here.
    "${!prefix}" true 2>/dev/null || continue
    "${!prefix}" test -x "$1" || return 1
  done
}

# Makes what is missing of .lab and sets DATA.
make_lab() {
  mkdir -p "$LAB/log" "$LAB/run" "$LAB/tls"
  echo "$OFFSET" >"$LAB/offset"
  if [[ ! -e $LAB/data ]]; then
    rm -f "$LAB/data"
    mkdir "$LAB/data"
    local parent
    for parent in "${TMPDIR:-/tmp}" /tmp; do
      ! usable_by_servers "$(readlink -f "$LAB/data")" || break
      rm -rf "$(readlink -f "$LAB/data")" "$LAB/data"
      ln -s "$(mktemp -d "$parent/failover-lab.XXXXXX")" "$LAB/data"
      chmod 755 "$LAB/data/"
    done
  fi
  DATA=$(readlink -f "$LAB/data")
  [[ -e $LAB/tls/server.pem ]] || make_certificates >>"$LAB/log/make.log" 2>&1 || die "openssl failed; see $LAB/log/make.log"
}

make_certificates() (
  cd "$LAB/tls"
  local key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes) days=3650 authority_days=3650
  ! is_broken || days=5 authority_days=20
  openssl req -x509 "${key[@]}" -days "$authority_days" -keyout ca.key -out ca.pem -subj '/CN=failover lab CA' \
    -addext 'keyUsage=critical,keyCertSign,cRLSign' &&
    openssl req "${key[@]}" -keyout server.key -out server.csr -subj /CN=localhost &&
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days "$days" -out server.pem \
      -extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1')
)

# make_server_dir USER NAME: a directory only USER may enter, with the server's certificate.
make_server_dir() {
  local dir=$DATA/$2 own=()
  if is_newest; then
    own=(-o "$(newest_id "$1")" -g "$(newest_id "$1")")
  elif ((EUID == 0)); then
    own=(-o "$1" -g "$1")
  fi
  rm -rf "$dir"
  install -d -m 700 "${own[@]}" "$dir"
  install -m 600 "${own[@]}" "$LAB"/tls/{ca.pem,server.pem,server.key} "$dir"
}
