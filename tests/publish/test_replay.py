"""The 49 recorded situations of manifest-dev-tool 2.6.2, with our client in its place.

Ours must write the same to the service in the same order, succeed or fail alike, and leave the same
behind, except where FIXES says what is better and why. Reads (GET) may differ: ours looks first.
Their command line is replayed in tests/dropin/test_dev_update.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fotabuild.cli.upload_plan import choose
from fotabuild.errors import FotabuildError, SigningError
from fotabuild.publish.interruption import Interrupted, interruptible
from fotabuild.publish.pacing import PACING
from fotabuild.publish.updates import Cleanup, RunOptions, Stored
from fotabuild.publish.watch import CampaignResult

from .fake_service import FakeService, parse_multipart
from .recordings import (
    FIXES,
    SCALED,
    STATUSES,
    TRACES,
    Fix,
    after,
    check_requests,
    interrupter,
    load,
    make_service,
    payload_size,
)
from .scene import Scene
from .tls import Certificates
from .wire import Wire


@dataclass
class Replay:
    """One recorded situation, played again."""

    trace: dict[str, Any]
    fake: FakeService
    status: int
    results: tuple[CampaignResult, ...]
    scene: Scene


def play(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> Replay:
    trace = load(name)
    server, arguments = trace["server"], trace["commands"][-1]
    fake = make_service(trace)
    secure = server["scheme"] == "https"
    with Wire(
        fake,
        on_request=interrupter(trace.get("signal"), fake),
        context=certificates.context() if secure else None,
        prefix="/prefix" if name.endswith("host-with-path") else "",
    ) as wire:
        if name == "update-v3-https":
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
        if name == "update-v3-netrc":
            netrc = folder / "netrc"
            netrc.write_text("machine 127.0.0.1 login me password secret\n")
            monkeypatch.setenv("NETRC", str(netrc))
        key = {"key": "ak_wrong_key"} if name.endswith("unauthorised") else {}
        scene = Scene(wire.url, folder, SCALED, size=payload_size(trace), **key)
        results: tuple[CampaignResult, ...] = ()
        try:
            status, results = _run(name, trace, arguments, scene)
        except FotabuildError as error:
            status = int(error.exit_status)
        except Interrupted as stop:
            status = 128 + stop.number
    return Replay(trace, fake, status, results, scene)


def _run(
    name: str, trace: dict[str, Any], arguments: list[str], scene: Scene
) -> tuple[int, tuple[CampaignResult, ...]]:
    if name.endswith("delta-encrypted"):
        choose([], full=False, package=False, delta_from="1.0.0", encrypt=True)
    if name.endswith("other-directory"):

        def make_manifest(_: Stored) -> bytes:
            raise SigningError("there is no such key")

        scene.make_manifest = make_manifest  # type: ignore[assignment,method-assign]
    wait = "--wait-for-completion" in arguments
    options = RunOptions(
        description="Development campaign",
        start=wait or "--start-campaign" in arguments,
        wait=wait,
        timeout=float(after(arguments, "--timeout", "0")),
        cleanup=Cleanup.NEVER if "--no-cleanup" in arguments else Cleanup.ALWAYS,
    )
    device = after(arguments, "--device-id", "")
    vendor, kind = (after(trace["commands"][0], f"--{n}-id", "") for n in ("vendor", "class"))
    terms = [f"device_class__eq={kind}", f"vendor_id__eq={vendor}"]
    terms += [f"id__eq={device}"] if device else []
    update = scene.update(device_filter="&".join(terms), encrypt="--encrypt-payload" in arguments)
    with interruptible():
        results = scene.publish(options, updates=[update]).results
    return max(int(result.outcome.exit_status) for result in results), results


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls"))


def test_these_are_all_recordings() -> None:
    assert len(TRACES) == 49
    assert set(FIXES) | set(STATUSES) <= set(TRACES)


@pytest.mark.parametrize("name", TRACES)
def test_replay(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    certificates: Certificates,
    record_property: Callable[[str, object], None],
) -> None:
    good = False
    try:
        _check(name, play(name, tmp_path, monkeypatch, certificates))
        good = True
    finally:
        record_property("tally", ("recorded situations are right", good))


def _check(name: str, done: Replay) -> None:
    fix = FIXES.get(name, Fix("", writes=True))
    if fix.status is None:
        fix = dataclasses.replace(fix, status=STATUSES.get(name))
    check_requests(done.trace, done.fake, done.status, fix)
    kept = done.status == 0 and bool(done.fake.left())
    left_here = list(done.scene.journals.glob("*"))
    assert bool(left_here) == kept, "a journal stays exactly as long as something is left"


def test_a_fix_is_a_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    """Every fix with another status or remainder really differs from the recording."""
    for name, fix in FIXES.items():
        trace = load(name)
        same_status = fix.status is None or fix.status == trace["exit_code"]
        was = [count for count in trace["left_on_server"].values() if count]
        same_left = fix.left is None or sorted(fix.left.values()) == sorted(was)
        assert not (same_status and same_left and fix.writes) or name.endswith("long-file-name")


def test_bounds_are_those_of_the_recordings() -> None:
    """The recorded tool takes one request up to 104857599 bytes, and chunks of 6 MiB."""
    jobs = load("update-v3-upload-job")["exchanges"]
    sizes = [e["request"]["length"] for e in jobs if e["request"]["target"].endswith("/chunks")]
    assert sizes[0] == PACING.chunk
    assert sum(sizes) == PACING.one_request
    below = load("update-v3-one-byte-below-limit")["exchanges"][0]["request"]["body"]
    assert below["parts"][-1]["length"] == PACING.one_request - 1


def test_what_the_manifest_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    """URL, short URL and the encrypted digest reach the maker of the manifest."""
    done = play("update-v3-encrypted", tmp_path, monkeypatch, certificates)
    image = done.trace["exchanges"][0]["response"]["body"]
    (stored,) = done.scene.stored
    assert stored.encrypted_size == image["encrypted_datafile_size"] == 1040
    assert stored.encrypted_digest is not None
    assert len(stored.encrypted_digest) == 32
    assert stored.short_url == "/fw/1"
    sent = next(c for c in done.fake.calls if str(c) == "POST /v3/firmware-manifests")
    assert dict(parse_multipart(sent))["datafile"] == b"manifest of " + stored.url.encode()


def test_events_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    done = play("update-v3-failed-and-skipped", tmp_path, monkeypatch, certificates)
    (result,) = done.results
    shown = {(e.group, e.code, e.description, e.count) for e in result.events}
    assert shown == {
        ("fail", "UPD4_FAIL_210", "The signature of the manifest does not match", 1),
        ("skipped", "SYS_110", "Nothing to do: same firmware", 1),
    }
    assert {d.deployment_state for d in result.devices} == {
        "failed_connector_channel_update",
        "deployed",
    }
