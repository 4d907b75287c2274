"""What the site needs beyond the pages: mkdocs calls it for each of them."""

from __future__ import annotations

import posixpath
import re
from typing import Any

_LINK = re.compile(r"\[([^\]\n]*)\]\((\.\.?/[^)\s#]+|[^)\s#:]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """Turn links to files outside of ``docs/`` into their text: the site does not have them."""
    folder = posixpath.dirname(page.file.src_uri)

    def keep_or_not(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, found[2]))
        return found[1] if target.startswith("..") else found[0]

    return _LINK.sub(keep_or_not, markdown)
