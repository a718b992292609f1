"""What the site needs beyond MkDocs: links from pages to files of the repository that are not part of the site."""

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
REPOSITORY = Path(os.environ["FAILOVER_REPOSITORY"])


def on_page_markdown(markdown: str, page: Any, files: Any, **_: Any) -> str:
    """Replaces links to sources by their text. A link to what does not exist stays, and MkDocs reports it."""
    folder = PurePosixPath(page.file.src_uri).parent

    def replaced(link: re.Match[str]) -> str:
        text, target = link.groups()
        if "://" in target:
            return link[0]
        path = os.path.normpath(folder / target)
        if files.get_file_from_path(path) or not (REPOSITORY / path).exists():
            return link[0]
        return text

    return LINK.sub(replaced, markdown)
