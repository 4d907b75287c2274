"""The corpus: its description, archives in archives, Intel HEX."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest


def test_every_pair_is_described_once_and_fully() -> None:
    import corpus

    entries = corpus.entries()
    names = [entry["name"] for entry in entries]
    assert len(names) == len(set(names)) == 19
    assert set(corpus.gate_names()) < set(names)
    assert len(corpus.fruitful_names()) == 16
    for entry in entries:
        for side in ("old", "new"):
            registry, package, version = entry[side]["package"]
            assert registry in ("pypi", "pypi-source", "npm", "debian")
            assert package
            assert version
            assert len(entry[side]["sha256"]) == 64


def test_gate_needs_no_system_packages() -> None:
    import corpus

    for entry in corpus.entries():
        if entry.get("gate"):
            assert not {entry["old"]["package"][0], entry["new"]["package"][0]} & {"debian"}


def test_member_of_an_archive_in_an_archive(tmp_path: Path) -> None:
    from corpus_sources import extract

    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("firmware-base.bin", b"firmware")
        archive.writestr("other-firmware-base.bin", b"not this one")
    package = tmp_path / "package.tgz"
    with tarfile.open(package, "w:gz") as tar:
        info = tarfile.TarInfo("package/build/hub.zip")
        info.size = len(inner.getvalue())
        tar.addfile(info, io.BytesIO(inner.getvalue()))
    assert extract(package, ["build/hub.zip", "firmware-base.bin"]) == b"firmware"
    with pytest.raises(ValueError, match="0 members are called"):
        extract(package, ["build/none.zip"])


def test_intel_hex() -> None:
    from corpus_sources import flatten_hex

    text = [
        ":020000040001F9",  # Upper half of addresses: 0x0001.
        ":0400000001020304F2",
        ":02000600AABB93",  # Behind a hole of two bytes.
        ":020000041000EA",  # Settings outside of the flash.
        ":0110140042" + "99",
        ":00000001FF",
    ]
    assert flatten_hex("\r\n".join(text).encode()) == b"\1\2\3\4\xff\xff\xaa\xbb"
    with pytest.raises(ValueError, match="not a record"):
        flatten_hex(b":0400000001020304F3")


def test_another_image_than_described_is_refused(tmp_path: Path) -> None:
    import corpus

    with pytest.raises(ValueError, match="expected is 00"):
        corpus._write(tmp_path / "old.bin", b"image", "00" * 32)
    assert list(tmp_path.iterdir()) == []
