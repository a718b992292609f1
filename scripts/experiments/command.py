"""What every command has in common: options, what it needs from the machine, how it ends."""

import argparse
import os
import platform
import resource
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NoReturn

from .laboratory import ROOT
from .process import ExperimentError, program, say

DEFAULT_BINARY = ROOT / ".build" / "release" / "failover"


def end_with(command: Callable[[], bool]) -> NoReturn:
    """Runs a command and ends the program.

    Exit status: 0 if the command returns True; 1 if it returns False or raises ExperimentError; 128 and the signal's
    number after SIGINT and SIGTERM.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        met = command()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except ExperimentError as error:
        sys.exit(f"{program()}: {error}")
    sys.exit(0 if met else 1)


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """A parser whose help shows the description with its own line breaks."""
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def add_binary(parser: argparse.ArgumentParser) -> None:
    """The option `--binary`; see `failover_binary`."""
    parser.add_argument("--binary", type=Path, help="failover; default .build/release/failover, built if missing")


def positive(text: str) -> int:
    """The value of an option: a whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def chosen(text: str, names: Collection[str]) -> set[str]:
    """The value of an option: some of `names`, separated by commas."""
    wanted = set(text.split(","))
    if unknown := wanted - set(names):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return wanted


def failover_binary(given: Path | None) -> Path:
    """The binary under test. The default one is built if it is missing."""
    binary = given or DEFAULT_BINARY
    if given is None and not binary.exists():
        build = ["swift", "build", "-c", "release", "--product", "failover"]
        say(f"no {binary}: {shlex.join(build)}")
        try:
            subprocess.run(build, cwd=ROOT, stdout=sys.stderr, check=True)
        except (OSError, subprocess.CalledProcessError) as failure:
            raise ExperimentError(f"cannot build failover: {failure}") from failure
    if not binary.is_file():
        raise ExperimentError(f"no failover binary at {binary}; --binary names another")
    if given is None and _is_older_than_sources(binary):
        say(f"{binary} is older than Sources/: build it again to measure them")
    return binary.resolve()


def _is_older_than_sources(binary: Path) -> bool:
    built = binary.stat().st_mtime
    return any(source.stat().st_mtime > built for source in (ROOT / "Sources").rglob("*.swift"))


def call_function(libraries: list[str], *call: str) -> None:
    """Calls a function of the shell libraries in scripts/lib, with its arguments."""
    command = f"ROOT=$PWD; {' '.join(f'. scripts/lib/{name}.sh;' for name in libraries)} {shlex.join(call)}"
    if subprocess.run(["bash", "-euc", command], cwd=ROOT, stdout=sys.stderr).returncode != 0:
        raise ExperimentError(f"{shlex.join(call)} failed")


def need_packages(packages: list[str]) -> None:
    """Installs those of the Debian packages that are missing."""
    call_function(["packages"], "need_packages", *packages)


def raise_descriptor_limit() -> int:
    """Raises the soft limit of open files to the hard one, which is returned."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def machine_line() -> str:
    """CPU, cores, kernel, and the load of the machine before the experiment."""
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    load, *_ = os.getloadavg()
    return f"{model.split(':')[1].strip()}, {os.cpu_count()} cores, Linux {platform.release()}, load before {load:.2f}"


def first_line(*argv: str) -> str:
    """The first line that a command prints, on standard output or standard error."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    text: str = done.stdout
    return text.partition("\n")[0]


def failover_version(binary: Path) -> str:
    """Which build of failover was measured."""
    built = time.strftime("%F %T", time.localtime(binary.stat().st_mtime))
    return f"failover {binary} of {built}"
