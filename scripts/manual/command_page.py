"""failover(1), from what the command says of itself: `--experimental-dump-help` of swift-argument-parser."""

import re
from typing import Any

from roff import bold, filled, italic, prose, tagged

Description = dict[str, Any]


def command_page(template: str, dump: Description, heading: dict[str, str]) -> str:
    """The template with the commands, what they have in common, and the exit statuses."""
    root = dump["command"]
    # The template says what `help` does.
    commands = [each for each in root["subcommands"] if each["shouldDisplay"] and each["commandName"] != "help"]
    common = [
        argument
        for argument in commands[0]["arguments"]
        if all(argument in command["arguments"] for command in commands)
    ]
    parts = {
        "ABSTRACT": prose(root["abstract"][0].lower() + root["abstract"][1:].rstrip(".")),
        "COMMON": "".join(option(argument) for argument in common),
        "COMMANDS": "".join(section(command, common) for command in commands),
        "EXIT_STATUS": "".join(
            tagged(bold(status), prose(words[0].upper() + words[1:] + "."))
            for status, words in re.findall(r"(\d+) ([^,.]+)", root["discussion"])
        ),
    }
    return filled(template, parts | heading)


def section(command: Description, common: list[Description]) -> str:
    """One command: how it is called, what it does, its own options."""
    own = [argument for argument in command["arguments"] if argument not in common and argument["shouldDisplay"]]
    # What every command takes is not repeated, but for what it can't do without.
    called = [a for a in command["arguments"] if a in own or not a["isOptional"]]
    usage = " ".join([bold(f"failover {command['commandName']}"), *(use(argument) for argument in called)])
    texts = "".join(f".PP\n{prose(command[key])}\n" for key in ("abstract", "discussion") if command.get(key))
    return f".SS {command['commandName']}\n{usage}\n{texts}" + "".join(option(argument) for argument in own)


def use(argument: Description) -> str:
    """An argument as the line of usage has it."""
    text = value(argument)
    if argument["kind"] != "positional":
        text = " ".join(filter(None, [name(argument["preferredName"]), text]))
    if argument["isRepeating"]:
        text += " \\&..."
    return f"[{text}]" if argument["isOptional"] else text


def option(argument: Description) -> str:
    """An argument's paragraph."""
    tag = value(argument)
    if argument["kind"] != "positional":
        # Short names first.
        names = sorted(argument["names"], key=lambda each: bool(each["kind"] == "long"))
        tag = " ".join(filter(None, [", ".join(map(name, names)), tag]))
    text = prose(argument["abstract"])
    if "defaultValue" in argument:
        text += f" Default: {bold(argument['defaultValue'])}."
    return tagged(tag, text)


def name(each: dict[str, str]) -> str:
    return bold(("--" if each["kind"] == "long" else "-") + each["name"])


def value(argument: Description) -> str:
    return "" if argument["kind"] == "flag" else italic(argument["valueName"])
