"""Where journals are, and how those of earlier runs are found."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from fotabuild.errors import JournalError

SUFFIX = ".jsonl"
#: What to do where a journal cannot be.
ELSEWHERE = "publish.journal names another folder"
_RUN = re.compile(r"[0-9A-Za-z-]{1,64}")


def default_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the user's folder for journals: it outlives clean builds and checkouts."""
    try:
        return _user_folder(environ) / "fotabuild" / "uploads"
    except RuntimeError:
        raise JournalError("this user has no home folder", remedy=ELSEWHERE) from None


def _user_folder(environ: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Application Support")
    else:
        base = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base)


def runs(folder: Path) -> Iterator[Path]:
    """Yield the journals in a folder, oldest first."""
    if folder.is_dir():
        yield from sorted(folder.glob(f"*{SUFFIX}"))


def path_of(folder: Path, run: str) -> Path:
    """Return the journal of a run.

    Raises:
        JournalError: there is none.
    """
    path = folder / f"{run}{SUFFIX}"
    if _RUN.fullmatch(run) is None or not path.is_file():
        raise JournalError(
            f"there is no run {run!r} in {folder}", remedy="'fotabuild cleanup --list'"
        )
    return path
