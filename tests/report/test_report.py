"""What a report says is true, complete, harmless, and the same for the same artifacts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fotabuild.device.profile import DeviceLimits
from fotabuild.digest import sha256
from fotabuild.report.folder import read_folder
from fotabuild.report.headroom import headroom_of
from fotabuild.report.model import Report, Room, Schema
from fotabuild.report.page import duration, make_page, speed
from fotabuild.report.summary import Subject, default_title, make_report
from fotabuild.report.writing import write_report

from ..formats.golden import CERTIFICATE
from .html_reader import Page
from .scene import FILES, MANIFESTS, NEW, Built, build


def report_of(built: Built, **values: Any) -> Report:
    found = built.verify()
    subject = Subject(
        title=default_title("Toaster <2>", found),
        device=values.pop("device", built.device()),
        precursors=built.precursors(),
        component="MAIN",
        **values,
    )
    return make_report(found, read_folder(built.update), subject)


def test_numbers_are_those_of_the_files(pristine: Built) -> None:
    report = report_of(pristine, link_speed=20_000)
    assert report.title == "Toaster <2> 1.1.0"
    assert len(report.updates) == MANIFESTS + 1, "that of SUIT"
    assert len(report.files) == FILES
    for entry in report.files:
        data = (pristine.update / entry.name).read_bytes()
        assert (entry.size, entry.sha256) == (len(data), sha256(data).hex())
    delta = next(update for update in report.updates if update.since == "1.0.1")
    patch = (pristine.update / "app-1.0.1-to-1.1.0.patch").stat().st_size
    manifest = (pristine.update / delta.manifest).stat().st_size
    assert (delta.payload_size, delta.image_size) == (patch, len(NEW))
    assert delta.saving == round(100 - 100 * patch / len(NEW), 1)
    assert delta.seconds == round((patch + manifest) * 8 / 20_000, 1)
    assert delta.memory == 1024
    assert report.signing.certificate_sha256 == sha256(CERTIFICATE.read_bytes()).hex()


def test_deltas_stand_in_the_order_of_releases(pristine: Built) -> None:
    since = [update.since for update in report_of(pristine).updates]
    assert since == [None, None, None, None, "1.0.0", "1.0.0", "1.0.1", "1.0.1"]


def test_of_equal_payloads_that_of_the_manifest_is_named(built: Built) -> None:
    """Two versions of one image have equal files under different names."""
    build(built.root, version=(1, 2, 0))
    report = report_of(built)
    assert report.accepted
    assert len(report.updates) == 2 * (MANIFESTS + 1)
    for update in report.updates:
        if update.schema is not Schema.SUIT:
            assert [download.file for download in update.downloads] == [
                download.url.rpartition("/")[2] for download in update.downloads
            ]
    deltas = [u for u in report.updates if u.since and u.schema is Schema.V3]
    assert [(u.since, u.version) for u in deltas] == [
        ("1.0.0", "1.1.0"), ("1.0.0", "1.2.0"), ("1.0.1", "1.1.0"), ("1.0.1", "1.2.0")
    ]  # fmt: skip


def test_unknown_precursors_are_named_by_their_digest(built: Built) -> None:
    (built.root / "old" / "1.0.0.bin").unlink()
    since = {update.since for update in report_of(built).updates}
    digest = read_digest(built)
    assert since == {None, digest[:12], "1.0.1"}


def read_digest(built: Built) -> str:
    from fotabuild.inspection import read_manifest

    data = (built.update / "app-1.0.0-to-1.1.0.manifest").read_bytes()
    return str(read_manifest(data)["precursor-digest"])


def test_headroom_names_the_largest_and_the_nearest_first(pristine: Built) -> None:
    device = pristine.device()
    limits = DeviceLimits(patch_memory=4096, uri_size=60, image_size=40_000)
    profile = msgspec.structs.replace(device.profile, limits=limits)
    report = report_of(pristine, device=replace(device, profile=profile))
    found = {item.limit: item for item in report.headroom}
    assert found["patch-memory"].share == 25
    image = max(path.stat().st_size for path in pristine.update.glob("*.package.tar"))
    assert (found["image-size"].used, found["image-size"].bound) == (image, 40_000)
    assert found["image-size"].share > 100
    assert found["uri-size"].used == len("https://acme.com/app-1.0.0-to-1.1.0.patch")
    assert found["certificate-size"].used == CERTIFICATE.stat().st_size
    *others, last = report.headroom
    assert (last.limit, last.room) == ("patch-memory", Room.BY_DESIGN)
    shares = [item.share for item in others]
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize(
    ("limit", "used", "bound", "room"),
    [
        ("patch-memory", 1024, 1024, Room.BY_DESIGN),
        ("patch-memory", 1023, 1024, Room.BY_DESIGN),
        ("patch-memory", 1025, 1024, Room.EXCEEDED),
        ("uri-size", 90, 100, Room.ENOUGH),
        ("uri-size", 91, 100, Room.LITTLE),
        ("uri-size", 100, 100, Room.LITTLE),
        ("uri-size", 101, 100, Room.EXCEEDED),
        ("vendor-data-size", 1, 0, Room.EXCEEDED),
    ],
)
def test_only_memory_may_be_full_by_design(limit: str, used: int, bound: int, room: Room) -> None:
    assert headroom_of(limit, used, bound, "a.manifest").room is room


def test_the_same_artifacts_give_the_same_bytes_in_another_folder(
    pristine: Built, built: Built, tmp_path: Path
) -> None:
    files = []
    for name, one in (("a", pristine), ("b", built)):
        page = tmp_path / name / "report.html"
        write_report(report_of(one), page, [])
        files.append([path.read_bytes() for path in sorted(page.parent.iterdir())])
    assert files[0] == files[1]
    assert len(files[0]) == 2
    assert str(tmp_path).encode() not in b"".join(files[0])


def test_the_page_needs_nothing_else_and_closes_what_it_opens(pristine: Built) -> None:
    text = make_page(report_of(pristine)).decode()
    page = Page(text)
    assert page.open == []
    assert page.references == []
    assert page.of("script") == []
    assert "@import" not in text
    assert "url(" not in text
    (policy,) = (m["content"] for m in page.of("meta") if "http-equiv" in m)
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_the_page_says_what_the_report_says(pristine: Built) -> None:
    report = report_of(pristine, link_speed=20_000)
    page = Page(make_page(report).decode())
    assert "Toaster <2> 1.1.0 all checks passed" in page.text
    for update in report.updates:
        assert f"{update.payload_size:,}" in page.text
        assert duration(update.seconds) in page.text
    for entry in report.files:
        assert entry.name in page.text
        assert entry.sha256 in page.text
        for check in entry.checks:
            assert " ".join(check.detail.split()) in page.text
    assert report.signing.key_id in page.text
    assert len(page.of("svg")) == 2, "one for each delta"
    assert len([r for r in page.of("rect") if r["class"] == "patch"]) == 2


def test_bars_are_as_long_as_the_patches(pristine: Built) -> None:
    report = report_of(pristine)
    rects = Page(make_page(report).decode()).of("rect")
    deltas = [u for u in report.updates if u.saving is not None and u.schema is Schema.V3]
    full = [float(r["width"] or 0) for r in rects if r["class"] == "full"]
    patch = [float(r["width"] or 0) for r in rects if r["class"] == "patch"]
    for delta, long, short in zip(deltas, full, patch, strict=True):
        assert short / long == pytest.approx(delta.payload_size / delta.image_size, abs=0.001)


def test_a_failure_is_shown_open_and_in_words(built: Built) -> None:
    (built.update / "app-1.1.0.bin").write_bytes(b"other")
    report = report_of(built)
    page = Page(make_page(report).decode())
    assert not report.accepted
    assert "checks failed" in page.text
    assert "refuses it" in page.text
    assert [d for d in page.of("details") if "open" in d]
    assert "no file here has the SHA-256" in page.text


def test_hostile_names_stay_text(built: Built) -> None:
    name = '<img src=x onerror="alert(1)">&.txt'
    (built.update / name).write_bytes(b"hostile")
    page = Page(make_page(report_of(built)).decode())
    assert page.of("img") == []
    assert page.references == []
    assert name in page.text


def test_the_json_holds_everything_but_pictures(pristine: Built) -> None:
    report = report_of(pristine)
    values = json.loads(report.encode())
    assert values["schema_version"] == 2
    assert values["accepted"] is True
    assert {entry["name"] for entry in values["files"]} == {e.name for e in report.files}
    assert values["updates"][4]["payload-format"] == "arm-patch-stream"
    assert msgspec.convert({k: v for k, v in values.items() if k != "schema_version"}, Report)


def test_a_report_does_not_speak_of_reports(built: Built) -> None:
    before = report_of(built).encode()
    write_report(report_of(built), built.update / "report.html", [])
    assert report_of(built).encode() == before


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (59.9, "59.9 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (7260, "2 h 1 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("bits", "text"), [(300, "300 bit/s"), (20_000, "20 kbit/s"), (2_500_000, "2.5 Mbit/s")]
)
def test_speeds(bits: int, text: str) -> None:
    assert speed(bits) == text
