"""``fotabuild upload`` and ``cleanup`` as people call them, against a fake service."""

from __future__ import annotations

import base64
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fotabuild.digest import sha256
from fotabuild.errors import ExitStatus, FotabuildError
from fotabuild.formats.manifest_v3 import ManifestV3, decode_signed
from fotabuild.publish.access_key import read_access_key

from ..cli.sample import NEW, OLD
from .conftest import Forked, Zygote
from .fake_service import KEY, Call, FakeService, Reply
from .wire import Wire

UPLOAD = ("upload", "app.elf", "-v", "1.1.0", "-o", "out")
CALM = [["active", "publishing"]]
Run = Callable[..., Forked]


@pytest.fixture
def run(zygote: Zygote, project: Path) -> Run:
    def start(*argv: str, **env: str) -> Forked:
        return zygote.start(project, *argv, env=env)

    return start


def done(client: Forked, status: int) -> Forked:
    assert client.wait() == status, client.stderr
    assert "Traceback" not in client.stderr
    return client


def sent_manifests(fake: FakeService) -> list[ManifestV3]:
    """What was uploaded; the objects themselves are gone by now."""
    found = []
    for call in fake.calls:
        if str(call) == "POST /v3/firmware-manifests":
            data = call.body.partition(b'filename="manifest.der"\r\n\r\n')[2]
            found.append(decode_signed(data.rpartition(b"\r\n--")[0]).manifest)
    return found


def filters(fake: FakeService) -> list[str]:
    return [
        json.loads(call.body)["device_filter"]
        for call in fake.calls
        if str(call) == "POST /v3/update-campaigns"
    ]


def device(number: int, checksum: bytes | None, state: str = "registered") -> dict[str, Any]:
    text = None if checksum is None else checksum.hex()
    return {"id": f"{number:032x}", "state": state, "firmware_checksum": text}


def test_a_delta_for_those_it_fits_and_the_image_for_the_others(
    run: Run, fake: FakeService, project: Path
) -> None:
    fake.fleet = [
        device(1, sha256(OLD)),
        device(2, b"\7" * 32),
        device(3, sha256(NEW)),
        device(4, None, "deregistered"),
    ]
    client = done(run(*UPLOAD), ExitStatus.OK)
    assert "4 devices found, 1 up to date" in client.stderr
    assert "1 device not registered now" in client.stderr
    delta, full = sent_manifests(fake)
    assert delta.precursor_digest == sha256(OLD)
    assert full.payload_digest == sha256(NEW)
    assert delta.image_digest == sha256(NEW)
    assert delta.payload_uri.startswith("http://firmware.example.com/")
    one, two = filters(fake)
    assert one.endswith(f"&firmware_checksum__eq={sha256(OLD).hex()}")
    assert two.endswith(f"&id__in={2:032x},{4:032x}")
    assert "campaign from-1.0.0: success: every device has the update" in client.stdout
    assert "campaign full: success" in client.stdout
    assert fake.left() == {}
    assert list((project / "journals").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ((), ["full"]),
        (("--full",), ["full"]),
        (("--delta-from", "1.0.0"), ["from-1.0.0"]),
        (("--package",), ["package"]),
        (("--no-preflight",), ["full"]),
        (("--no-preflight", "--delta-from", "1.0.0"), ["from-1.0.0"]),
    ],
)
def test_what_is_sent_where_devices_cannot_be_listed(
    options: tuple[str, ...], keys: list[str], run: Run, fake: FakeService
) -> None:
    """A delta still goes to the devices that it fits, and to no others."""
    client = done(run(*UPLOAD, *options), ExitStatus.OK)
    assert [line.split()[1].rstrip(":") for line in client.stdout.splitlines()[::2]] == keys
    delta = keys[0].startswith("from-")
    assert [f"firmware_checksum__eq={sha256(OLD).hex()}" in f for f in filters(fake)] == [delta]


