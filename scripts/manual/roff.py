"""Text as man(7) takes it."""

import re


def escaped(text: str) -> str:
    """Text that shows as it is, wherever in a line it stands."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    text = "".join(letter if letter.isascii() else f"\\[u{ord(letter):04X}]" for letter in text)
    return "\\&" + text if text.startswith(".") else text


def prose(text: str) -> str:
    """Text of a help or a comment: what it has in backquotes, and options, are bold."""
    parts = re.split(r"`([^`]+)`|((?<!\S)--[a-z-]+)", text)
    return "".join(bold(part) if index % 3 else escaped(part) for index, part in enumerate(parts) if part)


def bold(text: str) -> str:
    return f"\\fB{escaped(text)}\\fR"


def italic(text: str) -> str:
    return f"\\fI{escaped(text)}\\fR"


def tagged(tag: str, text: str) -> str:
    """A paragraph below a tag, which is roff already as the text is."""
    return f".TP\n{tag}\n{text}\n"


def example(text: str) -> str:
    """Lines that stand as they are."""
    lines = "\n".join(escaped(line) for line in text.rstrip().split("\n"))
    return f".PP\n.in +4n\n.nf\n{lines}\n.fi\n.in\n"


def filled(template: str, parts: dict[str, str]) -> str:
    """The template with each `@NAME@` replaced; a name without its part, or the other way round, is an error."""
    names = re.findall(r"@([A-Z_]+)@", template)
    if set(names) != set(parts):
        raise SystemExit(f"the template names {sorted(set(names))}, there are {sorted(parts)}")
    return re.sub(r"@([A-Z_]+)@", lambda match: parts[match[1]].rstrip("\n"), template)
