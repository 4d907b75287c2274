from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fotabuild.delta.encoder import engine, make_patch
from fotabuild.digest import sha256
from fotabuild.formats.combined_package import PackageImage, encode_package
from fotabuild.formats.patch_sidecar import PatchSidecar

from ..formats.golden import CERTIFICATE, KEY, PUBLIC_KEY, firmware


class Tally:
    """Counts what was exchanged, for the closing lines of the run."""

    def __init__(self, record_property: Callable[[str, object], None]) -> None:
        self._record = record_property

    @contextlib.contextmanager
    def count(self, what: str) -> Iterator[None]:
        """Count what happens inside; it is good unless it raises."""
        good = False
        try:
            yield
            good = True
        finally:
            self._record("tally", [f"manifest-tool 2.6.2: {what}", int(good)])


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    return Tally(record_property)


@pytest.fixture(scope="session")
def payloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with keys, one payload of each format made by us, and vendor data."""
    folder = tmp_path_factory.mktemp("interop")
    for name, source in (("key.pem", KEY), ("cert.der", CERTIFICATE), ("pub.bin", PUBLIC_KEY)):
        shutil.copyfile(source, folder / name)
    old, new = firmware("fw-1.0.0"), firmware("fw-1.1.0")
    patch = make_patch(old, new).data
    sidecar = PatchSidecar(
        sha256(new),
        len(new),
        sha256(old),
        sha256(patch),
        len(patch),
        engine=engine(),
        effort="balanced",
        complete=False,
    )
    images = [PackageImage("app", b"v1.1.0", new), PackageImage("radio", b"\x00\xff", old)]
    for name, data in {
        "old.bin": old,
        "new.bin": new,
        "update.patch": patch,
        "update.yaml": sidecar.encode(),
        "bundle.tar": encode_package(images),
        "empty.vendor": b"",
        "text.vendor": b"hello device",
        "binary.vendor": bytes(range(256))[::-1][:200],
    }.items():
        (folder / name).write_bytes(data)
    return folder
