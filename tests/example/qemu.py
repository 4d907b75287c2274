"""Run firmware of the example board in QEMU and get its exit status and its UART."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

EMULATOR = "qemu-system-arm"
PROGRAM_NAME = "firmware"
# Room of the firmware for the whole command line, its terminating zero included.
COMMAND_LINE_LIMIT = 1024


@dataclass(frozen=True)
class QemuResult:
    """What a run of a firmware gave.

    Attributes:
        status: exit status that the firmware gave through semihosting.
        uart: what it printed on its UART.
        stderr: messages of the emulator itself; empty in a good run.
    """

    status: int
    uart: str
    stderr: str


def semihosting_config(arguments: tuple[str, ...]) -> str:
    """Return the value of ``-semihosting-config`` that hands ``arguments`` to the firmware.

    QEMU joins the arguments with single spaces and has no way to quote one, so an argument that is
    empty or holds white space cannot be handed over; commas are doubled for QEMU's option parser.

    Raises:
        ValueError: an argument would not arrive as it is, or all together are too long.
    """
    for argument in arguments:
        if argument.split() != [argument] or "\0" in argument:
            message = f"{argument!r} cannot be a semihosting argument: give one word, for example "
            raise ValueError(message + "a file name relative to workdir")
    line = " ".join((PROGRAM_NAME, *arguments))
    if len(line.encode()) >= COMMAND_LINE_LIMIT:
        message = f"the semihosting arguments are longer than {COMMAND_LINE_LIMIT - 1} bytes"
        raise ValueError(message)
    options = [f"arg={argument.replace(',', ',,')}" for argument in (PROGRAM_NAME, *arguments)]
    return ",".join(("enable=on", "target=native", *options))


def run_firmware(
    elf_or_bin: Path, *arguments: str, workdir: Path, timeout: float = 20
) -> QemuResult:
    """Run a firmware until it ends.

    Args:
        elf_or_bin: ELF file, or raw image that is linked at address 0.
        arguments: words for the firmware, without its own name. File names in them are relative
            to ``workdir``, in which the emulator runs.
        workdir: folder the firmware's file accesses are relative to. It can also reach all others:
            run only firmware that you built.
        timeout: seconds after which the emulator is ended.

    Raises:
        FileNotFoundError: the emulator or the image is missing.
        ValueError: see :func:`semihosting_config`.
        subprocess.TimeoutExpired: the firmware did not end in time; ``output`` is its UART so far.
    """
    emulator = shutil.which(EMULATOR)
    if emulator is None:
        message = f"{EMULATOR} is not on PATH; on Debian and Ubuntu it is in qemu-system-arm"
        raise FileNotFoundError(message)
    image = elf_or_bin.resolve(strict=True)
    machine = ["-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "stdio"]
    config = semihosting_config(arguments)
    done = subprocess.run(
        [emulator, *machine, "-semihosting-config", config, "-kernel", str(image)],
        cwd=workdir,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    return QemuResult(
        status=done.returncode,
        uart=done.stdout.decode("utf-8", errors="replace"),
        stderr=done.stderr.decode("utf-8", errors="replace"),
    )