@pytest.mark.parametrize(
    ("stats", "phases", "status", "words"),
    [
        ({"success": 1}, None, ExitStatus.OK, "every device has the update"),
        ({"skipped": 2}, None, ExitStatus.OK, "every device was skipped, none was updated"),
        ({"success": 1, "fail": 1}, None, ExitStatus.CAMPAIGN, "devices failed"),
        ({"success": 0}, None, ExitStatus.NO_DEVICE, "no device matched"),
        ({}, [["draft", "draft", "No devices"]], ExitStatus.NO_DEVICE, "No devices"),
        ({"info": 1}, CALM, ExitStatus.TIMED_OUT, "not over in time"),
        (
            {"fail": 0},
            [["stopped", "quotaallocationfailed", "quota is used up"]],
            ExitStatus.CAMPAIGN,
            "quota is used up",
        ),
    ],
)
def test_exit_statuses(
    stats: dict[str, int],
    phases: list[list[str]] | None,
    status: ExitStatus,
    words: str,
    run: Run,
    fake: FakeService,
) -> None:
    fake.stats, fake.phases = stats, phases or fake.phases
    fake.events = {"fail": [["UPD4_FAIL_221", "too old", 1]]}
    # In the seconds of a clock that goes a thousand times as fast.
    client = done(run(*UPLOAD, "--timeout", "60" if phases is CALM else "100000"), status)
    assert words in client.stdout
    assert ("error: " in client.stderr) == (status != ExitStatus.OK)
    if stats.get("fail"):
        assert "fail UPD4_FAIL_221 x 1: too old; the version is not newer" in client.stdout
    assert fake.left() == {}


def test_everyone_is_up_to_date(run: Run, fake: FakeService) -> None:
    fake.fleet = [device(1, sha256(NEW))]
    client = done(run(*UPLOAD), ExitStatus.OK)
    assert "every device runs this version already" in client.stdout
    assert {call.method for call in fake.calls} == {"GET"}


def test_no_device_matches(run: Run, fake: FakeService) -> None:
    fake.fleet = []
    client = done(run(*UPLOAD), ExitStatus.NO_DEVICE)
    assert "no device matches device_class__eq=" in client.stderr
    assert {call.method for call in fake.calls} == {"GET"}


def test_no_device_runs_the_precursor(run: Run, fake: FakeService) -> None:
    fake.fleet = [device(1, b"\7" * 32)]
    client = done(run(*UPLOAD, "--delta-from", "1.0.0"), ExitStatus.NO_DEVICE)
    assert "send the full image" in client.stderr


def test_json_lines(run: Run, fake: FakeService) -> None:
    client = done(run("--json", *UPLOAD), ExitStatus.OK)
    lines = [json.loads(line) for line in client.stdout.splitlines()]
    assert {line["schema_version"] for line in lines} == {1}
    events = [line["event"] for line in lines]
    assert events[-1] == "result"
    assert set(events) == {"note", "sending", "made", "started", "progress", "deleted", "result"}
    (campaign,) = lines[-1]["campaigns"]
    assert (campaign["outcome"], campaign["exit_status"]) == ("success", 0)
    fake.fleet = []
    client = done(run("--json", *UPLOAD), ExitStatus.NO_DEVICE)
    assert json.loads(client.stdout.splitlines()[-1])["error"]["code"] == "FB0909"


def test_quiet_says_nothing_but_the_result(run: Run) -> None:
    client = done(run("--quiet", *UPLOAD), ExitStatus.OK)
    assert client.stderr == ""
    assert "success" in client.stdout


def test_a_pipe_gets_few_plain_lines(run: Run) -> None:
    client = done(run(*UPLOAD), ExitStatus.OK)
    assert "\x1b" not in client.stderr + client.stdout
    assert "\r" not in client.stderr
    assert len(client.stderr.splitlines()) < 30


def test_dry_run_asks_and_changes_nothing(run: Run, fake: FakeService, project: Path) -> None:
    fake.fleet = [device(1, sha256(OLD))]
    client = done(run(*UPLOAD, "--dry-run"), ExitStatus.OK)
    assert "would send from-1.0.0 to device_class__eq=" in client.stderr
    assert {call.method for call in fake.calls} == {"GET"}
    assert not (project / "out").exists()
    assert not (project / "journals").exists()


