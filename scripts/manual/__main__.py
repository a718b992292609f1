"""Writes the manual pages and prints their paths: python3 -B scripts/manual BINARY FOLDER."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from command_page import command_page
from configuration_page import configuration_page

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    binary, folder = sys.argv[1], Path(sys.argv[2])
    heading = {"VERSION": output(binary, "--version"), "DATE": date()}
    dump = json.loads(output(binary, "--experimental-dump-help"))
    write(folder / "man1/failover.1", command_page(text("docs/man/failover.1.in"), dump, heading))
    reference, minimal = text("config/reference.yaml"), text("config/minimal.yaml")
    page = configuration_page(text("docs/man/failover.yaml.5.in"), reference, minimal, heading)
    write(folder / "man5/failover.yaml.5", page)


def date() -> str:
    """The day of the sources, as reproducible-builds.org has it: a page that is made again is the same."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    if not seconds and (ROOT / ".git").exists():
        seconds = output("git", "-C", str(ROOT), "log", "-1", "--format=%ct")
    return time.strftime("%Y-%m-%d", time.gmtime(int(seconds or time.time())))


def output(*words: str) -> str:
    printed: str = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    return printed.strip()


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def write(path: Path, page: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
