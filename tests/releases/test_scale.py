"""What a store of 30 products with 50 releases each costs."""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

from fotabuild.releases.folder import FolderStorage
from fotabuild.releases.importing import read_import
from fotabuild.releases.store import ReleaseStore

from .conftest import BUCKET
from .samples import DATE, release
from .turns import counted_store

PRODUCTS, VERSIONS = 30, 50


def write_list(folder: Path, products: int, versions: int) -> Path:
    """Write a list of releases with their images."""
    lines = ["version,image,component,commit"]
    for product in range(products):
        for version in range(versions):
            name = f"{product}-{version}.bin"
            (folder / name).write_bytes(name.encode() * 20)
            lines.append(f"1.{version}.0,{name},PRODUCT{product},{product:020}{version:020}")
    table = folder / "releases.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    return table


def fill(store: ReleaseStore, folder: Path, products: int, versions: int) -> None:
    table = write_list(folder, products, versions)
    sources = [source for _, source in read_import(table, folder, "MAIN", DATE)]
    assert all(store.add_all(sources))
    assert len(store.contents().entries) == products * versions


def test_thirty_products_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str], None]
) -> None:
    # Without waiting for the disk, whose speed is not ours.
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    store = ReleaseStore(FolderStorage(tmp_path / "store"))
    (tmp_path / "images").mkdir()
    start = time.process_time(), time.monotonic()
    fill(store, tmp_path / "images", PRODUCTS, VERSIONS)
    middle = time.process_time(), time.monotonic()
    store.add(release("9.0.0"))
    end = time.process_time(), time.monotonic()
    figure(
        f"release store in a folder: {PRODUCTS * VERSIONS} releases imported in "
        f"{middle[1] - start[1]:.1f} s (CPU {middle[0] - start[0]:.1f} s), one more in "
        f"{end[1] - middle[1]:.2f} s (CPU {end[0] - middle[0]:.2f} s)"
    )
    # Each add once read everything there was: a minute of work for so many.
    assert middle[0] - start[0] < 30


@pytest.mark.parametrize("kind", ["memory", "s3"])
def test_requests_at_a_url(
    kind: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    figure: Callable[[str], None],
) -> None:
    """An import costs three requests for each release, one more release always the same."""
    products, versions = (PRODUCTS, VERSIONS) if kind == "memory" else (3, 10)
    if kind == "s3":
        for name, value in request.getfixturevalue("s3_environment").items():
            monkeypatch.setenv(name, value)
    root = "memory:/" if kind == "memory" else f"s3://{BUCKET}"
    requests: Counter[str] = Counter()
    store = counted_store(f"{root}/{uuid.uuid4().hex}", requests)
    start = time.monotonic()
    fill(store, tmp_path, products, versions)
    seconds = time.monotonic() - start
    imported = requests.total()
    requests.clear()
    counted = counted_store(store.storage.place, requests)
    start = time.monotonic()
    counted.add(release("9.0.0"))
    figure(
        f"release store at {kind}://: {products * versions} releases imported with {imported} "
        f"requests in {seconds:.1f} s, one more with {requests.total()} "
        f"in {time.monotonic() - start:.2f} s"
    )
    if kind == "memory":  # It would slow down every test after this one.
        fsspec.filesystem("memory").rm(store.storage.place, recursive=True)
    assert imported <= 3 * products * versions + 30
    assert requests.total() <= 14
