"""Rows D7, D8 and D9: size of patches, what the delta tool prints, memory of the encoder."""

from __future__ import annotations

import math
import random
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from fotabuild.delta.encoder import make_patch

from ..conftest import peer_folder
from ..formats.golden import DELTAS, delta_images

_IMAGE_SIZE = 1 << 20
_LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (DEBUG|INFO) \S.*")
# Prints the growth of the process's largest size while a patch is made, in bytes. The figure of
# getrusage would be no less than the size of the process that starts this one.
_MEASURE = """
import re, sys
from pathlib import Path
from fotabuild.delta.encoder import make_patch
old, new = (Path(name).read_bytes() for name in sys.argv[1:])
make_patch(old[:4096], new[:4096])
def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
before = peak()
make_patch(old, new)
print(peak() - before)
"""


def test_row_d7_patches_are_never_larger(figure: Callable[[str], None]) -> None:
    """The golden patches are those of the older tool, from the same images at the same block."""
    ratios = []
    for path in DELTAS:
        old, new, block = delta_images(path)
        ours, theirs = len(make_patch(old, new, block_size=block).data), path.stat().st_size
        assert ours <= theirs, path.name
        ratios.append(ours / theirs)
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    figure(f"patches of {mean:.3f} times the size of the older tool's, mean of {len(ratios)} pairs")
    assert mean < 0.97


def stray_lines(program: Sequence[str | Path], folder: Path) -> tuple[list[str], str]:
    """Make a patch; return what is on stdout and is no line of the log, and stderr."""
    from ..conftest import VECTORS

    images = (VECTORS / "firmware" / f"fw-{version}.bin" for version in ("1.0.0", "1.1.0"))
    done = subprocess.run(
        [*program, "-c", next(images), "-n", next(images), "-o", folder / "out.bin"],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    assert (folder / "out.bin").is_file()
    return [line for line in done.stdout.splitlines() if not _LOG_LINE.fullmatch(line)], done.stderr


def test_row_d8_all_that_is_printed_goes_through_the_log(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "fotabuild.cli.dropin.delta_tool"]
    assert stray_lines(program, tmp_path) == ([], "")


@pytest.mark.peer
def test_row_d8_is_a_weakness_that_this_finds(tmp_path: Path) -> None:
    assert stray_lines([peer_folder() / "manifest-delta-tool"], tmp_path)[0]


def test_row_d9_memory_of_the_encoder(tmp_path: Path, figure: Callable[[str], None]) -> None:
    generator = random.Random(1)
    words = [generator.randbytes(generator.randint(4, 40)) for _ in range(2000)]
    old = b"".join(generator.choices(words, k=_IMAGE_SIZE // 20))[:_IMAGE_SIZE]
    new = bytearray(old)
    for start in range(0, _IMAGE_SIZE, 4096):
        new[start : start + 16] = generator.randbytes(16)
    for name, image in (("old", old), ("new", new)):
        assert len(image) == _IMAGE_SIZE
        (tmp_path / name).write_bytes(image)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, tmp_path / "old", tmp_path / "new"],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    used = int(done.stdout) / _IMAGE_SIZE
    figure(f"{used:.1f} bytes of memory for each byte of the old image, images not counted")
    # Zero would mean that nothing was measured.
    assert 0.5 < used < 12
