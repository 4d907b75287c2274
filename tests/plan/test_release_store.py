"""Plans from a release store: its index decides which deltas there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fotabuild.errors import ConfigError, PlanError, StoreDamageError
from fotabuild.plan.field_releases import releases_in_field
from fotabuild.plan.plan import Plan, make_plan
from fotabuild.plan.runner import run_plan
from fotabuild.releases.folder import FolderStorage
from fotabuild.releases.layout import INDEX
from fotabuild.releases.new_release import NewRelease
from fotabuild.releases.store import ReleaseStore
from fotabuild.steps.delta import DeltaStep

from ..conftest import VECTORS
from .conftest import MakeConfig, complete_build, prepare
from .test_plan import build

DATE = "2026-01-31T12:00:00Z"
OLD = (VECTORS / "firmware" / "fw-1.0.0.bin").read_bytes()


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    """Five releases, one of another component."""
    made = ReleaseStore(FolderStorage(tmp_path / "field"))
    for version in ("1.0.0", "1.1.0", "1.2.0", "1.10.0"):
        made.add(NewRelease(version=version, component="MAIN", date=DATE, image=OLD))
    made.add(NewRelease(version="1.5.0", component="BOOT", date=DATE, image=OLD))
    return made


def deltas(plan: Plan) -> list[str]:
    return [step.name.split("-")[1] for step in plan.steps if isinstance(step, DeltaStep)]


def plan_with(make_config: MakeConfig, tmp_path: Path, **section: Any) -> Plan:
    return make_plan(make_config(releases={"store": "field", **section}), build(tmp_path))


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("all", ["1.0.0", "1.1.0", "1.2.0", "1.10.0"]),
        ({"last": 2}, ["1.2.0", "1.10.0"]),
        ({"from": "1.1.0"}, ["1.1.0", "1.2.0", "1.10.0"]),
        ({"from": "1.1.0", "to": "1.2.0"}, ["1.1.0", "1.2.0"]),
        ({"min-share": 10, "shares": "shares.csv"}, ["1.1.0", "1.10.0"]),
        ({"last": 1, "min-share": 10, "shares": "shares.csv"}, ["1.10.0"]),
    ],
    ids=str,
)
def test_which_releases_get_a_delta(
    make_config: MakeConfig, tmp_path: Path, store: ReleaseStore, choice: Any, expected: list[str]
) -> None:
    (tmp_path / "shares.csv").write_text("version,devices\n1.0.0,9\n1.1.0,11\n1.10.0,80\n")
    plan = plan_with(make_config, tmp_path, deltas=choice)
    assert deltas(plan) == expected
    left_out = [note for note in plan.notes if note.startswith("no delta from")]
    assert len(left_out) == 4 - len(expected)


def test_the_index_is_an_input(
    make_config: MakeConfig, tmp_path: Path, store: ReleaseStore
) -> None:
    assert plan_with(make_config, tmp_path).reads == (tmp_path / "field" / INDEX,)
    (tmp_path / "s.csv").write_text("version,share\n")
    choice = {"min-share": 1, "shares": "s.csv"}
    assert plan_with(make_config, tmp_path, deltas=choice).reads[1:] == (tmp_path / "s.csv",)


def test_planning_reads_no_image_and_writes_nothing(
    make_config: MakeConfig, tmp_path: Path, store: ReleaseStore
) -> None:
    make_config()
    for path in (tmp_path / "field" / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    before = sorted(tmp_path.rglob("*"))
    assert len(deltas(plan_with(make_config, tmp_path))) == 4
    assert sorted(tmp_path.rglob("*")) == before


def test_a_retired_release_and_one_more(
    make_config: MakeConfig, tmp_path: Path, store: ReleaseStore
) -> None:
    store.retire("MAIN", "1.0.0", DATE)
    store.add(NewRelease(version="1.11.0", component="MAIN", date=DATE, image=OLD))
    assert deltas(plan_with(make_config, tmp_path)) == ["1.1.0", "1.2.0", "1.10.0", "1.11.0"]


def test_a_release_without_a_patch_decoder_gets_no_delta(
    make_config: MakeConfig, tmp_path: Path, store: ReleaseStore
) -> None:
    """It would stop the whole build when its delta is made."""
    store.add(NewRelease(version="0.9.0", component="MAIN", date=DATE, image=b"no decoder"))
    plan = plan_with(make_config, tmp_path)
    assert deltas(plan) == ["1.0.0", "1.1.0", "1.2.0", "1.10.0"]
    assert "no delta from 0.9.0: its image has no patch decoder" in plan.notes


def test_a_mirror_stands_for_a_url(
    make_config: MakeConfig, tmp_path: Path, store: ReleaseStore
) -> None:
    plan = plan_with(make_config, tmp_path, store="s3://bucket/x", mirror="field")
    assert len(deltas(plan)) == 4
    with pytest.raises(PlanError, match="release pull") as caught:
        plan_with(make_config, tmp_path, store="s3://bucket/x")
    assert str(tmp_path / ".fotabuild" / "releases" / INDEX) in str(caught.value)


def test_an_elf_file_that_is_not_here_is_left_out(
    make_config: MakeConfig, tmp_path: Path, store: ReleaseStore
) -> None:
    """A mirror of an older fotabuild has none: the deltas are made without symbols."""
    store.add(NewRelease(version="1.11.0", component="MAIN", date=DATE, image=OLD, elf=b"\x7fELF"))
    config = make_config(releases={"store": "field"})
    elf = releases_in_field(config).releases[-1].elf
    assert elf is not None
    assert elf.read_bytes() == b"\x7fELF"
    elf.unlink()
    assert releases_in_field(config).releases[-1].elf is None
    for step in make_plan(config, build(tmp_path)).steps:
        assert elf not in step.inputs


def test_a_damaged_index(make_config: MakeConfig, tmp_path: Path, store: ReleaseStore) -> None:
    index = tmp_path / "field" / INDEX
    index.write_text(index.read_text().replace("37330", "37331"))
    with pytest.raises(StoreDamageError, match="release fsck"):
        plan_with(make_config, tmp_path)


@pytest.mark.parametrize(
    "section",
    [
        {"deltas": "some"},
        {"deltas": {}},
        {"deltas": {"last": -1}},
        {"deltas": {"from": "0.0.0"}},
        {"deltas": {"to": "1.0"}},
        {"deltas": {"min-share": 5}},
        {"deltas": {"shares": "x.csv"}},
        {"deltas": {"min-share": 101, "shares": "x.csv"}},
        {"deltas": {"first": 1}},
        {"sotre": "x"},
        {"store": ""},
    ],
    ids=str,
)
def test_bad_sections(make_config: MakeConfig, section: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="releases"):
        make_config(releases={"store": "field", **section})


def test_the_artifacts_are_those_of_a_list(
    make_config: MakeConfig, tmp_path: Path, store: ReleaseStore
) -> None:
    """A store and a list of the same images make the same bytes."""
    prepare(tmp_path)
    found = []
    choice = {"store": "field", "deltas": {"to": "1.0.0"}}
    for releases in (choice, [{"version": "1.0.0", "image": "releases/a.bin"}]):
        plan = make_plan(make_config(releases=releases), complete_build(tmp_path))
        run_plan(plan, lambda _step, _result: None)
        found.append({path.name: path.read_bytes() for path in (tmp_path / "update").iterdir()})
    names = ["app-1.0.0-to-1.1.0.patch", "app-1.0.0-to-1.1.0.yaml", "app-1.1.0.bin"]
    assert [found[0][name] for name in names] == [found[1][name] for name in names]
    assert sorted(found[0]) == sorted(found[1])
