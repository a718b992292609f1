"""Makes the output that the pages of the manual show.

A block of a page that follows the line `<!-- transcript: NAME -->` is the output of real commands against the
laboratory. The recipes in transcript_recipes.py say which.

    scripts/transcripts            runs the recipes and writes their output into the pages
    scripts/transcripts --check    compares instead: exit status 1 if a page shows something else. Times, durations,
                                   numbers, host names and spacing may differ
    scripts/transcripts NAME…      only the recipes that make these blocks
"""

import difflib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

from .command import end_with, parser_of
from .laboratory import ROOT
from .process import ExperimentError, say
from .transcript_recipes import RECIPES, Recipe
from .transcript_stage import Stage

BLOCK = re.compile(r"(<!-- transcript: ([a-z-]+) -->\n```\n)(.*?)(```\n)", re.DOTALL)
MARK = re.compile(r"<!-- transcript: ")

VARYING: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|\b\d\d:\d\d:\d\d\b"), "TIME"),
    (re.compile(r" on [\w.-]+, process "), " on HOST, process "),
    (re.compile(r'"host":"[^"]*"'), '"host":"HOST"'),
    # The reason of the last ping, or of a last attempt to connect.
    (re.compile(r"\bConnection refused\b"), "refused"),
    # Whether a last probe of a drill comes when the replica serves again is chance.
    (re.compile(r"(answered by +default \d+), slave \d+"), r"\1"),
    # 5.0s, 1m 2s, 1h 0m: a duration, whatever its units.
    (re.compile(r"\b\d+(\.\d+)?(ms|[smhd])( \d+(ms|[smhd]))*(?!\w)"), "DURATION"),
    (re.compile(r"\d+(\.\d+)?"), "N"),
    (re.compile(r"[ ─]+"), " "),
]


def main() -> None:
    """Runs the command."""
    parser = parser_of(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="blocks; all if there are none")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("--binary", type=Path, default=ROOT / ".build" / "debug" / "failover", help="failover")
    options = parser.parse_args()
    end_with(lambda: _run(options.names, options.binary.resolve(), check=options.check))


def _run(names: Collection[str], binary: Path, check: bool) -> bool:
    if not binary.is_file():
        raise ExperimentError(f"no failover binary at {binary}: swift build")
    pages = {page: page.read_text() for page in _pages()}
    shown = [name for text in pages.values() for _, name, _, _ in BLOCK.findall(text)]
    _compare_names(pages, shown, names)
    # The pages show the ports of the example configurations.
    os.environ["LAB_PORT_OFFSET"] = "0"
    differs = False
    for recipe in RECIPES:
        if not _wanted(recipe.blocks, names):
            continue
        made = _play(recipe, binary)
        for page, text in pages.items():
            new = _with_blocks(text, made)
            if check:
                differs |= _report(page, text, new)
            elif new != text:
                page.write_text(new)
                pages[page] = new
                say(f"{page.relative_to(ROOT)} written")
    return not differs


def _pages() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return [ROOT / line for line in done.stdout.splitlines()]


def _wanted(blocks: Collection[str], names: Collection[str]) -> bool:
    return not names or any(block in names for block in blocks)


def _compare_names(pages: dict[Path, str], shown: Collection[str], names: Collection[str]) -> None:
    """Raises ExperimentError if a page names a block that no recipe makes, or the other way round."""
    made = {block for recipe in RECIPES for block in recipe.blocks}
    if wrong := {*shown, *names} - made:
        raise ExperimentError(f"no recipe makes {', '.join(sorted(wrong))}")
    if unused := made - set(shown):
        raise ExperimentError(f"no page shows {', '.join(sorted(unused))}")
    for page, text in pages.items():
        if len(MARK.findall(text)) != len(BLOCK.findall(text)):
            raise ExperimentError(f"{page.relative_to(ROOT)}: a transcript mark is not followed by a block")


def _play(recipe: Recipe, binary: Path) -> dict[str, str]:
    say(", ".join(recipe.blocks))
    with tempfile.TemporaryDirectory() as directory, Stage(Path(directory), binary) as stage:
        recipe.play(stage)
        if missing := set(recipe.blocks) - set(stage.blocks):
            raise ExperimentError(f"the recipe did not make {', '.join(sorted(missing))}")
        return {name: "".join(f"{line}\n" for line in lines) for name, lines in stage.blocks.items()}


def _with_blocks(text: str, made: dict[str, str]) -> str:
    """The page with these blocks instead of its own."""
    return BLOCK.sub(lambda block: block[1] + made.get(block[2], block[3]) + block[4], text)


def _report(page: Path, shown: str, made: str) -> bool:
    """Prints what differs, apart from what varies. Returns whether anything does."""
    before, after = _invariant(shown), _invariant(made)
    if before == after:
        return False
    name = str(page.relative_to(ROOT))
    sys.stdout.writelines(line + "\n" for line in difflib.unified_diff(before, after, name, "now", n=1, lineterm=""))
    return True


def _invariant(text: str) -> list[str]:
    for pattern, replacement in VARYING:
        text = pattern.sub(replacement, text)
    return [line.strip() for line in text.splitlines()]
