"""Put the five programs under the names of the older tools.

Run as ``python -m fotabuild.cli.dropin.install``.
Never over a file that is not ours: where manifest-tool itself is installed, it stays
(``docs/decisions/0009-drop-in-commands.md``).
"""

from __future__ import annotations

import argparse
import stat
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from fotabuild.cli.dropin.log import Log
from fotabuild.cli.dropin.program import run_program
from fotabuild.errors import OutputConflictError
from fotabuild.files.writing import OutputSet

_PROGRAMS = {
    "manifest-tool": "manifest_tool",
    "manifest-delta-tool": "delta_tool",
    "manifest-package-tool": "package_tool",
    "manifest-dev-tool": "dev_tool",
    "suit-tool": "suit_tool",
}
_MARK = "# Made by fotabuild."
_SCRIPT = """\
#!{python}
{mark}
import sys
from fotabuild.cli.dropin.{module} import entry_point
sys.exit(entry_point())
"""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(
        prog="python -m fotabuild.cli.dropin.install",
        description="Make manifest-tool, manifest-delta-tool, manifest-package-tool, "
        "manifest-dev-tool and suit-tool, unless other programs of these names are there.",
    )
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path(sysconfig.get_path("scripts")),
        help="where they go (default: %(default)s)",
    )
    parser.set_defaults(run=_run)
    return parser


def entry_point(argv: Sequence[str] | None = None) -> int:
    """Run the program; ``argv`` does not hold its name."""
    return run_program(make_parser(), argv)


def _run(args: argparse.Namespace, log: Log) -> None:
    outputs = OutputSet()
    for name, module in _PROGRAMS.items():
        path = args.folder / name
        if not _is_free(path):
            raise OutputConflictError(
                "another program of this name is here",
                file=path,
                remedy="uninstall it first, or name another folder",
            )
        script = _SCRIPT.format(python=sys.executable, mark=_MARK, module=module)
        outputs.add(path, script.encode(), keep_unchanged=True)
    outputs.commit()
    for name in _PROGRAMS:
        (args.folder / name).chmod(0o755)
        log.info(f"made {args.folder / name}")


def _is_free(path: Path) -> bool:
    """Return whether there is nothing, or a script of ours; a link may lead anywhere."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return True
    if not stat.S_ISREG(mode):
        return False
    with path.open("rb") as script:
        return _MARK.encode() in script.read(4096)


if __name__ == "__main__":
    sys.exit(entry_point())
