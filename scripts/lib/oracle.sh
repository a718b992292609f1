# shellcheck shell=bash
# Oracle's client library, of today's servers' root directory, in place of MariaDB's. Sourced; needs ROOT, packages.sh and
# newest.sh.

# need_oracles_library DIRECTORY makes what SwiftPM links below DIRECTORY, and sets `oracle` to the arguments of
# `swift build` for it. It needs a newer libc than Debian 12 has, so that the programs start with the loader and the
# libraries of the root directory.
need_oracles_library() {
  need_in_newest libmysqlclient-dev
  local libraries loaders
  libraries=$NEWEST/usr/lib/$(gcc -print-multiarch)
  loaders=("$libraries"/ld-linux-*.so.*)
  [[ -x ${loaders[0]} ]] || die "no loader in ${NEWEST#"$ROOT/"}"
  mkdir -p "$1/include" "$1/lib"
  ln -sfn "$NEWEST/usr/include/mysql" "$1/include/mysql"
  # Under a name of its own: the linker would find libmysqlclient.so, which is MariaDB's.
  ln -sfn "$libraries/libmysqlclient.so" "$1/lib/liboracle-mysqlclient.so"
  # Libraries of the toolchain load these two before it does, and then this machine's.
  cat >"$1/mysqlclient.pc" <<PC
Name: mysqlclient
Description: MySQL client library
Version: $(dpkg-query --admindir="$NEWEST/var/lib/dpkg" -W -f '${Version}' libmysqlclient-dev)
Cflags: -I$1/include
Libs: -L$1/lib -loracle-mysqlclient -lstdc++ -lgcc_s
PC
  # shellcheck disable=SC2034  # the caller uses it
  oracle=(--pkg-config-path "$1" -Xlinker --allow-shlib-undefined -Xlinker "--dynamic-linker=${loaders[0]}"
    -Xlinker --disable-new-dtags -Xlinker "-rpath=$libraries:${libraries#"$NEWEST"}")
}
