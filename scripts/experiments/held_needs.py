"""What the experiments with held sessions need from the machine: drivers, pools, a site's framework, programs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .command import need_packages
from .laboratory import ROOT
from .process import ExperimentError, say

FOLDER = ROOT / ".build" / "held"
PYTHON = FOLDER / "python"
"""What pip installs."""
PROGRAMS = ROOT / "scripts" / "experiments" / "held_programs"
"""The sources of programs that are not of this package: a site, pools of other languages."""
INTERPRETER = "/usr/bin/python3"
WANTED = [
    "psycopg[binary]==3.3.9",
    "psycopg-pool==3.3.3",
    "PyMySQL==1.2.4",
    "cryptography==50.0.2",
    "SQLAlchemy==2.1.9",
    "Django==5.2.19",
    "gunicorn==27.0.1",
]
PACKAGES = ["openssl", "procps", "python3-pip"]
GO_PACKAGES = [
    "golang-go",
    "golang-github-lib-pq-dev",
    "golang-github-jackc-pgx-v4-dev",
    "golang-github-go-sql-driver-mysql-dev",
]
JAVA_PACKAGES = ["openjdk-17-jdk-headless", "libhikaricp-java", "libpostgresql-jdbc-java", "libslf4j-java"]
JARS = [f"/usr/share/java/{name}.jar" for name in ("HikariCP", "postgresql", "slf4j-api", "slf4j-nop")]


def need_python() -> None:
    """Installs Python's drivers, pools and Django in fixed versions. From now on this program uses them."""
    need_packages(PACKAGES)
    made = PYTHON / "made"
    if not made.exists() or made.read_text() != "\n".join(WANTED):
        shutil.rmtree(PYTHON, ignore_errors=True)
        options = ["--quiet", "--disable-pip-version-check", "--no-warn-script-location", "--only-binary", ":all:"]
        _run("pip", [INTERPRETER, "-m", "pip", "install", *options, "--target", str(PYTHON), *WANTED], {})
        made.write_text("\n".join(WANTED))
    sys.path.insert(0, str(PYTHON))


def go_pools() -> list[str]:
    """The command of the pool in Go, built from Debian's packages alone."""
    need_packages(GO_PACKAGES)
    program = FOLDER / "pool-go"
    if _is_older(program, PROGRAMS / "pool.go"):
        places = {"GOPATH": "/usr/share/gocode", "GOCACHE": str(FOLDER / "go-cache")}
        environment = {"GO111MODULE": "off", "GOFLAGS": "", **places}
        _run("Go", ["go", "build", "-o", str(program), str(PROGRAMS / "pool.go")], environment)
    return [str(program)]


def java_pool() -> list[str]:
    """The command of HikariCP's pool, built from Debian's packages alone."""
    need_packages(JAVA_PACKAGES)
    classes = FOLDER / "java"
    if _is_older(classes / "Pool.class", PROGRAMS / "Pool.java"):
        _run("Java", ["javac", "-cp", ":".join(JARS), "-d", str(classes), str(PROGRAMS / "Pool.java")], {})
    return ["java", "-Xmx128m", "-cp", ":".join([str(classes), *JARS]), "Pool"]


def python_versions() -> list[str]:
    """What `need_python` has installed."""
    return [wanted.replace("[binary]", "").replace("==", " ") for wanted in WANTED]


def package_versions(packages: list[str]) -> list[str]:
    """The installed versions of Debian's packages."""
    query = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages]
    done = subprocess.run(query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    text: str = done.stdout
    return text.split("\n")[:-1]


def _is_older(made: Path, source: Path) -> bool:
    return not made.exists() or made.stat().st_mtime < source.stat().st_mtime


def _run(name: str, argv: list[str], environment: dict[str, str]) -> None:
    say(f"{name}: {argv[0]} …")
    FOLDER.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(argv, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    if done.returncode != 0:
        raise ExperimentError(f"{name}: {argv[0]} failed")
