"""Measures how the sources are cut, and fails where a limit is passed: `house.py FOLDER`.

A circle is a set of files of which each refers to a type of another's, around. Comments and texts do not count.
"""

import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

DECLARATION = re.compile(
    r"^(?:(?:public|package|internal|fileprivate|private|final|indirect|@\w+(?:\([^)]*\))?)\s+)*"
    r"(?:class|struct|enum|actor|protocol|typealias)\s+([A-Z]\w*)",
    re.MULTILINE,
)
NESTED = re.compile(r"^[ ]+.*\b(?:class|struct|enum|actor|protocol|typealias)\s+([A-Z]\w*)", re.MULTILINE)
WORD = re.compile(r"(?<![.\w])[A-Z]\w+\b")
MODIFIERS = r"(?:(?:public|package|private|fileprivate|static) )*"
LOCK = re.compile(r"^( +)" + MODIFIERS + r"let \w+(?:: Lock<| = Lock[<(])", re.MULTILINE)
TYPE = re.compile(r"\b(?:class|struct|enum|actor|extension) \w")
EXEMPTION = re.compile(r"@exclusivity\(unchecked\)")
ERROR_TYPE = re.compile(r"\b(?:struct|enum|class)\s+(\w+)\s*:[^{]*\bError\b")


def without_comments_and_texts(source: str) -> str:
    """Blanks what the compiler does not read as code; lines stay."""
    source = re.sub(r'"""[\s\S]*?"""', '""', source)
    source = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', source)
    source = re.sub(r"/\*[\s\S]*?\*/", "", source)
    return re.sub(r"//[^\n]*", "", source)


def stored_locks(source: str) -> int:
    """The locks that are members of types. Local ones end with their function."""
    count = 0
    for match in LOCK.finditer(source):
        around = re.compile(r"^ {0," + str(len(match[1]) - 1) + r"}(?=\S)(.*)", re.MULTILINE)
        count += TYPE.search(list(around.finditer(source, 0, match.start()))[-1][1]) is not None
    return count


def circles(references: dict[Path, set[Path]]) -> list[list[Path]]:
    """Strongly connected components of more than two files (Tarjan)."""
    index: dict[Path, int] = {}
    low: dict[Path, int] = {}
    stack: list[Path] = []
    found: list[list[Path]] = []

    def visit(file: Path) -> None:
        index[file] = low[file] = len(index)
        stack.append(file)
        for other in references[file]:
            if other not in index:
                visit(other)
                low[file] = min(low[file], low[other])
            elif other in stack:
                low[file] = min(low[file], index[other])
        if low[file] == index[file]:
            component = []
            while True:
                component.append(stack.pop())
                if component[-1] == file:
                    break
            if len(component) > 2:
                found.append(sorted(component))

    for file in references:
        if file not in index:
            visit(file)
    return found


def reference_graph(code: dict[Path, str]) -> dict[Path, set[Path]]:
    """Which files each file's types come from; a name that two files declare counts for neither."""
    declared: dict[str, list[Path]] = {}
    for file, text in code.items():
        for name in DECLARATION.findall(text):
            declared.setdefault(name, []).append(file)
    home = {name: files[0] for name, files in declared.items() if len(files) == 1}
    graph = {}
    for file, text in code.items():
        words = set(WORD.findall(text)) - set(NESTED.findall(text))
        graph[file] = {home[word] for word in words if home.get(word, file) != file}
    return graph


def measures(root: Path) -> Iterator[tuple[str, float, float, str]]:
    """Name, value, limit and details of each measure."""
    source = {file: file.read_text() for file in sorted(root.rglob("*.swift"))}
    code = {file: without_comments_and_texts(text) for file, text in source.items()}
    lines = {file: text.count("\n") for file, text in source.items()}
    small = [file for file, count in lines.items() if count <= 25]
    largest = max(lines, key=lambda file: lines[file])
    yield "files", len(source), 327, ""
    yield "median lines, at least", -statistics.median(lines.values()), -75, ""
    yield "lines of the largest file", lines[largest], 300, str(largest)
    yield "files of 25 lines or fewer", len(small), 25, ""
    found = circles(reference_graph(code))
    details = "; ".join(", ".join(file.name for file in circle) for circle in found)
    yield "circles of more than two files", len(found), 0, details
    locks = [file.name for file, text in code.items() for _ in range(stored_locks(text))]
    yield "stored locks", len(locks), 45, ", ".join(locks)
    exempt = [file.name for file, text in code.items() for _ in EXEMPTION.findall(text)]
    yield "exclusivity exemptions", len(exempt), 2, ", ".join(exempt)
    errors = [name for text in code.values() for name in ERROR_TYPE.findall(text)]
    yield "error types", len(errors), 15, ", ".join(errors)


def main() -> int:
    """Prints each measure; 1 when a limit is passed."""
    failed = False
    for name, value, limit, details in measures(Path(sys.argv[1])):
        over = value > limit
        failed = failed or over
        verdict, where = ("over", f": {details}") if over else ("ok  ", "")
        print(f"{verdict} {name}: {abs(value):g} (limit {abs(limit):g}){where}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
