"""Finds words in texts for users that are not plain English, and fails if there are any: `words.py FOLDER`.

Texts for users are the string literals and doc comments of the sources, the status page and the API description, the
manual, examples, packages and images, and the comments and texts of scripts. All else is blanked before the search, so
that a phrase is also found where a line ends within it.
"""

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PLACES = (
    *("Sources", "config", "docker", "docs", "packaging", "scripts", ".ci"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
)
LEFT_OUT = re.compile(
    r"\.(?:png|c|h|modulemap)$|(?:^|/)__pycache__/|^scripts/\.|^docker/secrets/|^packaging/debian/copyright$"
    r"|^scripts/lib/words\.py$"
)
"""Pictures, C modules, what tools leave, passwords, the licence, and this list."""

REFUSED = {
    r"wh(?:oever|omever|osoever)": "anyone who, every client that",
    r"nobody": "no one, no client",
    r"(?:some|any|every)body": "someone, anyone, all users",
    r"anew": "again",
    r"hence|thence|whence|hither|thither|wherefore|whereupon|thereupon|forthwith": "so, then, from there",
    r"lest|ere|unto|upon|albeit|whilst|amongst": "so that … not, before, to, on, although, while, among",
    r"wherein|whereof|thereof|therein|therewith": "in which, of it, in it, with it",
    r"for (?:want|fear) of|for ever": "because there is no …, always",
    r"so (?:many|often|long)(?=\s?[.,;:)]| a (?:second|minute))": "the number, the interval, the time",
    r"that (?:many|long)(?=\s?[.,;:)]| a (?:second|minute))": "the number, the time",
    r"none of whose|none of \S+ business": "without a … that, does not matter",
    r"(?<!\bare\s)(?<!\bis\s)all the same|nevertheless|nonetheless|notwithstanding": "anyway, in spite of",
    r"unless told": "by default",
    r"(?:is|are|was|were|be|been|being)(?: not)? told(?! apart)": "is notified, receives, gets the reason",
    r"tells? (?:so|anybody|nobody)": "reports it, notifies",
    r"bites?|bitten": "affects, fails",
    r"patient": "long, tolerant",
    r"of yours": "your",
    r"and some(?=\.\s)": "and a reserve",
    r"a must(?=[.,;])": "required",
    r"sees? to it": "makes sure",
    r"who is who": "the users and groups",
    r"(?:comes?|came) of (?:it|them)": "the result",
    r"in vain": "without effect",
    r"by turns": "alternating",
    r"heed(?:s|ed|less)?": "uses, respects",
    r"drown(?:s|ed|ing)?": "overloads",
    r"heal(?:s|ed|ing)?": "repaired, fixed",
    r"turn(?:s|ed|ing)? (?:new |the )?(?:clients?|sessions?) away|turned away": "refuses, refused",
    r"steer(?:s|ed|ing)?": "controls",
    r"beside": "next to, in addition to, compared with",
    r"at (?:this|that|its) pace": "at this rate",
    r"says? so": "reports it, shows it",
    r"says \{\{": "according to",
    r"(?:one|a) \w+ an? (?:check|server|target|query|word|row|question|module|subcommand)": "one … per …",
    r"(?:clients?|servers?|alias(?:es)?|replicas?|process(?:es)?|sessions?|notifiers?|programs?) who": "… that",
    r"may stand|stands? for none|these stand|as it stands": "can be, means none, are, unchanged",
    r"(?:is|are) given up": "is closed, counts as lost",
    r"done its part|in the hands of|\w+'s hands": "has acted, is controlled by",
    r"affairs?": "matter, task",
    r"ceas(?:es?|ed|ing)": "stops",
    r"parted": "separated, closed",
    r"takes it for": "regards it as",
}
"""Regular expressions of words, and what to say instead. A space is any space, also the end of a line."""

ALLOWED = [
    # The user of that name.
    ("docker/debian/Dockerfile", "USER nobody"),
    ("docker/load/Dockerfile", "USER nobody"),
    ("scripts/check-deb", "inside_as nobody"),
    ("scripts/experiments/bench_relays.py", "memcached -u nobody"),
    ("scripts/experiments/bench_relays.py", "user nobody nogroup"),
    # Input of a fuzz target.
    ("scripts/fuzzing/seeds", '"nobody"'),
]
"""Files, and expressions that match a justified use there, with the words around it."""

GAP = r"(?:[^\S\n]+|[^\S\n]*\n[^\S\n]*)"
SWIFT_TOKEN = re.compile(r'//[^\n]*|/\*[\s\S]*?\*/|#*"""|#*"|[()]')
COMMENT_SIGN = re.compile(r"(?<!\S)(?:#+|//+|\.\\\")(?!\S)")


def expression(words: str) -> re.Pattern[str]:
    """The words as a whole, however they are written and wherever a line ends."""
    return re.compile(rf"(?<![\w-])(?:{words.replace(' ', GAP)})(?!\w)", re.IGNORECASE)


WORDS = [(expression(words), say) for words, say in REFUSED.items()]


@dataclass(frozen=True)
class Finding:
    """A refused word, and its place."""

    file: Path
    line: int
    match: str
    say: str

    def __str__(self) -> str:
        """The line of the report."""
        return f'{self.file}:{self.line}: refused: "{" ".join(self.match.split())}": say {self.say}'


class Kept:
    """A text of which only parts are kept. Lines and columns stay."""

    def __init__(self, source: str) -> None:
        """Nothing is kept yet."""
        self.source = source
        self.characters = list(re.sub(r"[^\n]", " ", source))

    def keep(self, start: int, end: int) -> None:
        """Keeps the characters from `start` up to `end`."""
        self.characters[start:end] = self.source[start:end]

    def __str__(self) -> str:
        """The text with the rest blanked."""
        return "".join(self.characters)


class SwiftTexts(Kept):
    """The string literals and `///` comments of Swift. Quotes are kept, so that no phrase goes from text to text."""

    def code(self, at: int = 0) -> int:
        """Reads code up to the parenthesis that ends an interpolation, or to the end. Returns the position after it."""
        depth = 0
        while match := SWIFT_TOKEN.search(self.source, at):
            at = match.end()
            if match[0].startswith("///"):
                self.keep(match.start() + 3, at)
            elif match[0].endswith('"') and not match[0].startswith("/"):
                at = self.text(match.start(), at)
            elif match[0] == "(":
                depth += 1
            elif match[0] == ")":
                depth -= 1
                if depth < 0:
                    return at
        return len(self.source)

    def text(self, start: int, at: int) -> int:
        """Reads a string literal whose opening quotes are at `start`. Returns the position after it."""
        opening = self.source[start:at]
        hashes = opening.rstrip('"')
        quotes = opening[len(hashes) :]
        end = r"|\n" if len(quotes) == 1 else ""
        token = re.compile(rf"\\{hashes}\(|\\{hashes}[\s\S]|{quotes}{hashes}{end}")
        while match := token.search(self.source, at):
            self.keep(start, match.start())
            start = at = match.end()
            if not match[0].startswith("\\"):
                self.keep(match.start(), at)
                return at
            if match[0].endswith("("):
                self.keep(match.start(), match.start() + 1)
                start = at = self.code(at)
        return len(self.source)


def swift_texts(source: str) -> str:
    """The string literals and `///` comments of Swift."""
    texts = SwiftTexts(source)
    texts.code()
    return str(texts)


def python_texts(source: str) -> str:
    """The comments and string literals of Python."""
    lines = [0]
    for line in source.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    texts = Kept(source)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if tokenize.tok_name[token.type] in {"COMMENT", "STRING", "FSTRING_MIDDLE"}:
            texts.keep(lines[token.start[0] - 1] + token.start[1], lines[token.end[0] - 1] + token.end[1])
    return str(texts)


def texts_of(file: Path) -> str:
    """What users read of a file; of files other than Swift and Python all of it."""
    source = file.read_text()
    if file.suffix == ".swift":
        texts = swift_texts(source)
    elif file.suffix == ".py" or re.match(r"#!.*python", source):
        texts = python_texts(source)
    else:
        texts = source
    return COMMENT_SIGN.sub(lambda sign: " " * len(sign[0]), texts)


def files(root: Path) -> Iterator[Path]:
    """The files with texts, relative to `root`."""
    for place in PLACES:
        inside = [root / place] if (root / place).is_file() else sorted((root / place).rglob("*"))
        for file in inside:
            relative = file.relative_to(root)
            if file.is_file() and not LEFT_OUT.search(relative.as_posix()):
                yield relative


def findings(root: Path) -> Iterator[Finding]:
    """The refused words of all files."""
    for file in files(root):
        texts = texts_of(root / file)
        allowed = [
            match.span()
            for path, words in ALLOWED
            if path == file.as_posix()
            for match in expression(words).finditer(texts)
        ]
        for words, say in WORDS:
            for match in words.finditer(texts):
                if not any(start <= match.start() and match.end() <= end for start, end in allowed):
                    yield Finding(file, texts.count("\n", 0, match.start()) + 1, match[0], say)


def main() -> int:
    """Prints each finding; 1 when there is any."""
    found = sorted(findings(Path(sys.argv[1])), key=lambda finding: (finding.file, finding.line))
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
