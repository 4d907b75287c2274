"""A device ends on the new image, whatever way it comes."""

from __future__ import annotations

import tracemalloc

import pytest

from fotabuild.digest import sha256
from fotabuild.formats.combined_package import encode_package
from fotabuild.formats.manifest_v3 import PayloadFormat
from fotabuild.simulation.events import SUCCESS

from ..device import scenes
from ..device.scenes import IMAGES, NEW, OLD, Scene
from .scene import PATH, Bench, encrypted
from .service import CAMPAIGN

PACKAGE = encode_package(IMAGES)
WAYS = {
    "raw": (scenes.raw(), NEW),
    "signed image": (scenes.raw().signed_image(), NEW),
    "delta": (scenes.delta(), NEW),
    "delta, signed image": (scenes.delta().signed_image(), NEW),
    "package": (scenes.combined(), PACKAGE),
    "encrypted": (encrypted(), NEW),
    "encrypted package": (encrypted(PACKAGE, PayloadFormat.ENCRYPTED_COMBINED), PACKAGE),
}


@pytest.mark.parametrize("way", WAYS)
def test_installs(way: str, bench: Bench) -> None:
    scene, image = WAYS[way]
    outcome = bench.update(scene)
    assert (outcome.event, outcome.problem) == (SUCCESS, "")
    assert (outcome.version_before, outcome.version) == ("1.0.0", "1.1.0")
    assert bench.image == image
    assert bench.files() == {
        "device.json",
        "update.cert.der",
        "state.json",
        "credentials.json",
        "image",
    }


@pytest.mark.parametrize("way", WAYS)
def test_reports_each_step_and_the_image_that_runs(way: str, bench: Bench) -> None:
    scene, image = WAYS[way]
    bench.update(scene)
    assert bench.service.events() == [
        "UPD2_STATE_2",
        "UPD2_STATE_4",
        "UPD2_STATE_5",
        "UPD2_STATE_7",
        "UPD2_STATE_8",
        SUCCESS,
    ]
    reports = bench.service.reports["device"]
    assert {report["campaign"] for report in reports} == {CAMPAIGN}
    running = [(one["firmware_version"], one["firmware_checksum"]) for one in reports]
    assert set(running[:4]) == {("1.0.0", sha256(OLD).hex())}
    assert set(running[4:]) == {("1.1.0", sha256(image).hex())}


def test_updates_again_and_again(bench: Bench) -> None:
    bench.update(scenes.delta())
    bench.service.reports.clear()
    outcome = bench.update(scenes.raw().change(payload_version="1.2.0"))
    assert outcome.version == bench.folder.state().version == "1.2.0"


def test_a_short_uri_is_a_path_on_the_server(bench: Bench) -> None:
    assert bench.update(scenes.delta().change(payload_uri=PATH)).succeeded


def test_runs_on_after_an_update(bench: Bench) -> None:
    bench.offer(scenes.raw())
    outcomes = bench.settle()
    assert [outcome.event for outcome in outcomes] == [SUCCESS]


def test_a_large_image_needs_little_memory(bench: Bench) -> None:
    image = bytes(range(256)) * (64 * 1024)
    scene: Scene = scenes.raw().change(payload_digest=sha256(image), payload_size=len(image))
    bench.offer(scene.delivering(image))
    device = bench.device()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        assert device.run(once=True, timeout=30)[0].event == SUCCESS
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < len(image) // 4
