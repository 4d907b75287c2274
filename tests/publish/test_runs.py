"""Runs of several projects and services in one folder: which is resumed, which is removed."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.errors import ExitStatus
from fotabuild.publish.journal import begin, reopen

from .conftest import Forked, Zygote, make_project
from .fake_service import FakeService
from .wire import Wire

UPLOAD = ("upload", "app.elf", "-v", "1.1.0", "-o", "out")
ACTIVE = ["active", "publishing"]


def finished(client: Forked, status: int) -> Forked:
    assert client.wait() == status, client.stderr
    assert "Traceback" not in client.stderr
    return client


def killed(zygote: Zygote, wire: Wire, folder: Path, *argv: str, **env: str) -> Path:
    """Kill an upload when its campaign runs; return its journal."""
    before = set((folder / "journals").glob("*"))
    client: list[Forked] = []

    def kill(_: int, done: bool) -> None:
        if done and client and wire.service.calls[-1].path.endswith("/start"):
            client.pop().kill()

    wire.on_request = kill
    started = zygote.start(folder, *UPLOAD, *argv, env=env)
    client.append(started)
    assert started.wait() == -signal.SIGKILL, started.stderr
    wire.on_request = None
    (path,) = set((folder / "journals").glob("*")) - before
    return path


def test_cleanup_tells_a_damaged_journal_from_one_in_use(
    zygote: Zygote, wire: Wire, project: Path
) -> None:
    folder = project / "journals"
    busy = begin(folder, wire.url, {})
    damaged = folder / "20200101T000000Z-aaaaaa.jsonl"
    damaged.write_text('{"event": "run", "format": 1}\n{"half\n')
    for options in ((), ("--list",)):
        client = finished(zygote.start(project, "--json", "cleanup", *options), ExitStatus.FAILED)
        runs = {one["run"]: one["state"] for one in json.loads(client.stdout)["runs"]}
        assert runs == {damaged.stem: "damaged", busy.run: "in-use"}
        assert "another process works on this run" in client.stderr
        assert f"{damaged}:2: this line is not of a journal" in client.stderr
        assert "error: the journal of 20200101T000000Z-aaaaaa cannot be read" in client.stderr
    damaged.unlink()
    finished(zygote.start(project, "cleanup"), ExitStatus.OK)
    busy.close()


def test_resuming_sends_the_key_to_the_configured_service_only(
    zygote: Zygote, wire: Wire, fake: FakeService, project: Path
) -> None:
    path = killed(zygote, wire, project)
    count = wire.count
    with Wire(FakeService()) as other:
        elsewhere = {"FOTABUILD_PUBLISH_SERVICE": other.url}
        client = finished(
            zygote.start(project, "upload", "--resume", path.stem, env=elsewhere), ExitStatus.USAGE
        )
        assert f"{path.stem} is of {wire.url}, and the access key is for {other.url}" in (
            client.stderr
        )
        assert f"--to {wire.url}" in client.stderr
        finished(zygote.start(project, "upload", "--resume", "--to", other.url), ExitStatus.USAGE)
        assert (wire.count, other.count) == (count, 0)
        client = zygote.start(project, "upload", "--resume", "--to", wire.url, env=elsewhere)
        finished(client, ExitStatus.OK)
        assert other.count == 0
    assert fake.left() == {}


def test_resuming_what_went_to_another_place_names_it_again(
    zygote: Zygote, fake: FakeService, project: Path
) -> None:
    """``--to`` counts for one call: the key of the environment may be another one by now."""
    with Wire(FakeService()) as other:
        path = killed(zygote, other, project, "--to", other.url)
        client = zygote.start(project, "upload", "--resume")
        assert f"--to {other.url}" in finished(client, ExitStatus.USAGE).stderr
        assert fake.calls == []
        client = zygote.start(project, "upload", "--resume", path.stem, "--to", other.url)
        finished(client, ExitStatus.OK)
        assert other.service.left() == {}


@pytest.fixture
def two(tmp_path: Path, wire: Wire) -> tuple[Path, Path]:
    """Two projects with one folder of journals."""
    first, second = (make_project(tmp_path / name, wire.url) for name in ("first", "second"))
    (first / "journals").mkdir()
    (second / "journals").symlink_to(first / "journals")
    return first, second


def test_resuming_takes_a_run_of_this_project(
    zygote: Zygote, wire: Wire, fake: FakeService, two: tuple[Path, Path]
) -> None:
    first, second = two
    mine = killed(zygote, wire, first)
    _next_second()
    theirs = killed(zygote, wire, second)
    assert theirs.name > mine.name
    (first / "deep").mkdir()
    client = finished(zygote.start(first / "deep", "upload", "--resume"), ExitStatus.OK)
    assert f"going on with {mine.stem}" in client.stderr
    assert (mine.exists(), theirs.exists()) == (False, True)
    client = finished(zygote.start(first, "upload", "--resume"), ExitStatus.FAILED)
    assert "there is no upload to go on with" in client.stderr
    # By its name it goes on from everywhere.
    finished(zygote.start(first, "upload", "--resume", theirs.stem), ExitStatus.OK)
    assert fake.left() == {}


def test_resuming_passes_by_what_is_in_use_damaged_or_kept(
    zygote: Zygote, wire: Wire, fake: FakeService, project: Path
) -> None:
    mine = killed(zygote, wire, project)
    _next_second()
    finished(zygote.start(project, *UPLOAD, "--no-start"), ExitStatus.OK)
    (kept,) = set((project / "journals").glob("*")) - {mine}
    _next_second()
    busy = begin(project / "journals", wire.url, dict(reopen(kept).header["details"]))
    (project / "journals" / "99990101T000000Z-aaaaaa.jsonl").write_text("{}\n")
    client = finished(zygote.start(project, "upload", "--resume"), ExitStatus.OK)
    assert f"going on with {mine.stem}" in client.stderr
    assert kept.exists()
    # Nothing else is left, and why is told.
    client = finished(zygote.start(project, "upload", "--resume"), ExitStatus.FAILED)
    assert "another process works on this run" in client.stderr
    busy.remove()


def _next_second() -> None:
    """Wait until runs that begin now have later names."""
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.05)


def test_cleanup_says_how_a_run_is_stopped_that_was_left_on_purpose(
    zygote: Zygote, wire: Wire, fake: FakeService, project: Path
) -> None:
    fake.phases = [ACTIVE]
    finished(zygote.start(project, *UPLOAD, "--no-wait"), ExitStatus.OK)
    (kept,) = (project / "journals").glob("*")
    for options in ((), ("--stop",)):
        client = finished(zygote.start(project, "cleanup", *options), ExitStatus.OK)
        assert client.stdout == f"{kept.stem}: kept\n"
        assert (
            f"{kept.stem} was left on purpose: 'fotabuild cleanup {kept.stem} --service {wire.url} "
            "--stop' ends it"
        ) in client.stderr
        assert len(fake.left()) == 3
    finished(zygote.start(project, "cleanup", kept.stem, "--stop"), ExitStatus.OK)
    assert fake.left() == {}


@pytest.mark.parametrize("seconds", ["abc", "-1", "1e99", "nan", "inf", ""])
def test_a_timeout_that_is_none(seconds: str, zygote: Zygote, project: Path) -> None:
    client = zygote.start(project, *UPLOAD, f"--timeout={seconds}")
    finished(client, ExitStatus.USAGE)
    assert f"{seconds!r} is no number of seconds" in client.stderr


def test_the_last_line_of_json_is_the_result(
    zygote: Zygote, fake: FakeService, project: Path
) -> None:
    """Also of a dry run and of Ctrl-C, as the description of the command says."""

    def last(client: Forked) -> dict[str, object]:
        found = json.loads(client.stdout.splitlines()[-1])
        assert isinstance(found, dict)
        return found

    fake.fleet = [{"id": "a" * 32, "state": "registered", "firmware_checksum": "5" * 64}]
    client = finished(zygote.start(project, "--json", *UPLOAD, "--dry-run"), ExitStatus.OK)
    result = last(client)
    assert (result["event"], result["dry-run"]) == ("result", True)
    assert [one["key"] for one in result["campaigns"]] == ["full"]  # type: ignore[attr-defined]
    fake.phases = [ACTIVE]
    client = zygote.start(project, "--json", *UPLOAD)
    _wait_for(lambda: fake.counts.get("cam_get", 0) >= 3)
    client.kill(signal.SIGINT)
    result = last(finished(client, ExitStatus.INTERRUPTED))
    assert (result["event"], result["error"]) == ("result", {
        "code": "interrupted", "message": "interrupted"})  # fmt: skip
    client = finished(zygote.start(project, "--json", *UPLOAD, env={"FOTABUILD_ACCESS_KEY": ""}), 1)
    assert last(client)["event"] == "result"


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_failure_without_reports_does_not_point_at_any(
    zygote: Zygote, fake: FakeService, project: Path
) -> None:
    fake.phases = [["stopped", "quotaallocationfailed", "quota is used up"]]
    fake.stats = {"fail": 0}
    client = finished(zygote.start(project, *UPLOAD), ExitStatus.CAMPAIGN)
    assert "stands above" not in client.stderr
    fake.phases, fake.stats = [["stopped", "autostopped"]], {"fail": 1}
    fake.events = {"fail": [["UPD4_FAIL_221", "too old", 1]]}
    client = finished(zygote.start(project, *UPLOAD), ExitStatus.CAMPAIGN)
    assert "what devices reported stands above" in client.stderr


def test_a_text_of_the_service_makes_no_lines_of_its_own(
    zygote: Zygote, fake: FakeService, project: Path
) -> None:
    for forged in ("x\ncampaign full: success", "x\x00campaign full: success"):
        fake.phases, fake.stats = [["stopped", "quotaallocationfailed", forged]], {"fail": 0}
        client = finished(zygote.start(project, *UPLOAD), ExitStatus.CAMPAIGN)
        assert not any(line.startswith("campaign full: success") for line in
                       client.stdout.splitlines())  # fmt: skip
