"""``manifest-dev-tool update`` and ``update-v1`` in the 49 recorded situations, and in others.

The command lines are the recorded ones. Ours must write the same to the service in the same order,
end with the same status, leave the same behind and send the same manifest, except where FIXES says
what is better and why.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from fotabuild.delta.encoder import make_patch
from fotabuild.digest import sha256
from fotabuild.formats import manifest_v1, manifest_v3
from fotabuild.formats.patch_sidecar import PatchSidecar
from fotabuild.publish import pacing
from fotabuild.publish.journal import reopen
from fotabuild.publish.journal_folder import runs

from ..publish.fake_service import KEY, FakeService, parse_multipart
from ..publish.recordings import (
    FIXES,
    SCALED,
    TRACES,
    Fix,
    check_requests,
    interrupter,
    load,
    make_service,
    payload_size,
)
from ..publish.scene import FastClock
from ..publish.tls import Certificates
from ..publish.wire import Wire
from .tools import Outcome, ours

SMALL = bytes(range(256)) * 4
WAIT = ("--fw-version", "1.2.3", "--wait-for-completion")
#: Where this command differs from what core/publish does: it has two exit statuses for failures,
#: as the recorded one, and it asks and rehearses first.
OWN_FIXES = {
    "update-v3-unauthorised": Fix("uploaded with a key that nobody knows; asks first"),
    "update-v3-other-directory": Fix(
        "key not found after the upload, image left; the key in the cache folder is found",
        0,
        {"images": 1, "manifests": 1, "campaigns": 1},
    ),
    # Here 1 as before: one status for all failures.
    "update-v3-awaiting-approval": Fix("", writes=True),
    "update-v3-timeout": Fix("", writes=True),
}


def fix_of(name: str) -> Fix:
    fix = OWN_FIXES.get(name) or FIXES.get(name) or Fix("", writes=True)
    if fix.status not in (None, 0, 130):
        fix = dataclasses.replace(fix, status=1)
    return fix


@dataclass
class Bench:
    """A folder in which ``init`` was called, and what else a call needs."""

    folder: Path
    cache: Path
    journals: Path

    def call(self, *arguments: str) -> Outcome:
        return ours("manifest-dev-tool", *arguments, cwd=self.folder)

    def init(self, url: str, key: str = KEY, *options: str) -> None:
        done = ours(
            "manifest-dev-tool",
            *("init", "--access-key", key, "--api-url", url, *options),
            cwd=self.cache.parent,
        )
        assert done.status == 0, done.stderr

    def versions(self) -> dict[str, str]:
        path = self.cache / "update.version.yaml"
        return dict(yaml.safe_load(path.read_bytes())) if path.exists() else {}

    def journals_left(self) -> int:
        return len(list(runs(self.journals)))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(pacing, "PACING", SCALED)
    monkeypatch.setattr(pacing, "SystemClock", FastClock)
    monkeypatch.setenv("FOTABUILD_PUBLISH_JOURNAL", str(tmp_path / "journals"))
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "fw.bin").write_bytes(SMALL)
    return Bench(folder, folder / ".manifest-dev-tool", tmp_path / "journals")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls"))


def write_payload(trace: dict[str, Any], folder: Path, name: str) -> None:
    size = payload_size(trace)
    (folder / name).parent.mkdir(exist_ok=True)
    if "delta" in name:
        old, new = SMALL[:512] + bytes(512), SMALL
        patch = make_patch(old, new).data
        (folder / name).write_bytes(patch)
        sidecar = PatchSidecar(sha256(new), len(new), sha256(old), sha256(patch), len(patch))
        (folder / name).with_suffix(".yaml").write_bytes(sidecar.encode())
    elif size == len(SMALL):
        (folder / name).write_bytes(SMALL)
    else:
        words = b"".join(n.to_bytes(4, "little") for n in range(size // 4 + 1))
        (folder / name).write_bytes(words[:size])


@pytest.mark.parametrize("name", TRACES)
def test_replay(
    name: str,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    certificates: Certificates,
    record_property: Callable[[str, object], None],
) -> None:
    good = False
    try:
        _replay(name, bench, monkeypatch, certificates)
        good = True
    finally:
        record_property("tally", ("recorded command lines are right", good))


def _replay(
    name: str, bench: Bench, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    trace = load(name)
    init, update = trace["commands"]
    fake = make_service(trace)
    secure = trace["server"]["scheme"] == "https"
    if name == "update-v3-https":
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    if name == "update-v3-netrc":
        netrc = bench.folder / "netrc"
        netrc.write_text("machine 127.0.0.1 login me password secret\n")
        monkeypatch.setenv("NETRC", str(netrc))
    write_payload(trace, bench.folder, update[update.index("--payload-path") + 1])
    if "--cache-dir" in update:  # Called beside the project that init was called in.
        bench.cache = bench.folder / update[update.index("--cache-dir") + 1]
    with Wire(
        fake,
        on_request=interrupter(trace.get("signal"), fake),
        context=certificates.context() if secure else None,
        prefix="/prefix" if name.endswith("host-with-path") else "",
    ) as wire:
        key = init[init.index("--access-key") + 1].replace("<access-key>", KEY)
        slash = "/" if name.endswith("host-with-path") else ""
        bench.init(wire.url + slash, key, *init[init.index("--vendor-id") :])
        done = bench.call(*update[1:])
    assert "Traceback" not in done.stderr
    assert KEY not in done.stdout + done.stderr
    check_requests(trace, fake, done.status, fix_of(name))
    assert (bench.journals_left() > 0) == (done.status == 0 and bool(fake.left())), done.stderr
    leftover = [path.name for path in bench.folder.iterdir() if "manifest-2" in path.name]
    assert leftover == [], "no manifest stays beside the payload"
    _check_manifest(trace, fake)


def sent_manifest(fake: FakeService) -> bytes | None:
    calls = [call for call in fake.calls if str(call) == "POST /v3/firmware-manifests"]
    return dict(parse_multipart(calls[-1]))["datafile"] if calls else None


def _check_manifest(trace: dict[str, Any], fake: FakeService) -> None:
    """Compare every field but URL and signature, which nobody can make twice."""
    sent = sent_manifest(fake)
    parts = [
        part["base64"]
        for exchange in trace["exchanges"]
        for part in exchange["request"]["body"].get("parts", ())
        if "base64" in part
    ]
    if sent is None or not parts:
        return
    recorded = base64.b64decode(parts[0])
    small = payload_size(trace) == len(SMALL) and "patch" not in trace["payload"]
    if trace["name"].startswith("trace-update-v1"):
        one, other = (manifest_v1.decode_signed(data).manifest for data in (sent, recorded))
        assert dataclasses.replace(one, payload_uri=other.payload_uri) == other
        return
    ours_v3, theirs = (manifest_v3.decode_signed(data).manifest for data in (sent, recorded))
    assert ours_v3.payload_uri.startswith("/") == theirs.payload_uri.startswith("/")
    changed: dict[str, Any] = {"payload_uri": theirs.payload_uri}
    if not small:  # Another payload than the recorded one: smaller, or a patch of our own.
        sizes = ("payload_size", "installed_size")
        digests = ("payload_digest", "precursor_digest", "installed_digest")
        changed |= {name: getattr(theirs, name) for name in (*sizes, *digests)}
    elif theirs.payload_format.encrypted:  # The service chose the key.
        changed["payload_digest"] = theirs.payload_digest
    assert dataclasses.replace(ours_v3, **changed) == theirs


def test_every_fix_is_of_a_recording() -> None:
    assert set(OWN_FIXES) <= set(TRACES)
    named = [name for name in TRACES if fix_of(name).why]
    assert len(named) == 22, "the number that docs/manifest-tool.md names"


@pytest.mark.parametrize(
    ("fault", "of"),
    [("truncated", 2), ("reset-after", 2), ("html-502", 3), ("timeout-after", 3)],
)
def test_row_f10_network_errors_leave_nothing(fault: str, of: int, bench: Bench) -> None:
    """A line that stays broken ends the update; all that was made is removed when it is back."""
    fake = FakeService()
    with Wire(fake) as wire:
        bench.init(wire.url)

        def break_creation(number: int, done: bool) -> None:
            # Everything from the chosen request on.
            if sum(call.method == "POST" for call in fake.calls) >= of - 1:
                wire.faults[number + 1] = fault

        wire.on_request = break_creation
        wire.patience = 0.2
        done = bench.call("update", "--payload-path", "fw.bin", "--fw-version", "1.2.3")
        assert done.status == 1
        assert "Traceback" not in done.stderr
        # What could not be looked for while the line was broken is in the journal.
        wire.on_request = None
        wire.faults.clear()
        for path in runs(bench.journals):
            journal = reopen(path)
            assert journal.cleanup_command in done.stderr
            journal.close()
        if bench.journals_left():
            _clean_up(bench, wire.url)
        assert (fake.left(), bench.journals_left()) == ({}, 0)


def _clean_up(bench: Bench, url: str) -> None:
    from fotabuild.cli.main import main

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(bench.folder)
        patch.setenv("FOTABUILD_ACCESS_KEY", KEY)
        assert main(["-q", "cleanup", "--service", url]) == 0


def test_a_version_counts_once_a_campaign_may_bring_it(bench: Bench) -> None:
    fake = FakeService(inject={"man_create#1": {"status": 400, "message": "no"}})
    with Wire(fake) as wire:
        bench.init(wire.url)
        assert bench.call("update", "-p", "fw.bin").status == 1
        assert bench.versions() == {}
        assert bench.call("update", "-p", "fw.bin").status == 0
        assert bench.versions() == {"MAIN": "0.0.2"}
        assert bench.call("update", "-p", "fw.bin", "--component-name", "B").status == 0
        assert bench.versions() == {"B": "0.0.2", "MAIN": "0.0.2"}
        fake.phases = [["active", "deploying"]]
        done = bench.call("update", "-p", "fw.bin", "-w", "-t", "1")
        # Nobody knows how many devices have it by now.
        assert (done.status, bench.versions()["MAIN"]) == (1, "0.0.3")
        assert bench.call("update", "-p", "fw.bin", "-v", "0.0.1").status == 0
    assert fake.left() == {"images": 3, "manifests": 3, "campaigns": 3}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("dev.key.pem", "not a PEM private key"),
        ("dev.cfg.yaml", "run init first"),
        ("fw.bin", "payload-not-empty"),
    ],
)
def test_what_cannot_be_is_found_before_anything_is_sent(
    damage: str, message: str, bench: Bench
) -> None:
    fake = FakeService()
    with Wire(fake) as wire:
        bench.init(wire.url)
        if damage == "dev.cfg.yaml":
            (bench.cache / damage).unlink()
        else:
            (bench.folder if damage == "fw.bin" else bench.cache).joinpath(damage).write_bytes(b"")
        done = bench.call("update", "-p", "fw.bin", "-w")
    assert (done.status, fake.calls) == (1, []), done.stderr
    assert message in done.stderr


def test_service_of_an_older_init_and_of_the_environment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeService()
    with Wire(fake) as wire:
        bench.init(wire.url)
        cloud = bench.cache / "dev.cloud_cfg.yaml"
        cloud.write_text(f"api_key: {KEY}\nhost: {wire.url}\n")
        assert bench.call("update", "-p", "fw.bin", "-w").status == 0
        cloud.unlink()
        done = bench.call("update", "-p", "fw.bin", "-w")
        assert (done.status, "there is no access key" in done.stderr) == (1, True)
        monkeypatch.setenv("FOTABUILD_PUBLISH_SERVICE", wire.url)
        monkeypatch.setenv("FOTABUILD_ACCESS_KEY", KEY)
        assert bench.call("update", "-p", "fw.bin", "-w").status == 0
    assert fake.left() == {}


@pytest.mark.parametrize(
    "text",
    [
        "access_key: 5\nhost: http://127.0.0.1:1\n",
        "host: http://127.0.0.1:1\n",
        f"access_key: {KEY}\n",
        f"access_key: {KEY}\nhost: http://api.example.com\n",
        f"access_key: {KEY}\nhost: nothing\n",
        'access_key: "ak_1 Canary\\r\\nX: y"\nhost: http://127.0.0.1:1\n',
        f"- {KEY}\n",
    ],
)
def test_wrong_service_files_are_errors_that_do_not_show_the_key(text: str, bench: Bench) -> None:
    bench.init("http://127.0.0.1:1")
    (bench.cache / "dev.cloud_cfg.yaml").write_text(text)
    done = bench.call("update", "-p", "fw.bin")
    assert done.status == 1
    assert "dev.cloud_cfg.yaml" in done.stderr
    assert "anary" not in done.stdout + done.stderr


def test_options_reach_the_manifest(bench: Bench) -> None:
    fake = FakeService()
    (bench.folder / "data.bin").write_bytes(b"for the application")
    with Wire(fake) as wire:
        bench.init(wire.url)
        options = ("-v", "2.0.0", "-r", "7", "-m", "-d", "data.bin", "--component-name", "RADIO")
        assert bench.call("update", "-p", "fw.bin", *options).status == 0
        sent = sent_manifest(fake)
        assert sent is not None
        manifest = manifest_v3.decode_signed(sent).manifest
        assert (manifest.payload_version, manifest.update_priority) == ("2.0.0", 7)
        assert (manifest.component_name, manifest.vendor_data) == (
            "RADIO",
            b"for the application",
        )
        assert len(manifest.installed_signature) == 64
        done = bench.call("update-v1", "-p", "fw.bin", "-v", "5", "-r", "7", "-d", "data.bin")
        assert done.status == 0
        sent = sent_manifest(fake)
        assert sent is not None
        old = manifest_v1.decode_signed(sent).manifest
        assert (old.timestamp, old.priority, old.vendor_info) == (5, 7, b"for the application")


def test_no_short_url_is_an_error_that_leaves_nothing(bench: Bench) -> None:
    class WithoutShort(FakeService):
        def _image(self, name: str, data: bytes, encrypt: bool) -> dict[str, Any]:
            item = super()._image(name, data, encrypt)
            del item["short_datafile"]
            return item

    fake = WithoutShort()
    with Wire(fake) as wire:
        bench.init(wire.url)
        done = bench.call("update", "-p", "fw.bin", "-u", "-s")
    assert (done.status, fake.left()) == (1, {})
    assert "no short URL" in done.stderr


def test_devices_are_counted_before_a_start(bench: Bench) -> None:
    fake = FakeService(fleet=[])
    with Wire(fake) as wire:
        bench.init(wire.url)
        assert "no device matches" in bench.call("update", "-p", "fw.bin", *WAIT).stderr
        fake.fleet = [
            {"id": f"{number:032x}", "state": state}
            for number, state in enumerate(("registered", "deregistered"))
        ]
        done = bench.call("update", "-p", "fw.bin", *WAIT)
        assert "2 devices found by" in done.stdout
        assert "1 of them are not registered" in done.stderr


def test_sigterm_ends_it_as_it_should(bench: Bench) -> None:
    import os

    fake = FakeService(phases=[["active", "deploying"]])
    with Wire(fake) as wire:
        bench.init(wire.url)
        fired: list[bool] = []

        def end(_: int, done: bool) -> None:
            if done and not fired and fake.counts.get("cam_get", 0) > 1:
                fired.append(True)
                os.kill(os.getpid(), signal.SIGTERM)

        wire.on_request = end
        assert bench.call("update", "-p", "fw.bin", "-w").status == 143
    assert fake.left() == {}


def test_upload_does_not_touch_what_this_program_began(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fotabuild.cli.main import main

    fake = FakeService()
    with Wire(fake) as wire:
        bench.init(wire.url)
        assert bench.call("update", "-p", "fw.bin").status == 0
        monkeypatch.chdir(bench.folder)
        assert main(["upload", "--resume"]) == 1
        assert "there is no upload to go on with" in capsys.readouterr().err
        (path,) = runs(bench.journals)
        assert main(["upload", "--resume", path.stem]) == 1
        assert "another program began this run" in capsys.readouterr().err
        assert path.exists()
        monkeypatch.setenv("FOTABUILD_ACCESS_KEY", KEY)
        assert main(["--json", "cleanup", path.stem, "--service", wire.url]) == 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["runs"][0]["state"] == "removed"
    assert fake.left() == {}
