# shellcheck shell=bash
# A Docker engine of the script's own, and base images made of what the machine has: no registry is asked. Sourced;
# needs DOCKER, a directory, packages.sh and processes.sh. Images stay below DOCKER between runs; nothing else does.

BASE_IMAGE=debian:bookworm-slim
BUILDER_IMAGE=swift:6.3-bookworm
# Of the benchmark networks of RFC 2544, which are not routed: that of docker/compose.yaml is outside this pool.
ADDRESS_POOL=198.18.128.0/18

DOCKER_PACKAGES=(docker.io docker-compose iptables mmdebstrap)

need_docker() { need_packages "${DOCKER_PACKAGES[@]}"; }

# engine_start sets RUN and DOCKER_HOST. The socket's path has to be short, wherever the checkout lies.
engine_start() {
  RUN=$(mktemp -d /tmp/failover-docker.XXXXXX)
  mkdir -p "$DOCKER/data"
  exec 9>"$DOCKER/lock"
  flock -n 9 || die "another run has its engine on $DOCKER"
  # Descriptor 9 stays with this script. Without NAT containers reach each other, and the host their published ports.
  setsid dockerd --data-root "$DOCKER/data" --exec-root "$RUN/exec" --pidfile "$RUN/pid" -H "unix://$RUN/docker.sock" \
    --storage-driver overlay2 --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
    --default-address-pool "base=$ADDRESS_POOL,size=24" </dev/null >"$DOCKER/engine.log" 2>&1 9>&- &
  ENGINE=$!
  # BuildKit is not in Debian's engine; its classic builder is.
  export DOCKER_HOST=unix://$RUN/docker.sock DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=0
  wait_until 60 engine_answers_or_died
  docker version >/dev/null 2>&1 || die "the engine does not answer; see $DOCKER/engine.log"
}

engine_answers_or_died() { docker version >/dev/null 2>&1 || [[ -z $(state_of "$ENGINE") ]]; }

# engine_stop ends the engine with all its containers and unmounts what they leave.
engine_stop() {
  [[ -n ${ENGINE:-} ]] || return 0
  local containers
  mapfile -t containers < <(docker ps -q 2>/dev/null)
  ((${#containers[@]} == 0)) || docker rm -fv "${containers[@]}" >/dev/null 2>&1 || true
  kill "$ENGINE" 2>/dev/null || true
  wait_until 60 gone "$ENGINE" || kill -KILL "$ENGINE" 2>/dev/null || true
  wait "$ENGINE" 2>/dev/null || true
  local mount
  while read -r mount; do umount "$mount" || true; done < <(mounts_below "$RUN" | sort -r)
  rm -rf --one-file-system "$RUN"
  ENGINE=
}

mounts_below() { findmnt -rno TARGET | grep -F "$1/" || true; }

have_image() { docker image inspect "$1" >/dev/null 2>&1; }

# make_base_image: Debian's minimal system without what the official slim image leaves out too, from the machine's
# mirrors.
make_base_image() {
  ! have_image "$BASE_IMAGE" || return 0
  local excluded=(doc man info locale groff linda lintian) path options=() sources=()
  for path in "${excluded[@]}"; do options+=(--dpkgopt="path-exclude=/usr/share/$path/*"); done
  options+=(--dpkgopt='path-include=/usr/share/doc/*/copyright' --aptopt='APT::Install-Recommends "false"')
  # What apt needs to know to reach the mirrors, also from inside a build.
  apt-config dump | grep -iE '^Acquire::(Check|https?::|ftp::|Retries)' >"$RUN/apt.conf" || true
  # shellcheck disable=SC2016  # apt expands these
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' >"$RUN/sources.list"
  # Without any, mmdebstrap takes Debian's own.
  [[ ! -s $RUN/sources.list ]] || sources=("$RUN/sources.list")
  # shellcheck disable=SC2016  # mmdebstrap's own shell expands $1
  mmdebstrap --quiet --variant=minbase "${options[@]}" --aptopt="$RUN/apt.conf" \
    --customize-hook='rm -rf "$1"/var/cache/apt/*.bin "$1"/var/log/*.log "$1"/var/log/apt' \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --include=usr-is-merged \
    bookworm - "${sources[@]}" | docker import -c 'CMD ["bash"]' - "$BASE_IMAGE" >/dev/null
}

# make_builder_image: what Swift's own image has, its dependencies and the machine's toolchain; and the copies of packages
# that git takes here instead of the network's.
make_builder_image() {
  ! have_image "$BUILDER_IMAGE" || return 0
  local toolchain instead copies path mounts=() name=failover-builder
  toolchain=$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")
  instead=$(git config --get-regexp '^url\./.*\.insteadof$') || true
  mapfile -t copies < <(sed -nE 's/^url\.(\/[^ ]*)\.insteadof .*/\1/p' <<<"$instead" | sort -u)
  for path in "$toolchain" "${copies[@]}"; do mounts+=(-v "$path:/host$path:ro"); done
  docker rm -fv "$name" >/dev/null 2>&1 || true
  # shellcheck disable=SC2016  # the container's shell expands these
  docker run -i --name "$name" --network host "${mounts[@]}" "$BASE_IMAGE" bash -euc '
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    apt-get -qq install -y --no-install-recommends ca-certificates binutils gcc g++ libc6-dev libstdc++-12-dev git \
      libcurl4-openssl-dev libedit2 libsqlite3-0 libncurses6 libxml2-dev zlib1g-dev pkg-config tzdata >/dev/null
    rm -rf /var/lib/apt/lists/*
    tar -C "/host$1" --exclude="*lldb*" --exclude="*ourcekit*" --exclude="share/doc" -cf - . | tar -C /usr -xf -
    shift
    for copies; do mkdir -p "$copies" && cp -a "/host$copies/." "$copies"; done
    while read -r key value; do [[ -z $key ]] || git config --system --add "$key" "$value"; done
    git config --system --add safe.directory "*"' - "$toolchain" "${copies[@]}" <<<"$instead"
  docker commit -c 'CMD ["bash"]' "$name" "$BUILDER_IMAGE" >/dev/null
  docker rm -v "$name" >/dev/null
}
