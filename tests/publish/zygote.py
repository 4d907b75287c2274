"""Runs ``fotabuild`` in forked processes that can be killed, without the cost of a start for each.

Reads ``{"argv": [...], "folder": "...", "env": {...}}`` per line; answers with ``pid N`` at once,
and with ``status N`` (negative: the signal) when it ended. The clock runs fast, see scene.py.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import fotabuild.cli.commands.cleanup
import fotabuild.cli.commands.upload
import fotabuild.cli.service_upload
import fotabuild.plan.plan
import fotabuild.steps.manifest  # noqa: F401
from fotabuild.cli.main import main
from fotabuild.publish import pacing

from .scene import QUICK, FastClock


def serve() -> None:
    pacing.PACING = QUICK
    pacing.SystemClock = FastClock  # type: ignore[misc,assignment]
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            _run(order)
        _tell("pid", child)
        _, status = os.waitpid(child, 0)
        _tell("status", os.waitstatus_to_exitcode(status))


def _tell(what: str, number: int) -> None:
    sys.stdout.write(f"{what} {number}\n")
    sys.stdout.flush()


def _run(order: dict[str, object]) -> None:
    status = 70
    try:
        folder = Path(str(order["folder"]))
        os.chdir(folder)
        for number, name in ((0, os.devnull), (1, "stdout.txt"), (2, "stderr.txt")):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND
            os.dup2(os.open(name, flags, 0o600), number)
        os.environ.update(order["env"])  # type: ignore[call-overload]
        status = main([str(argument) for argument in order["argv"]])  # type: ignore[attr-defined]
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as error:
        os.write(2, f"zygote: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(status)


if __name__ == "__main__":
    serve()
