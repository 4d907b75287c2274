"""The compiled part of the encoder under sanitizers, also when memory runs out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
KERNEL = HERE.parents[1] / "core" / "delta" / "kernel"
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
COMMAND = ("cc", "-std=c99", "-O1", "-g", "-fno-omit-frame-pointer", *SANITIZERS)
TRUE, SHUFFLED, REPEATED, FEW = range(4)
"""What the driver does to the suffix arrays."""
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror")


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kernel_driver")
    objects = []
    for source in (HERE / "kernel_driver.c", *sorted(KERNEL.glob("*.c"))):
        objects.append(folder / f"{source.stem}.o")
        memory = (f"-I{KERNEL}",) if not objects[1:] else ("-include", HERE / "failing_memory.h")
        compile_with(*WARNINGS, *memory, "-c", source, "-o", objects[-1])
    compile_with(*objects, "-o", folder / "kernel_driver")
    return folder / "kernel_driver"


def compile_with(*arguments: str | Path) -> None:
    """Run the compiler; warnings are errors."""
    command = [*COMMAND, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def run(driver: Path, *numbers: int) -> tuple[int, int]:
    done = subprocess.run(
        [str(driver), *map(str, numbers)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    runs, short_of_memory = map(int, done.stdout.split())
    return runs, short_of_memory


def test_random_pairs(driver: Path) -> None:
    assert run(driver, 1, 400, 401, TRUE) == (400, 0)


@pytest.mark.parametrize("forgery", [SHUFFLED, REPEATED, FEW])
def test_forged_suffix_arrays(driver: Path, forgery: int) -> None:
    """A cache that others write to may hold any numbers; no byte outside the images is read."""
    assert run(driver, 1, 400, 401, forgery) == (400, 0)


def test_every_allocation_that_fails_is_an_error(driver: Path) -> None:
    runs, short_of_memory = run(driver, 1000, 40, 1, TRUE)
    assert short_of_memory == runs - 40 > 1000
