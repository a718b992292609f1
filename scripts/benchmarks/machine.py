"""The machine and the programs that figures belong to."""

import os
import platform
import subprocess
import time
from pathlib import Path


def machine_line() -> str:
    """CPU, cores, kernel and how busy the machine is already."""
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    load, *_ = os.getloadavg()
    return f"{model.split(':')[1].strip()}, {os.cpu_count()} cores, Linux {platform.release()}, load before {load:.2f}"


def first_line(*argv: str) -> str:
    """The first line that a command prints, on whichever stream."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.partition("\n")[0]


def failover_version(binary: Path) -> str:
    """Which build of failover was measured."""
    built = time.strftime("%F %T", time.localtime(binary.stat().st_mtime))
    return f"failover {binary} of {built}"