def test_encryption_by_the_service(run: Run, fake: FakeService, project: Path) -> None:
    client = done(run(*UPLOAD, "--encrypt", "--set", "device.features=encrypted"), ExitStatus.OK)
    assert "full: success" in client.stdout
    (manifest,) = sent_manifests(fake)
    assert manifest.payload_format.value == "encrypted-raw"
    assert manifest.payload_size == len(NEW) + 8 * -(-len(NEW) // 1016)
    assert manifest.installed_digest == sha256(NEW)


def test_an_encrypted_delta_is_refused_before_anything_is_sent(run: Run, fake: FakeService) -> None:
    client = done(run(*UPLOAD, "--encrypt", "--delta-from", "1.0.0"), ExitStatus.USAGE)
    assert "delta that is encrypted" in client.stderr
    assert {call.method for call in fake.calls} <= {"GET"}


def test_short_urls(run: Run, fake: FakeService) -> None:
    done(run(*UPLOAD, "--short-url"), ExitStatus.OK)
    assert sent_manifests(fake)[0].payload_uri == "/fw/1"


def test_left_in_draft_and_removed_by_name_only(run: Run, fake: FakeService, project: Path) -> None:
    client = done(run(*UPLOAD, "--no-start"), ExitStatus.OK)
    assert "full: draft: left in draft" in client.stdout
    assert not any(call.path.endswith("/start") for call in fake.calls)
    assert fake.left() == {"images": 1, "manifests": 1, "campaigns": 1}
    assert "kept" in done(run("cleanup"), ExitStatus.OK).stdout
    assert len(fake.left()) == 3
    (journal,) = (project / "journals").iterdir()
    assert "removed" in done(run("cleanup", journal.stem), ExitStatus.OK).stdout
    assert fake.left() == {}


def test_started_and_left(run: Run, fake: FakeService) -> None:
    fake.phases = [["active", "publishing"]] * 3 + [["stopped", "autostopped"]]
    done(run(*UPLOAD, "--no-wait"), ExitStatus.OK)
    assert len(fake.left()) == 3
    for expected in ("kept", "kept", "kept", "removed"):
        assert expected in done(run("cleanup"), ExitStatus.OK).stdout
    assert fake.left() == {}


def test_a_resumed_run_wants_the_same_payload(
    run: Run, fake: FakeService, wire: Wire, project: Path
) -> None:
    client = killed_at(run, wire, "POST /v3/firmware-manifests")
    assert "images" in fake.left()
    (project / "app.elf").write_bytes((project / "app.bin").read_bytes() + b"changed")
    client = done(run("upload", "--resume"), ExitStatus.FAILED)
    assert "the payloads are not those that this run began with" in client.stderr
    done(run("cleanup"), ExitStatus.OK)
    assert fake.left() == {}


def killed_at(run: Run, wire: Wire, request: str, number: int = signal.SIGKILL) -> Forked:
    client: list[Forked] = []

    def kill(_: int, finished: bool) -> None:
        if not finished and client and str(wire.service.calls[-1]) == request:
            client.pop().kill(number)

    wire.on_request = kill
    started = run(*UPLOAD)
    client.append(started)
    assert started.wait() == -number
    wire.on_request = None
    return started


def test_cleanup_leaves_a_campaign_that_runs(run: Run, fake: FakeService, wire: Wire) -> None:
    fake.phases = [["active", "publishing"]]
    killed_at(run, wire, "GET /v3/update-campaigns/ID")
    client = done(run("cleanup"), ExitStatus.SERVICE)
    assert "left on the service: campaign" in client.stderr
    assert "it is active" in client.stderr
    assert len(fake.left()) == 3
    assert "unfinished, 3 objects" in done(run("cleanup", "--list"), ExitStatus.OK).stdout
    done(run("cleanup", "--stop"), ExitStatus.OK)
    assert fake.left() == {}


def test_cleanup_sends_the_key_to_its_own_service_only(
    run: Run, fake: FakeService, wire: Wire
) -> None:
    killed_at(run, wire, "POST /v3/firmware-manifests")
    with Wire(FakeService()) as other:
        client = done(run("cleanup", FOTABUILD_PUBLISH_SERVICE=other.url), ExitStatus.OK)
        assert f"of {wire.url}: give --service" in client.stdout
        assert other.count == 0
    done(run("cleanup"), ExitStatus.OK)
    assert fake.left() == {}


def test_a_run_that_goes_on_is_left_alone(run: Run, fake: FakeService, zygote: Zygote) -> None:
    """Its journal is locked; a second process does not touch what it makes."""
    fake.phases = [["active", "publishing"]]
    second = Zygote()
    try:
        client = run(*UPLOAD)
        wait_for(lambda: bool(fake.objects["campaigns"]))
        other = done(second.start(client.folder, "cleanup", "--stop"), ExitStatus.OK)
        assert "another process works on this run" in other.stderr
        assert len(fake.left()) == 3
    finally:
        client.kill(signal.SIGTERM)
        assert client.wait() == ExitStatus.TERMINATED
        second.close()
    assert fake.left() == {}


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, ExitStatus.INTERRUPTED), (signal.SIGTERM, ExitStatus.TERMINATED)],
)
def test_a_signal_stops_and_cleans_up(
    number: int, status: ExitStatus, run: Run, fake: FakeService, project: Path
) -> None:
    fake.phases = [["active", "publishing"]]
    client = run(*UPLOAD)
    wait_for(lambda: fake.counts.get("cam_get", 0) >= 3)
    client.kill(number)
    done(client, status)
    assert "stopping and cleaning up" in client.stderr
    assert fake.left() == {}
    assert list((project / "journals").iterdir()) == []


