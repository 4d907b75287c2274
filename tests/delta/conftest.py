from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fotabuild.delta import native_decoder, native_kernel
from fotabuild.delta.shared_library import file_names

from ..formats.c_dump import compiler

Apply = Callable[[bytes, bytes, int], bytes]


@pytest.fixture(scope="session")
def apply_in_c(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apply]:
    """The C decoder as the package calls it: the installed one, or one built for these tests."""
    with pytest.MonkeyPatch.context() as patch:
        sources = native_decoder.source_folder()
        names = file_names(native_decoder.LIBRARY)
        if not any((sources / name).is_file() for name in names):
            folder = tmp_path_factory.mktemp("decoder")
            build(sources, folder / names[0])
            patch.setattr(native_decoder, "source_folder", lambda: folder)
            native_decoder._library.cache_clear()
        yield native_decoder.apply_patch
    native_decoder._library.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bool]:
    """The compiled part of the encoder: the installed one, or one built for these tests.

    False where there is neither it nor a compiler; Python then does the work.
    """
    with pytest.MonkeyPatch.context() as patch:
        sources = native_kernel.kernel_folder()
        names = file_names(native_kernel.LIBRARY)
        if not any((sources / name).is_file() for name in names) and has_compiler():
            folder = tmp_path_factory.mktemp("kernel")
            build(sources, folder / names[0])
            patch.setattr(native_kernel, "kernel_folder", lambda: folder)
            native_kernel._library.cache_clear()
        yield native_kernel.available()
    native_kernel._library.cache_clear()


def has_compiler() -> bool:
    """Whether C can be compiled here."""
    return shutil.which(compiler()[0]) is not None


def build(sources: Path, library: Path) -> None:
    command = [*compiler(), "-O2", "-shared", "-fPIC", "-o", str(library)]
    subprocess.run([*command, *map(str, sorted(sources.glob("*.c")))], check=True)
