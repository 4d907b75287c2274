from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fotabuild.delta import native_decoder

from ..formats.c_dump import compiler

Apply = Callable[[bytes, bytes, int], bytes]


@pytest.fixture(scope="session")
def apply_in_c(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apply]:
    """The C decoder as the package calls it: the installed one, or one built for these tests."""
    with pytest.MonkeyPatch.context() as patch:
        sources = native_decoder.source_folder()
        if not any((sources / name).is_file() for name in native_decoder._NAMES):
            folder = tmp_path_factory.mktemp("decoder")
            build(sources, folder / native_decoder._NAMES[0])
            patch.setattr(native_decoder, "source_folder", lambda: folder)
            native_decoder._library.cache_clear()
        yield native_decoder.apply_patch
    native_decoder._library.cache_clear()


def build(sources: Path, library: Path) -> None:
    command = [*compiler(), "-O2", "-shared", "-fPIC", "-o", str(library)]
    subprocess.run([*command, *map(str, sorted(sources.glob("*.c")))], check=True)
