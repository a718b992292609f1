"""failover.yaml(5), from `config/reference.yaml`."""

import re

from roff import bold, escaped, example, filled, italic, prose, tagged

# As Sources/FailoverConfiguration/Reference writes them.
HEADING = re.compile(r"( *)## (.+)")
KEY = re.compile(r"( *)(?:- )?([a-z_]+): *(.*?) *# (.+?)(, required[^;]*)?(?:; default: (.+))?")
TYPE = re.compile(r"#   (\w+) +(.+)")


def configuration_page(template: str, reference: str, minimal: str, heading: dict[str, str]) -> str:
    """The template with the types and keys of the reference, and the minimal file."""
    types = filter(None, map(TYPE.fullmatch, reference.splitlines()))
    parts = {
        "TYPES": "".join(tagged(italic(match[1]), prose(match[2] + ".")) for match in types),
        "KEYS": "".join(f".SS {escaped(title)}\n" + "".join(keys) for title, keys in sections(reference).items()),
        "MINIMAL": example(minimal),
    }
    return filled(template, parts | heading)


def sections(reference: str) -> dict[str, list[str]]:
    """The paragraphs of the keys below each heading, which holds as far as its indentation does."""
    found: dict[str, list[tuple[list[re.Match[str]], str]]] = {}
    headings: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in reference.splitlines():
        indentation = len(line) - len(line.lstrip())
        if match := HEADING.fullmatch(line):
            headings = [each for each in headings if each[0] < indentation] + [(indentation, match[2])]
            found[match[2]] = []
        elif line.lstrip().startswith("# "):
            comment.append(line.strip(" #"))
            continue
        elif match := KEY.fullmatch(line):
            headings = [each for each in headings if each[0] <= indentation]
            section = found[headings[-1][1]]
            # A key without a comment above it shares that of the key before.
            if comment:
                section.append(([], " ".join(comment)))
            section[-1][0].append(match)
        comment = []
    return {title: [paragraph(*group) for group in groups] for title, groups in found.items()}


def paragraph(keys: list[re.Match[str]], comment: str) -> str:
    """Keys, each with its type and default, and their text; with an example if that is no default."""
    text = prose(comment)
    _, key, value, kind, required, default = keys[0].groups()
    if len(keys) == 1 and (required or default) and value and value != kind:
        text += f"\n.br\nExample: {bold(f'{key}: {value}')}"
    return tagged("\n.TQ\n".join(map(tag, keys)), text)


def tag(match: re.Match[str]) -> str:
    _, key, value, kind, required, default = match.groups()
    words = escaped(kind)
    if required:
        words += escaped(required)
    elif default:
        words += f"; default: {escaped(default)}"
    elif value:
        words += f"; default: {bold(value)}"
    return f"{bold(key)} ({words})"
