# shellcheck shell=bash
# A real systemd of Debian 12 in namespaces of its own, which shares the machine's network. Sourced; needs ROOT,
# packages.sh, processes.sh and newest.sh. The caller has a mount namespace of its own, so that the mounts end with it.

SYSTEMD_ROOT=$ROOT/.build/systemd-root
# The directory of a boot, the process that started it, and its first process.
BOOT='' SYSTEMD_PARENT='' SYSTEMD=''

# systemd_possible ends with 1 and prints the reason if this machine cannot boot a systemd.
systemd_possible() {
  ((EUID == 0)) || { echo 'needs root' && return 1; }
  unshare --fork --pid --mount --uts --ipc --cgroup --propagation private sh -euc '
    mount -t tmpfs tmpfs /mnt
    cd /mnt
    mkdir lower upper work root cgroup
    mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay root
    mount -t cgroup2 cgroup2 cgroup
    mkdir cgroup/failover-systemd
    rmdir cgroup/failover-systemd' >/dev/null 2>&1 ||
    { echo 'the kernel refuses namespaces or mounts' && return 1; }
}

# systemd_package prints the path of this checkout's package, which is built again if a source is newer.
systemd_package() {
  local package newer
  package=$(find .build/deb -name 'failover_*.deb' 2>/dev/null | tail -n 1)
  newer=$(find Sources Package.swift config packaging docs/man CHANGELOG.md scripts/package-deb scripts/share \
    scripts/manual ${FAILOVER_BINARY:+"$FAILOVER_BINARY"} -type f -newer "${package:-/dev/null}" -print -quit)
  if [[ -n $package && -z $newer ]]; then echo "$package"; else scripts/package-deb; fi
}

# systemd_make PACKAGE... makes the root directory, if it is not there or was made from other packages. Takes a minute.
systemd_make() {
  local stamp="$*" made log=$SYSTEMD_ROOT.log mirror
  [[ $(cat "$SYSTEMD_ROOT/made" 2>/dev/null) != "$stamp" ]] || return 0
  mkdir -p "${SYSTEMD_ROOT%/*}"
  mirror=$(debian_mirror)
  made=$(mktemp -d "$SYSTEMD_ROOT.XXXXXX")
  # The mirror may be a frozen archive, whose lists are out of date.
  if ! mmdebstrap --quiet --variant=minbase --mode=root --aptopt='Acquire::Check-Valid-Until "false"' \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/locale/*' \
    --include="$(IFS=, && echo "$*")" bookworm "$made" "$mirror" >"$log" 2>&1; then
    rm -rf --one-file-system "$made"
    die "cannot install a system; see $log"
  fi
  echo "$stamp" >"$made/made"
  chmod 755 "$made"
  rm -rf --one-file-system "$SYSTEMD_ROOT"
  mv "$made" "$SYSTEMD_ROOT"
}

# systemd_boot DIRECTORY starts it on a copy of the root directory, DIRECTORY/system, that vanishes with the mounts.
systemd_boot() {
  BOOT=$1
  mkdir "$BOOT"/{layer,system,cgroup}
  mount -t tmpfs tmpfs "$BOOT/layer"
  mkdir "$BOOT"/layer/{upper,work}
  mount -t overlay -o "lowerdir=$SYSTEMD_ROOT,upperdir=$BOOT/layer/upper,workdir=$BOOT/layer/work" \
    overlay "$BOOT/system"
  # systemd's groups are below one of its own, which is removed at the end.
  mount -t cgroup2 cgroup2 "$BOOT/cgroup"
  mkdir "$BOOT/cgroup/failover-systemd-$$"
  (
    echo "$BASHPID" >"$BOOT/cgroup/failover-systemd-$$/cgroup.procs"
    # It ends with this script, however that ends.
    exec setpriv --pdeathsig KILL unshare --fork --kill-child --pid --mount --uts --ipc --cgroup --propagation private \
      bash -euc "$(declare -f systemd_become); systemd_become '$BOOT/system'"
  ) </dev/null >"$BOOT/boot.log" 2>&1 &
  SYSTEMD_PARENT=$!
  # bash does not report how it ends.
  disown "$SYSTEMD_PARENT"
  { wait_until 60 systemd_is_there && wait_until 120 systemd_has_booted; } || { cat "$BOOT/boot.log" && return 1; }
}

# systemd_become DIRECTORY: what a container manager does; see systemd.io/CONTAINER_INTERFACE.
systemd_become() {
  cd "$1" || exit
  mount -t proc proc proc
  # The settings of the kernel are the machine's.
  mount --bind proc/sys proc/sys
  mount -o remount,bind,ro proc/sys
  mount -t sysfs -o ro sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs tmpfs tmp
  mount -t tmpfs -o mode=755 tmpfs dev
  mkdir dev/pts dev/shm
  mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
  mount -t tmpfs tmpfs dev/shm
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  local device
  for device in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "dev/${device%:*}" c 1 "${device#*:}"; done
  hostname systemd
  # Not chroot: the kernel creates no user namespace (PrivateUsers=) for a process in a chroot.
  pivot_root . .
  umount -l .
  # systemd mounts credentials in a namespace of their own, and they reach the services only if mounts are shared.
  mount --make-rshared /
  exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system
}

systemd_is_there() { SYSTEMD=$(pgrep -P "$SYSTEMD_PARENT" -x systemd); }

systemd_has_booted() { [[ $(inside systemctl is-system-running 2>/dev/null) == running ]]; }

# inside COMMAND... runs it in the booted system.
inside() {
  timeout 300 nsenter --target "$SYSTEMD" --all --root --wd \
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@" </dev/null
}

# systemd_end ends all its processes and removes its groups.
systemd_end() {
  [[ -n $SYSTEMD_PARENT ]] || return 0
  kill -KILL "$SYSTEMD_PARENT" 2>/dev/null || true
  # The first process ends last.
  [[ -z $SYSTEMD ]] || wait_until 60 gone "$SYSTEMD"
  wait_until 20 systemd_groups_are_removed
  umount -l "$BOOT/system" "$BOOT/layer" "$BOOT/cgroup"
}

systemd_groups_are_removed() {
  find "$BOOT/cgroup/failover-systemd-$$" -depth -type d -exec rmdir {} + 2>/dev/null
  [[ ! -e $BOOT/cgroup/failover-systemd-$$ ]]
}
