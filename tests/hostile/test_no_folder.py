"""Bad input that no folder can hold: too large, made by the system, or seen in what it costs."""

from __future__ import annotations

import json
import os
import struct
import tarfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.cli.main import main
from fotabuild.config.yaml_reader import read_yaml
from fotabuild.delta.decoder import apply_patch
from fotabuild.delta.encoder import make_patch
from fotabuild.errors import ElfError, FotabuildError, PackageError, PatchError, YamlError
from fotabuild.formats.combined_package import PackageImage, decode_package, encode_package
from fotabuild.formats.elf_image import flatten
from fotabuild.formats.patch_stream import PatchHeader

_MEBI = 1024 * 1024
_CREATE = "manifest create -p new.bin --format raw-binary -v 1.1.0 -o out.manifest"


def test_an_unreadable_key_is_named(
    base: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Permissions do not bind the user that tests often run as: refuse in the system's place."""

    real_open = os.open

    def refuse(path: str, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith("key.pem"):
            raise PermissionError(13, "Permission denied", path)
        return real_open(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)
    assert main(_CREATE.split()) == 1
    problem = capsys.readouterr().err
    assert problem.endswith("key.pem: cannot read the private key: Permission denied [FB0300]\n")


def test_a_failing_verification_is_one_json_object(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = "--json manifest verify app.manifest --payload radio.bin"
    assert main(command.split()) == 3
    stdout, stderr = capsys.readouterr()
    assert json.loads(stdout)["accepted"] is False
    assert stderr.startswith("error: app.manifest: ")


def _refused_cheaply(
    kind: type[FotabuildError], call: Callable[[], object], mebibytes: int = 64
) -> str:
    """Demand an error after little work and with little memory; return its text."""
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(kind) as caught:
            call()
        seconds = time.process_time() - start
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seconds < 2
    assert peak < mebibytes * _MEBI
    return str(caught.value)


def test_archive_of_headers_only() -> None:
    """Each of these headers announces the next one, and readers descend."""
    header = tarfile.TarInfo("x")
    header.type = tarfile.XHDTYPE
    archive = header.tobuf(tarfile.USTAR_FORMAT) * 3000 + bytes(1024)
    assert "not a plain tar" in _refused_cheaply(PackageError, lambda: decode_package(archive))


def test_descriptor_without_end() -> None:
    images = [PackageImage(name, b"v" * _MEBI, b"image") for name in ("a", "b")]
    package = encode_package(images)
    problem = _refused_cheaply(PackageError, lambda: decode_package(package))
    assert "the limit is 1048576" in problem


def test_segments_that_share_their_bytes() -> None:
    """A thousand segments of the same half mebibyte would be half a gibibyte."""
    count, size = 1000, _MEBI // 2
    start = 52 + 32 * count
    header = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    header += struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, 0, 52, 0, 0, 52, 32, count, 40, 0, 0)
    table = [struct.pack("<8I", 1, start, 0, size * n, size, size, 5, 4) for n in range(count)]
    elf = header + b"".join(table) + bytes(size)
    problem = _refused_cheaply(ElfError, lambda: flatten(elf), mebibytes=300)
    assert "the segments have more than" in problem


def test_patch_that_promises_a_large_image() -> None:
    patch = PatchHeader(new_size=200 * _MEBI, block_size=512, largest_frame=1).encode() + b"\0\1\0"
    assert "cut off" in _refused_cheaply(PatchError, lambda: apply_patch(b"old", patch))


@pytest.mark.parametrize(
    "text",
    [
        b"priority: 1" + b":1" * 300_000,
        b"priority: 0x" + b"f" * 900_000,
        b"priority: " + b"[" * 900_000,
        b"priority: [" + b"1," * 400_000,
        b"? " * 400_000,
    ],
    ids=["sexagesimal", "hexadecimal", "brackets", "items", "keys"],
)
def test_configuration_that_costs(text: bytes) -> None:
    _refused_cheaply(YamlError, lambda: read_yaml(text))


def test_message_stays_short(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (base / "bad.yaml").write_bytes(b"k" * 100_000 + b": 1\n" + b"k" * 100_000 + b": 2\n")
    assert main(["config", "--config", "bad.yaml"]) == 1
    assert len(capsys.readouterr().err) < 2000


def test_largest_block_costs_no_more_than_a_small_one() -> None:
    old = bytes(range(256)) * 64
    start = time.process_time()
    assert make_patch(old, old[::-1], block_size=1 << 24).data
    assert time.process_time() - start < 5
