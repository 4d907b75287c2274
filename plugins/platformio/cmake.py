"""Whether CMake already makes the artifacts: some frameworks replay a CMake build inside SCons."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_FOUND = re.compile(r"^FotaBuild_DIR:[A-Z]+=(?!.*NOTFOUND$).+$", re.MULTILINE)


def cmake_makes_updates(env: Any) -> bool:
    """Return whether a CMake build below the build folder found our CMake package."""
    build = Path(env.subst("$BUILD_DIR"))
    caches = (build / "CMakeCache.txt", *build.glob("*/CMakeCache.txt"))
    return any(_found(cache) for cache in caches)


def _found(cache: Path) -> bool:
    try:
        return _FOUND.search(cache.read_text(encoding="utf-8", errors="replace")) is not None
    except OSError:
        return False
