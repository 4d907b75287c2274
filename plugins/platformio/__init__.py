"""The PlatformIO plugin: update artifacts as part of ``pio run``.

An extra script, listed for both phases, hooks it in (``docs/platformio.md``)::

    Import("env")
    from fotabuild.platformio import attach; attach(env)

The plugin reads options, loads the SCons tool and declares targets; everything else is the tool's.
Nothing here imports SCons or PlatformIO before a build script calls it.
"""

from __future__ import annotations

from typing import Any


def attach(env: Any) -> None:
    """Do what the current phase of the build asks for; called once in each phase.

    Args:
        env: the environment that PlatformIO exports to extra scripts.
    """
    from fotabuild.platformio import phases

    phases.attach(env)


def attach_as_library(env: Any) -> None:
    """Do everything at once, from the script of a library: the program is declared after it.

    Args:
        env: ``DefaultEnvironment()``; the library's own does not reach the program.
    """
    from fotabuild.platformio import phases

    phases.attach_as_library(env)


__all__ = ["attach", "attach_as_library"]
