"""Choose the C compiler for the bare board: the system's Arm GCC, else Clang from pip."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

LINKER_SCRIPT = "board/mps2-an386/link.ld"

_GCC = "arm-none-eabi-gcc"
_GCC_MACHINE = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft")
_CLANG_MACHINE = ("-target", "thumb-freestanding-eabi", "-mcpu=cortex_m4")
_CFLAGS = (
    "-std=c99",
    "-Os",
    "-ffreestanding",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-ffunction-sections",
    "-fdata-sections",
    "-Wall",
    "-Wextra",
)
_LINKFLAGS = (
    "-nostartfiles",
    f"-Wl,-T,{LINKER_SCRIPT}",
    # Clang's linker as zig calls it overlooks ENTRY() in a linker script.
    "-Wl,-e,reset_handler",
    "-Wl,--gc-sections",
    "-Wl,--build-id=none",
)


class ToolchainMissingError(RuntimeError):
    """No compiler for Cortex-M was found; the message says how to get one."""


@dataclass(frozen=True)
class Toolchain:
    """A compiler for the bare board, in the words of SCons.

    Attributes:
        cc: the command that compiles and links, one argument per item.
        cflags: flags for compiling C.
        linkflags: flags for linking; the linker script in them is relative to the example's folder.
    """

    cc: tuple[str, ...]
    cflags: tuple[str, ...]
    linkflags: tuple[str, ...]


def find_toolchain(source_folder: Path, search_path: str | None = None) -> Toolchain:
    """Return the toolchain to build with.

    Args:
        source_folder: its path is kept out of the image (``__FILE__`` and the like), so that a
            build in another folder gives the same bytes.
        search_path: folders to look for the compiler in, ``PATH`` if not given.

    Raises:
        ToolchainMissingError: there is neither Arm GCC nor the pip package ``ziglang``.
    """
    no_paths = f"-ffile-prefix-map={source_folder}=."
    gcc = shutil.which(_GCC, path=search_path)
    if gcc is not None:
        return Toolchain(
            # The full path, since build systems start compilers with a PATH of their own.
            cc=(gcc,),
            cflags=(*_GCC_MACHINE, *_CFLAGS, no_paths),
            # The compiler's own helpers are wanted, a C library is not (Debian has it apart).
            linkflags=(*_GCC_MACHINE, *_LINKFLAGS, "-nolibc"),
        )
    if importlib.util.find_spec("ziglang"):
        return Toolchain(
            cc=(sys.executable, "-m", "ziglang", "cc"),
            # zig turns sanitizers on by default; they need a runtime that a bare board lacks.
            cflags=(
                *_CLANG_MACHINE,
                *_CFLAGS,
                "-fno-sanitize=all",
                "-fno-stack-protector",
                no_paths,
            ),
            linkflags=(*_CLANG_MACHINE, *_LINKFLAGS),
        )
    message = (
        f"no C compiler for Cortex-M found: put {_GCC} on PATH, "
        f'or type "{sys.executable}" -m pip install ziglang'
    )
    raise ToolchainMissingError(message)