def test_a_signal_with_no_cleanup_leaves_the_campaign_running(run: Run, fake: FakeService) -> None:
    fake.phases = [["active", "publishing"]]
    client = run(*UPLOAD, "--no-cleanup")
    wait_for(lambda: fake.counts.get("cam_get", 0) >= 3)
    client.kill(signal.SIGINT)
    done(client, ExitStatus.INTERRUPTED)
    assert len(fake.left()) == 3
    assert "cam_stop" not in fake.counts
    (campaign,) = fake.objects["campaigns"]
    assert campaign in client.stderr


def test_a_second_signal_leaves_at_once_and_cleanup_finishes(
    run: Run, fake: FakeService, wire: Wire
) -> None:
    fake.phases = [["active", "publishing"]]
    client: list[Forked] = []

    def again(_: int, finished: bool) -> None:
        if not finished and str(fake.calls[-1]).endswith("/stop"):
            client[0].kill(signal.SIGINT)

    wire.on_request = again
    client.append(run(*UPLOAD))
    wait_for(lambda: fake.counts.get("cam_get", 0) >= 3)
    client[0].kill(signal.SIGINT)
    done(client[0], ExitStatus.INTERRUPTED)
    wire.on_request = None
    assert len(fake.left()) == 3
    assert "fotabuild cleanup" in client[0].stderr
    done(run("cleanup", "--stop"), ExitStatus.OK)
    assert fake.left() == {}


@pytest.mark.parametrize(
    ("env", "code", "words"),
    [
        ({"FOTABUILD_ACCESS_KEY": ""}, "FB0905", "there is no access key in env:FOTABUILD_"),
        (
            {"FOTABUILD_PUBLISH_ACCESS_KEY": "env:MY_KEY"},
            "FB0905",
            "; set MY_KEY to the key where ",
        ),
        ({"FOTABUILD_PUBLISH_ACCESS_KEY": "file:my.key"}, "FB0300", "publish.access-key says that"),
        ({"FOTABUILD_ACCESS_KEY": "ak_wrong_key"}, "FB0904", "does not accept the access key"),
        ({"FOTABUILD_PUBLISH_SERVICE": "http://acme.com"}, "FB0906", "use https"),
        ({"FOTABUILD_PUBLISH_SERVICE": "http://127.0.0.1:1"}, "FB0902", "connection refused"),
    ],
)
def test_nothing_is_built_or_copied_instead(
    env: dict[str, str], code: str, words: str, run: Run, project: Path
) -> None:
    """A destination that does not work is an error, never another destination."""
    client = run(*UPLOAD, **env)
    status = ExitStatus.SERVICE if code in ("FB0904", "FB0902") else ExitStatus.FAILED
    done(client, status)
    assert words in client.stderr
    assert client.stderr.rstrip().endswith(f"[{code}]")
    assert not (project / "out").exists()


