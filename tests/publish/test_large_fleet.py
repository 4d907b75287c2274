"""Many devices that no delta fits: several campaigns, one image, one manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fotabuild.digest import sha256
from fotabuild.publish.journal import reopen
from fotabuild.publish.values import Kind

from ..cli.sample import OLD
from .conftest import Zygote
from .fake_service import FakeService
from .test_runs import UPLOAD, finished, killed
from .wire import Wire


def large() -> list[dict[str, Any]]:
    checksums = [sha256(OLD).hex(), *[None] * 60]
    return [
        {"id": f"{n:032x}", "state": "registered", "firmware_checksum": checksum}
        for n, checksum in enumerate(checksums)
    ]


def test_the_image_is_sent_once(zygote: Zygote, fake: FakeService, project: Path) -> None:
    fake.fleet = large()
    client = finished(zygote.start(project, *UPLOAD), 0)
    for key in ("from-1.0.0", "full", "full/2"):
        assert f"campaign {key}: success" in client.stdout
    made = [fake.counts[name] for name in ("img_create", "man_create", "cam_create")]
    assert (made, fake.left()) == ([2, 2, 3], {})


@pytest.mark.parametrize("after", [("upload", "--resume"), ("cleanup", "--stop")])
def test_killed_and_ended_later(
    after: tuple[str, ...], zygote: Zygote, wire: Wire, fake: FakeService, project: Path
) -> None:
    fake.fleet = large()
    path = killed(zygote, wire, project)
    journal = reopen(path)
    assert {e.key for e in journal.entries if e.kind is Kind.MANIFEST} == {"from-1.0.0", "full"}
    journal.close()
    finished(zygote.start(project, *after), 0)
    assert (fake.counts["img_create"], fake.left()) == (2, {})


def test_what_a_campaign_that_runs_needs_stays(
    zygote: Zygote, wire: Wire, fake: FakeService, project: Path
) -> None:
    """The second campaign of the image runs on; image and manifest are the first one's, too."""
    fake.fleet, fake.phases = large(), [["active", "publishing"]]
    client = zygote.start(project, *UPLOAD, "--no-wait")
    finished(client, 0)
    (path,) = (project / "journals").glob("*")
    campaigns = list(fake.objects["campaigns"].values())
    for campaign in campaigns[:2]:
        campaign.update(phase="stopped", step=None)
    client = finished(zygote.start(project, "cleanup", path.stem), 4)
    assert "its campaign may be running" in client.stderr
    assert fake.left() == {"images": 1, "manifests": 1, "campaigns": 1}
