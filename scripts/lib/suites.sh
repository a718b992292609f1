# shellcheck shell=bash
# The test suites that scripts/suites runs, in fixed versions, below .build/suites: a directory for each with what pip
# installs, and sources/ with the tests. Sourced; needs ROOT, packages.sh and newest.sh.

SUITES=$ROOT/.build/suites

# need_suites NAME...: what all of them need, then the tests and the drivers of these.
need_suites() {
  local suite
  need_packages postgresql-client postgresql-contrib default-mysql-client python3-pip python3-mysqldb xz-utils openssl \
    sysbench debian-archive-keyring
  mkdir -p "$SUITES/sources"
  for suite; do
    case $suite in
      psycopg)
        suite_install psycopg 'psycopg[binary]==3.2.6' psycopg-pool==3.2.6 pytest==8.3.5 anyio==4.9.0
        # This source distribution and PyMySQL's have no tests. Debian's sources have.
        suite_debian psycopg3 3.2.6 tests pyproject.toml
        ;;
      asyncpg)
        suite_install asyncpg asyncpg==0.32.0 pytest==8.3.5
        suite_sdist asyncpg 0.32.0 tests
        ;;
      pymysql)
        # PyMySQL is in the sources.
        suite_install pymysql cryptography==50.0.2 pytest==8.3.5
        suite_debian python-pymysql 1.1.1 pymysql
        ;;
      django-*)
        # mysqlclient is Debian's: it has no wheel.
        suite_install django 'psycopg[binary]==3.2.6' psycopg-pool==3.2.6 asgiref==3.13.0 sqlparse==0.6.1 \
          unittest-xml-reporting==4.0.0
        suite_sdist django 5.2.19 tests django setup.cfg
        ;;
    esac
  done
}

# suite_install NAME REQUIREMENT...
suite_install() {
  local directory=$SUITES/$1
  shift
  [[ $(cat "$directory/made" 2>/dev/null) != "$*" ]] || return 0
  rm -rf "$directory"
  /usr/bin/python3 -m pip install --quiet --disable-pip-version-check --no-warn-script-location --root-user-action ignore \
    --only-binary :all: --target "$directory" "$@" || die "cannot install $*"
  echo "$*" >"$directory/made"
}

# suite_sdist NAME VERSION PATH... takes the paths from a source distribution.
suite_sdist() {
  local name=$1 version=$2 archive
  shift 2
  [[ ! -e $SUITES/sources/$name-$version ]] || return 0
  rm -rf "$SUITES/downloads"
  /usr/bin/python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary "$name" \
    --dest "$SUITES/downloads" "$name==$version" || die "cannot download the source of $name $version"
  archive=$(echo "$SUITES/downloads"/*.tar.gz)
  suite_unpack "$name-$version" "$archive" "$@"
}

# suite_debian PACKAGE VERSION PATH... takes the paths from Debian's source package. The version is that of Debian 13.
# For a mirror that lacks the file, someone can put the paths below .build/suites/sources/PACKAGE-VERSION.
suite_debian() {
  local name=$1 version=$2 mirror apt archive
  shift 2
  [[ ! -e $SUITES/sources/$name-$version ]] || return 0
  mirror=$(debian_mirror)
  rm -rf "$SUITES/downloads"
  mkdir -p "$SUITES/downloads/lists/partial"
  # Lists and sources of its own: the machine's need no deb-src.
  echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$SUITES/downloads/sources.list"
  apt=(apt-get -qq -o Dir::Etc::sourcelist="$SUITES/downloads/sources.list" -o Dir::Etc::sourceparts=-
    -o Dir::State::lists="$SUITES/downloads/lists" -o Dir::Cache="$SUITES/downloads/cache"
    -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root)
  # It fails if any file is missing, also one that is not needed here.
  (cd "$SUITES/downloads" && "${apt[@]}" update && "${apt[@]}" --download-only source "$name") \
    >"$SUITES/downloads/log" 2>&1 || true
  archive=$(find "$SUITES/downloads" -maxdepth 1 -name "${name}_$version.orig.tar.*")
  [[ -n $archive ]] || die "the mirror of Debian does not have ${name}_$version.orig.tar: put its folders ($*) from the" \
    "project's own repository, tag ${version}, below .build/suites/sources/$name-$version"
  suite_unpack "$name-$version" "$archive" "$@"
}

# suite_unpack NAME ARCHIVE PATH...
suite_unpack() {
  local name=$1 archive=$2 made=$SUITES/downloads/unpacked patterns=()
  shift 2
  mkdir -p "$made"
  patterns=("${@/#/*/}")
  tar -xf "$archive" -C "$made" --strip-components=1 --wildcards --no-wildcards-match-slash "${patterns[@]}" ||
    die "no $* in $archive"
  rm -rf "$SUITES/sources/$name"
  mv "$made" "$SUITES/sources/$name"
}
