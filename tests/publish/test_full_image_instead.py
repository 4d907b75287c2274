"""A delta that is not worth it: the devices of its release get the full image, as in every build.

One release has a delta under the threshold, one over it, and one has no patch decoder.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fotabuild.digest import sha256
from fotabuild.errors import ExitStatus
from fotabuild.formats.patch_stream import MAGIC

from ..cli import sample
from ..cli.sample import NEW, OLD
from .conftest import Forked, Zygote, make_project
from .fake_service import FakeService
from .test_killed import Killer
from .test_upload_command import device, done, filters, killed_at, sent_manifests
from .wire import Wire

UPLOAD = ("upload", "app.elf", "-v", "1.1.0", "-o", "out")
STRANGE, DEAF = bytes(range(256)) * 40 + MAGIC, b"no decoder" * 999
RELEASES = "- {version: 0.9.0, image: strange.bin}\n- {version: 0.8.0, image: deaf.bin}\n"
FLEET = [
    device(1, sha256(OLD)),
    device(2, sha256(STRANGE)),
    device(3, sha256(DEAF)),
    device(4, sha256(NEW)),
]
OVER = "no delta app-0.9.0-to-1.1.0.patch, the full image is sent: "
DEAFNESS = "no delta app-0.8.0-to-1.1.0.patch, the full image is sent: "
Run = Callable[..., Forked]


def add_releases(folder: Path) -> None:
    """Add the two other releases to the sample project."""
    (folder / "strange.bin").write_bytes(STRANGE)
    (folder / "deaf.bin").write_bytes(DEAF)
    config = folder / "fotabuild.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(sample.LISTED, sample.LISTED + RELEASES), encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path, wire: Wire, fake: FakeService) -> Path:
    folder = make_project(tmp_path / "project", wire.url)
    add_releases(folder)
    fake.fleet = list(FLEET)
    return folder


@pytest.fixture
def run(zygote: Zygote, project: Path) -> Run:
    def start(*argv: str, **env: str) -> Forked:
        return zygote.start(project, *argv, env=env)

    return start


def result(client: Forked) -> dict[str, Any]:
    last: dict[str, Any] = json.loads(client.stdout.splitlines()[-1])
    assert last["event"] == "result"
    return last


@pytest.mark.parametrize("built", [False, True])
def test_one_under_and_one_over_the_threshold(
    built: bool, run: Run, fake: FakeService, project: Path
) -> None:
    if built:
        done(run("build", *UPLOAD[1:]), ExitStatus.OK)
        assert not (project / "out" / "app-0.9.0-to-1.1.0.patch").exists()
    client = done(run("--json", *UPLOAD, *(["--built"] if built else [])), ExitStatus.OK)
    delta, full = sent_manifests(fake)
    assert delta.precursor_digest == sha256(OLD)
    assert full.payload_digest == sha256(NEW)
    # The devices of both other releases, and no others.
    one, two = filters(fake)
    assert one.endswith(f"&firmware_checksum__eq={sha256(OLD).hex()}")
    assert two.endswith(f"&id__in={2:032x},{3:032x}")
    assert "4 devices found, 1 up to date\nfrom-0.8.0: 1 device\n" in client.stderr
    assert "from-1.0.0: 1 device\nfull: 2 devices\n" in client.stderr
    last = result(client)
    assert [one["key"] for one in last["campaigns"]] == ["from-1.0.0", "full"]
    notes = sorted(note for note in last["notes"] if note.startswith("no delta "))
    assert [note.startswith(text) for note, text in zip(notes, (DEAFNESS, OVER), strict=True)]
    assert ("no patch decoder" in notes[0], "60 % is the threshold" in notes[1]) == (
        (False, False) if built else (True, True)
    )
    for note in notes:
        assert client.stderr.count(f"note: {note}\n") == 1
    assert fake.left() == {}


def test_all_over_the_threshold_is_one_campaign_for_all(run: Run, fake: FakeService) -> None:
    """Nobody has the new image, so that its campaign needs no names."""
    fake.fleet = FLEET[:3]
    client = done(run(*UPLOAD, "--set", "delta.threshold=1"), ExitStatus.OK)
    [only] = filters(fake)
    assert "firmware_checksum" not in only
    assert "&id__" not in only
    assert "full: 3 devices" in client.stderr
    assert "from-" not in client.stdout


def test_a_large_fleet_is_told_apart_by_what_it_runs(run: Run, fake: FakeService) -> None:
    """The release without a delta counts as one without: its image is excluded nowhere."""
    fake.fleet = [device(n, sha256(STRANGE if n % 2 else OLD)) for n in range(1, 151)]
    done(run(*UPLOAD), ExitStatus.OK)
    one, two = filters(fake)
    assert one.endswith(f"&firmware_checksum__eq={sha256(OLD).hex()}")
    others = sorted((sha256(OLD).hex(), sha256(NEW).hex()))
    assert two.endswith(f"&firmware_checksum__nin={','.join(others)}")


def test_only_deltas_that_a_device_needs_are_tried(run: Run, fake: FakeService) -> None:
    fake.fleet = FLEET[:1]
    client = done(run("--json", *UPLOAD), ExitStatus.OK)
    assert "no delta" not in client.stderr
    assert not [note for note in result(client)["notes"] if note.startswith("no delta ")]


@pytest.mark.parametrize("made_before", [False, True])
def test_a_rehearsal_says_what_would_be_sent(
    made_before: bool, run: Run, fake: FakeService, project: Path
) -> None:
    if made_before:
        done(run(*UPLOAD), ExitStatus.OK)
    real, fake.calls[:] = filters(fake), []
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*")}
    client = done(run("--json", *UPLOAD, "--dry-run"), ExitStatus.OK)
    last = result(client)
    assert [one["key"] for one in last["campaigns"]] == ["from-1.0.0", "full"]
    wanted = [one["device_filter"] for one in last["campaigns"]]
    assert any(note.startswith(f"{OVER}the patch has ") for note in last["notes"])
    assert {call.method for call in fake.calls} == {"GET"}
    after = {path: path.stat().st_mtime_ns for path in project.rglob("*") if path.suffix != ".txt"}
    assert {path for path in after if after[path] != before.get(path)} <= {project}
    if not made_before:
        done(run(*UPLOAD), ExitStatus.OK)
        real = filters(fake)
    assert wanted == real


def test_a_rehearsal_with_what_was_built(run: Run, project: Path) -> None:
    done(run("build", *UPLOAD[1:]), ExitStatus.OK)
    client = done(run("--json", *UPLOAD, "--dry-run", "--built"), ExitStatus.OK)
    assert [one["key"] for one in result(client)["campaigns"]] == ["from-1.0.0", "full"]


def test_who_asks_for_one_delta_gets_no_full_image(run: Run, fake: FakeService) -> None:
    client = done(run(*UPLOAD, "--delta-from", "0.9.0"), ExitStatus.FAILED)
    assert client.stderr.rstrip().endswith("[FB0502]")
    assert {call.method for call in fake.calls} == {"GET"}


def test_a_delta_that_is_not_worth_it_any_more_is_removed(run: Run, project: Path) -> None:
    """As by a build: what an earlier threshold let through lies about no longer."""
    patch = project / "out" / "app-0.9.0-to-1.1.0.patch"
    done(run("build", *UPLOAD[1:], "--set", "delta.threshold=1000"), ExitStatus.OK)
    assert patch.exists()
    done(run(*UPLOAD), ExitStatus.OK)
    assert not patch.exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [("", "delta: {threshold: 1}\n"), (sample.LISTED, "releases:\n")],
    ids=["threshold", "no release"],
)
def test_a_resumed_run_does_not_change_its_mind(
    before: str, after: str, run: Run, fake: FakeService, wire: Wire, project: Path
) -> None:
    """A delta of the first call that the configuration forbids by now is no full image."""
    killed_at(run, wire, "POST /v3/update-campaigns")
    config = project / "fotabuild.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(before, after) if before else text + after, encoding="utf-8")
    client = done(run("upload", "--resume"), ExitStatus.FAILED)
    assert "the payloads are not those that this run began with" in client.stderr
    done(run("cleanup", "--stop"), ExitStatus.OK)
    assert fake.left() == {}


def test_killed_after_each_change_on_the_service(
    project: Path, fake: FakeService, zygote: Zygote, figure: Callable[[str], None]
) -> None:
    """``--resume`` sends the same to the same devices; the delta left out is not tried again."""
    done(zygote.start(project, *UPLOAD), ExitStatus.OK)
    numbers = [number for number, call in enumerate(fake.calls) if call.method != "GET"]
    expected, wrong, killed = filters(fake), [], 0
    for number in numbers:
        service = FakeService(fleet=list(FLEET))
        killer = Killer(number, done=True)
        with Wire(service, on_request=killer) as wire:
            env = {"FOTABUILD_PUBLISH_SERVICE": wire.url}
            client = killer.client = zygote.start(project, *UPLOAD, env=env)
            killed += client.wait() == -signal.SIGKILL
            client = zygote.start(project, "upload", "--resume", env=env)
            status = client.wait()
            if (status, "full: success" in client.stdout) != (0, True):
                wrong.append(f"{number}: status {status}: {client.stdout}{client.stderr}")
            if filters(service) != expected or "0.9.0" in client.stdout + client.stderr:
                wrong.append(f"{number}: {filters(service)}: {client.stderr}")
        if service.left() or any((project / "journals").glob("*.jsonl")):
            wrong.append(f"{number}: {service.left()}")
    figure(
        f"killed and resumed, with one delta over the threshold: {killed} of {len(numbers)} "
        f"killed, wrong {len(wrong)} of {len(numbers)}"
    )
    assert wrong == []
    assert killed == len(numbers) >= 14
