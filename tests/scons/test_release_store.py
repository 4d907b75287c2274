"""One more release in the store: its delta is made, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable

from fotabuild.releases.folder import FolderStorage
from fotabuild.releases.new_release import NewRelease
from fotabuild.releases.store import ReleaseStore

from .project import CONFIG, Project

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
    first = built.build()
    assert sum(target.endswith(".patch") for target in first) == 1
    built.assert_up_to_date()
    add("0.9.0", "releases/app-0.9.0.bin")
    assert [target.rpartition("/")[2] for target in built.build()] == [
        "app-0.9.0-to-1.1.0.patch",
        "app-0.9.0-to-1.1.0.manifest",
    ]
    store.retire("MAIN", "1.0.0", DATE)
    built.assert_up_to_date()
