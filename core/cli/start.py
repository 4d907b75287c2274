"""Where the program begins: what has to be set before the command line is loaded.

Builds start it once for each artifact, so its start is part of every build. Measured in
``benchmarks/startup.py``, reasons in ``docs/decisions/0015-start-up.md``.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import NoReturn

_GARBAGE_THRESHOLD = 100_000
# Those that have no threads, or such as only compute; builds may work in several processes.
_BUILDING = ("step", "resources", "image", "delta", "package", "manifest", "encrypt")
# Imported by dataclasses (for classes without a docstring), urllib.parse (for addresses in
# brackets), shutil (for archives) and pyasn1 (to debug): each for what these commands do not do.
_SELDOM_USED = ("inspect", "ipaddress", "bz2", "lzma", "logging")


def run() -> NoReturn:
    """Run the command line as a program of its own.

    Looking for garbage while modules load, and freeing memory piece by piece before the system
    takes all of it, would be a sixth of a short run.
    """
    _open_missing_streams()
    gc.set_threshold(_GARBAGE_THRESHOLD)
    if next((word for word in sys.argv[1:] if not word.startswith("-")), None) in _BUILDING:
        sys.meta_path.insert(0, _Postponing())
    from fotabuild.cli.main import main

    status = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            status = status or 1
    os._exit(status)


def _open_missing_streams() -> None:
    """Replace the standard streams that whoever started the program closed: Python has None there.

    In the order of their numbers, so that no file of the program becomes its standard output.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


class _Postponing:
    """Finds some modules as usual, and lets them run at the first look into them.

    Python before 3.12 does not expect two threads to have that look at the same time.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _SELDOM_USED:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
