"""What a script needs before it measures: sensible options, a build of failover, Debian packages."""

import argparse
import shlex
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from .laboratory import ROOT
from .process import BenchmarkError, program

DEFAULT_BINARY = ROOT / ".build" / "release" / "failover"


def positive(text: str) -> int:
    """An option's value: a whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def chosen(text: str, names: Collection[str]) -> set[str]:
    """An option's value: some of `names`, with commas between them."""
    wanted = set(text.split(","))
    if unknown := wanted - set(names):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return wanted


def failover_binary(given: Path | None) -> Path:
    """The binary to measure. The default one is built if it is not there."""
    binary = given or DEFAULT_BINARY
    if given is None and not binary.exists():
        build = ["swift", "build", "-c", "release", "--product", "failover"]
        print(f"{program()}: no {binary}: {shlex.join(build)}", file=sys.stderr)
        try:
            subprocess.run(build, cwd=ROOT, stdout=sys.stderr, check=True)
        except (OSError, subprocess.CalledProcessError) as failure:
            raise BenchmarkError(f"cannot build failover: {failure}") from failure
    if not binary.is_file():
        raise BenchmarkError(f"no failover binary at {binary}; --binary names another")
    if given is None and _is_older_than_sources(binary):
        print(f"{program()}: {binary} is older than Sources/: build it anew to measure them", file=sys.stderr)
    return binary.resolve()


def _is_older_than_sources(binary: Path) -> bool:
    built = binary.stat().st_mtime
    return any(source.stat().st_mtime > built for source in (ROOT / "Sources").rglob("*.swift"))


def need_packages(packages: list[str]) -> None:
    """Installs what is missing of these Debian packages."""
    command = ". scripts/lib/packages.sh; need_packages " + shlex.join(packages)
    if subprocess.run(["bash", "-euc", command], cwd=ROOT, stdout=sys.stderr).returncode != 0:
        raise BenchmarkError("cannot install " + ", ".join(packages))
