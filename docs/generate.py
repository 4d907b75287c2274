"""Write the pages that are made from the code: ``python docs/generate.py``.

These are ``cli.md``, ``config.md``, ``errors.md``, ``fotabuild.schema.json`` and the overview of
commands in the README. With ``--check`` nothing is written; pages that are out of date are printed
as a difference and the exit status is 1.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from generators import cli_page, config_page, errors_page

from fotabuild.config.schema import project_schema

ROOT = Path(__file__).parents[1]
_HELP_BLOCK = re.compile(
    r"(?<=<!-- help: begin, made by docs/generate.py -->\n).*?(?=<!-- help: end -->)", re.DOTALL
)


def main(arguments: Sequence[str]) -> int:
    """Write every page, or compare it with what would be written."""
    check = list(arguments) == ["--check"]
    if arguments and not check:
        sys.stderr.write("usage: generate.py [--check]\n")
        return 2
    outdated = 0
    for name, text in pages().items():
        path = ROOT / name
        found = path.read_text(encoding="utf-8") if path.exists() else ""
        if text == found:
            continue
        outdated = 1
        if check:
            lines = difflib.unified_diff(
                found.splitlines(True), text.splitlines(True), name, f"{name} as generated"
            )
            sys.stdout.writelines(lines)
        else:
            path.write_text(text, encoding="utf-8", newline="\n")
            sys.stdout.write(f"{name}\n")
    return outdated if check else 0


def pages() -> dict[str, str]:
    """Return the text of every generated file by its name."""
    block = f"```text\n{cli_page.overview()}```\n"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return {
        "docs/cli.md": cli_page.page(),
        "docs/config.md": config_page.page(),
        "docs/errors.md": errors_page.page(),
        "docs/fotabuild.schema.json": json.dumps(project_schema(), indent=2) + "\n",
        "README.md": _HELP_BLOCK.sub(lambda _: block, readme),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
