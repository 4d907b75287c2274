"""Images in the field that are no regular files are not at hand, and nobody waits for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fotabuild.digest import sha256
from fotabuild.limits import READ_LIMITS
from fotabuild.report import precursors
from fotabuild.report.precursors import InstalledImage, Precursors

GOOD = b"an image in the field"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.bin"
    path.write_bytes(GOOD)
    return path


@pytest.mark.parametrize("kind", ["fifo", "/dev/zero", "folder", "missing"])
def test_what_is_no_file_is_not_at_hand(kind: str, good: Path, tmp_path: Path) -> None:
    other = Path(kind) if kind.startswith("/") else tmp_path / kind
    if kind == "fifo":
        os.mkfifo(other)
    elif kind == "folder":
        other.mkdir()
    images = Precursors([InstalledImage(other), InstalledImage(good)])
    found = images.find(sha256(GOOD))
    assert found is not None
    assert found.path == good
    assert images.find(bytes(32)) is None


def test_what_is_too_large_is_not_at_hand(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precursors, "READ_LIMITS", READ_LIMITS._replace(image=len(GOOD) - 1))
    assert Precursors([InstalledImage(good)]).find(sha256(GOOD)) is None
