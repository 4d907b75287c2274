"""One more release in the store: CMake plans again, its delta is made, and the others stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fotabuild.releases.folder import FolderStorage
from fotabuild.releases.new_release import NewRelease
from fotabuild.releases.store import ReleaseStore

from .project import CONFIG, Project

pytestmark = [pytest.mark.cmake, pytest.mark.cc]
DATE = "2026-01-31T12:00:00Z"


def test_the_index_decides_what_is_built(project: Callable[..., Project]) -> None:
    built = project()
    store = ReleaseStore(FolderStorage(built.path("field")))

    def add(version: str, name: str) -> None:
        image = built.path(name).read_bytes()
        store.add(NewRelease(version=version, component="MAIN", date=DATE, image=image))

    begin, end = CONFIG.index("releases:\n"), CONFIG.index("package:\n")
    built.write("fotabuild.yaml", f"{CONFIG[:begin]}releases:\n  store: field\n{CONFIG[end:]}")
    add("1.0.0", "releases/app-1.0.0.bin")
    built.configured().made()
    built.assert_up_to_date()
    before = built.artifacts()
    add("0.9.0", "releases/app-0.9.0.bin")
    built.made()
    new = built.artifacts()
    assert {name for name in new if name not in before} == {
        f"app-0.9.0-to-1.1.0.{suffix}" for suffix in ("patch", "yaml", "manifest")
    }
    assert {name: new[name] for name in before} == before
    built.assert_up_to_date()
