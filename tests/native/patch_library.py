"""Build the C decoder as a shared library and call it as any foreign program would."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "core" / "delta" / "native"
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")

ReadOld = Callable[[int, int], bytes | None]
WriteNew = Callable[[bytes], bool]

_U8P = ctypes.POINTER(ctypes.c_uint8)
_READ = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32, _U8P, ctypes.c_uint32)
_WRITE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, _U8P, ctypes.c_uint32)


def compile_decoder(output: Path, *arguments: str | Path) -> None:
    """Compile the decoder and what ``arguments`` add to ``output``; warnings are errors."""
    compiler = shutil.which("cc")
    if compiler is None:
        message = "the tests of the C decoder need a C compiler named 'cc' on PATH"
        raise RuntimeError(message)
    command = [compiler, *WARNINGS, f"-I{SOURCES}", *map(str, arguments)]
    command += [*map(str, sorted(SOURCES.glob("*.c"))), "-o", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"{' '.join(command)}\n{done.stderr}"
        raise RuntimeError(message)


@dataclass(frozen=True)
class Outcome:
    """What one run of the decoder gave."""

    status: str
    image: bytes
    offset: int


class PatchLibrary:
    """The public functions of the decoder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "fotabuild_patch.so"
        compile_decoder(self.path, "-O2", "-shared", "-fPIC", "-fvisibility=hidden")
        self.library = ctypes.CDLL(str(self.path))
        self.library.fota_patch_status_name.restype = ctypes.c_char_p
        self.library.fota_patch_context_size.restype = ctypes.c_size_t
        self.library.fota_patch_input_offset.restype = ctypes.c_uint64
        self.library.fota_patch_new_size.restype = ctypes.c_uint32
        self.library.fota_patch_block_size.restype = ctypes.c_uint32

    def status_name(self, status: int) -> str:
        name: bytes = self.library.fota_patch_status_name(status)
        return name.decode("ascii")

    def apply(
        self,
        old: bytes,
        patch: bytes,
        *,
        chunk: int = 0,
        capacity: int,
        room: int = 1 << 17,
    ) -> Outcome:
        """Apply a patch in memory; ``room`` is the space for the new image."""
        image = ctypes.create_string_buffer(room)
        work = ctypes.create_string_buffer(2 * capacity)
        size = ctypes.c_uint32()
        offset = ctypes.c_uint64()
        status = self.library.fota_patch_apply_buffer(
            old, len(old), patch, len(patch), chunk, image, room, work, capacity,
            ctypes.byref(size), ctypes.byref(offset),
        )  # fmt: skip
        return Outcome(self.status_name(status), image.raw[: size.value], offset.value)

    def stream(self, old_size: int, capacity: int, read: ReadOld, write: WriteNew) -> Stream:
        """Start a decoder with callbacks in Python."""
        return Stream(self, old_size, capacity, read, write)


class Stream:
    """One decoder fed by hand."""

    def __init__(
        self, owner: PatchLibrary, old_size: int, capacity: int, read: ReadOld, write: WriteNew
    ) -> None:
        self._owner = owner
        self._library = owner.library
        self._frame = ctypes.create_string_buffer(capacity)
        self._plain = ctypes.create_string_buffer(capacity)
        # Filled with a pattern: init must not depend on what was there.
        context_size = self._library.fota_patch_context_size()
        self._context = ctypes.create_string_buffer(b"\xa5" * context_size, context_size)

        def read_old(_user: int | None, offset: int, buffer: int, length: int) -> int:
            data = read(offset, length)
            if data is None:
                return 1
            ctypes.memmove(buffer, data, length)
            return 0

        def write_new(_user: int | None, data: int, length: int) -> int:
            return 0 if write(ctypes.string_at(data, length)) else 1

        self._callbacks = (_READ(read_old), _WRITE(write_new))
        self._library.fota_patch_init(
            self._context, self._frame, self._plain, capacity, old_size, *self._callbacks, None
        )

    def feed(self, data: bytes | None) -> str:
        status = self._library.fota_patch_feed(self._context, data, len(data or b""))
        return self._owner.status_name(status)

    def finish(self) -> str:
        return self._owner.status_name(self._library.fota_patch_finish(self._context))

    @property
    def offset(self) -> int:
        return int(self._library.fota_patch_input_offset(self._context))

    @property
    def sizes(self) -> tuple[int, int]:
        """New size and block size as the header says."""
        new_size = self._library.fota_patch_new_size(self._context)
        return int(new_size), int(self._library.fota_patch_block_size(self._context))
