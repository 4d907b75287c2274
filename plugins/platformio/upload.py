"""What ``upload-update`` and ``send-update`` hand on to ``fotabuild upload``."""

from __future__ import annotations

from typing import Any

from fotabuild.plan.build import Build
from fotabuild.platformio.options import Options
from fotabuild.scons.upload import upload_command


def command_of(env: Any, options: Options, build: Build) -> list[str]:
    """Return the command of the child process.

    ``--upload-port URL`` of ``pio run`` chooses the place; words behind its ``-a`` are added.
    """
    words = [*options.upload_options, *map(str, env.get("PROGRAM_ARGS", ()))]
    port = env.subst("$UPLOAD_PORT")
    # Otherwise it is where the programmer is plugged in.
    if "://" in port:
        words += ["--to", port]
    return upload_command(options.config, options.settings, build, words)