@pytest.mark.parametrize(
    ("source", "code", "remedies"),
    [
        (None, "FB0905", ("set FOTABUILD_ACCESS_KEY to the key", "from this job's secrets")),
        ("env:MY_KEY", "FB0905", ("set MY_KEY to the key", "with publish.access-key: env:")),
        (
            "file:{empty}",
            "FB0905",
            ("write the key into {empty}", "the key of 'fotabuild serve' is in"),
        ),
        ("file:{empty}.not", "FB0300", ("publish.access-key says that it is there",)),
        ("file:{image}", "FB0905", ("copy it once more",)),
        ("fd:987", "FB0905", ("987<FILE",)),
    ],
)
def test_who_has_no_key_is_told_what_to_do(
    source: str | None, code: str, remedies: tuple[str, ...], tmp_path: Path
) -> None:
    names = {"empty": tmp_path / "empty", "image": tmp_path / "image"}
    names["empty"].write_bytes(b"\n")
    names["image"].write_bytes(OLD[:99])
    with pytest.raises(FotabuildError) as caught:
        read_access_key(source and source.format(**names), {})
    assert caught.value.code == code
    for remedy in remedies:
        assert remedy.format(**names) in str(caught.value)


def test_a_service_gives_the_url_and_others_say_how_to_set_it(run: Run, project: Path) -> None:
    config = project / "fotabuild.yaml"
    text = config.read_text(encoding="utf-8").replace(
        "payload:\n  url: https://acme.com/{file}\n", ""
    )
    config.write_text(text, encoding="utf-8")
    done(run(*UPLOAD), ExitStatus.OK)
    client = done(run(*UPLOAD, "--to", "shelf"), ExitStatus.FAILED)
    assert "fotabuild.yaml: payload.url: this setting is needed and missing" in client.stderr
    assert "such as 'url: https://HOST/{file}' below 'payload:'" in client.stderr


class Echo(FakeService):
    """Repeats the access key wherever it can."""

    def handle(self, call: Call) -> Reply | dict[str, Any]:
        reply = super().handle(call)
        key = call.headers.get("authorization", "")
        if isinstance(reply, Reply) and isinstance(reply.body, dict):
            reply.body = {**reply.body, "message": key, "autostop_reason": key}
            reply.headers = {"X-Key": key, "Location": key}
        return reply


@pytest.mark.parametrize("options", [(), ("--debug",), ("--json",)])
@pytest.mark.parametrize("trouble", ["", "cam_create#1", "img_create#1", "me#1", "cam_stats#*"])
def test_the_access_key_is_nowhere(
    options: tuple[str, ...], trouble: str, zygote: Zygote, tmp_path: Path, figure: Any
) -> None:
    from .conftest import make_project

    fake = Echo(events={"fail": [["X", KEY, 1]]}, stats={"fail": 1})
    if trouble:
        fake.inject = {trouble: {"status": 400, "message": KEY}}
    with Wire(fake) as wire:
        project = make_project(tmp_path / "project", wire.url)
        client = zygote.start(project, *options, *UPLOAD, "--no-cleanup")
        assert client.wait() != 0
        if trouble == "":
            assert any((project / "journals").iterdir())
    assert any(KEY in call.headers["authorization"] for call in fake.calls)
    kinds = (KEY.encode(), base64.b64encode(KEY.encode()), KEY.encode().hex().encode())
    files = [path for path in project.rglob("*") if path.is_file()]
    for path in files:
        for kind in kinds:
            assert kind not in path.read_bytes(), path
    assert {"stdout.txt", "stderr.txt"} <= {path.name for path in files}
    for call in fake.calls:
        assert KEY not in call.target
        assert KEY.encode() not in call.body
