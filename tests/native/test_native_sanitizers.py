"""Damaged patches under address and undefined-behaviour sanitizers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .patch_library import compile_decoder

VECTORS = Path(__file__).parents[1] / "vectors"


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("driver") / "sanitizer_driver"
    compile_decoder(
        program,
        *("-O1", "-g", "-fno-omit-frame-pointer"),
        *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
        Path(__file__).with_name("sanitizer_driver.c"),
    )
    return program


@pytest.mark.parametrize(
    ("old", "patch", "block", "step"),
    [
        ("tiny-a", "tiny-a_to_tiny-b_b128", 128, 1),
        ("fw-1.0.0", "fw-1.0.0_to_fw-1.0.1_b1024", 1024, 64),
    ],
)
def test_damage_is_never_more_than_an_error(
    driver: Path, old: str, patch: str, block: int, step: int
) -> None:
    files = [VECTORS / "firmware" / f"{old}.bin", VECTORS / "delta" / f"{patch}.bin"]
    done = subprocess.run(
        [str(driver), *map(str, files), str(block), str(step)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    runs, accepted = map(int, done.stdout.split())
    size = files[1].stat().st_size
    assert runs == 2 * (1 + size * (255 // step) + size + size - 1)
    # Damage inside literals cannot be seen without a digest; everything else must be.
    assert 2 <= accepted < runs
