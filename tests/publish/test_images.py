"""Images: what the service stored is what was sent; large ones come in pieces and go on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from fotabuild.errors import PublishError, ServiceError, UploadError
from fotabuild.publish.journal import reopen
from fotabuild.publish.journal_folder import runs
from fotabuild.publish.outcome import Outcome
from fotabuild.publish.updates import RunOptions, Stored

from .fake_service import FakeService
from .scene import QUICK, Scene
from .wire import Wire

IN_CHUNKS = dataclasses.replace(QUICK, one_request=1000, chunk=100)


@pytest.mark.parametrize("pacing", [QUICK, IN_CHUNKS], ids=["small", "job"])
@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: b"x" + data[1:]])
def test_an_image_that_was_damaged_is_not_sent_to_devices(
    pacing: object, change: object, tmp_path: Path
) -> None:
    fake = FakeService(corrupt=change)  # type: ignore[arg-type]
    with Wire(fake) as wire, pytest.raises(UploadError, match="the service stored"):
        Scene(wire.url, tmp_path, pacing).publish()  # type: ignore[arg-type]
    assert fake.left() == {}
    assert not any("campaigns" in call.path for call in fake.calls)


def test_encryption_is_waited_for(tmp_path: Path) -> None:
    fake = FakeService(encryption_delay=3)
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        scene.publish(updates=[scene.update(encrypt=True)])
    (stored,) = scene.stored
    assert stored.encrypted_size == 1024 + 16


def test_encryption_that_never_ends(tmp_path: Path) -> None:
    fake = FakeService(encryption_delay=10**9)
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        with pytest.raises(ServiceError, match="did not finish the image within 600 seconds"):
            scene.publish(updates=[scene.update(encrypt=True)])
    assert fake.left() == {}


def test_an_upload_goes_on_where_it_ended(tmp_path: Path) -> None:
    """The service went away after four of eleven chunks; the rest is sent by another process."""
    fake = FakeService()
    with Wire(fake, dict.fromkeys(range(5, 10000), "reset-before")) as wire:
        pacing = dataclasses.replace(IN_CHUNKS, step=500)
        with pytest.raises(ServiceError):
            Scene(wire.url, tmp_path, pacing).publish()
    (job,) = fake.objects["jobs"].values()
    assert len(job["chunks"]) == 4
    fake.calls.clear()
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path, IN_CHUNKS)
        (path,) = runs(scene.journals)
        assert scene.publish(journal=reopen(path)).results[0].outcome is Outcome.SUCCESS
    sent = [c for c in fake.calls if str(c).startswith("POST") and c.path.endswith("/chunks")]
    assert len(sent) == 7 + 1
    assert fake.left() == {}


def test_a_job_that_fails_is_begun_again_and_then_given_up(tmp_path: Path) -> None:
    class Failing(FakeService):
        def _job_get(self, call: object, identifier: str) -> object:  # type: ignore[override]
            self.objects["jobs"].get(identifier, {}).update(status="failed")
            return super()._job_get(call, identifier)  # type: ignore[arg-type]

    fake = Failing()
    with Wire(fake) as wire, pytest.raises(UploadError, match="damaged on its way 3 times"):
        Scene(wire.url, tmp_path, IN_CHUNKS).publish()
    assert fake.left() == {}
    assert fake.counts["job_create"] == 3


def test_services_without_a_list_of_chunks(tmp_path: Path) -> None:
    fake = FakeService(inject={"chunk_list#*": {"status": 404, "message": "no such endpoint"}})
    with Wire(fake, {3: "status-500"}) as wire:
        (result,) = Scene(wire.url, tmp_path, IN_CHUNKS).publish().results
    assert result.outcome is Outcome.SUCCESS


def test_services_without_lists(tmp_path: Path) -> None:
    """Nothing can be looked up: what has an id is removed all the same."""
    fake = FakeService(lists=False)
    with Wire(fake) as wire:
        assert Scene(wire.url, tmp_path).publish().left == ()
    assert fake.left() == {}


def test_a_manifest_that_no_service_takes(tmp_path: Path) -> None:
    fake = FakeService()
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)

        def make_manifest(_: Stored) -> bytes:
            return b"x" * 2049

        scene.make_manifest = make_manifest  # type: ignore[assignment,method-assign]
        with pytest.raises(PublishError, match="has 2049 bytes, the service takes 2048"):
            scene.publish()
    assert fake.left() == {}


def test_several_campaigns_in_one_run(tmp_path: Path) -> None:
    fake = FakeService()
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        updates = [scene.update("from-1.0.0", "a__eq=1"), scene.update("full", "a__eq=2")]
        results = scene.publish(updates=updates).results
    assert [(r.key, r.outcome) for r in results] == [
        ("from-1.0.0", Outcome.SUCCESS),
        ("full", Outcome.SUCCESS),
    ]
    assert fake.left() == {}


def test_a_start_that_is_refused_undoes_what_does_not_run(tmp_path: Path) -> None:
    """The first campaign runs and stays as it is; the second one is removed."""
    fake = FakeService(
        phases=[["active", "publishing"]],
        inject={"cam_start#2": {"status": 400, "message": "quota"}},
    )
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        updates = [scene.update("one", "a__eq=1"), scene.update("two", "a__eq=2")]
        with pytest.raises(ServiceError, match="quota"):
            scene.publish(RunOptions(), updates=updates)
    assert fake.left() == {"images": 1, "manifests": 1, "campaigns": 1}
    assert not any(call.path.endswith("/stop") for call in fake.calls)
    assert len(list(runs(scene.journals))) == 1
