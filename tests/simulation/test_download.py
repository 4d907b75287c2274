"""Downloads over connections that break."""

from __future__ import annotations

import pytest

from fotabuild.simulation.download import TRIES
from fotabuild.simulation.events import Failure

from ..device import scenes
from ..device.scenes import NEW
from .scene import PATH, Bench
from .service import Fault

SIZE = len(NEW)


def cut_points(faults: list[Fault]) -> list[str | None]:
    """The ranges that a device asks for when the connection is cut like this."""
    at, ranges = 0, []
    for fault in faults:
        ranges.append(f"bytes={at}-" if at else None)
        at += fault.cut_after or 0
    return [*ranges, f"bytes={at}-" if at else None]


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(cut_after=1)],
        [Fault(cut_after=20_000)],
        [Fault(cut_after=SIZE - 1)],
        [Fault(cut_after=1000), Fault(cut_after=1000), Fault(cut_after=30_000)],
        [Fault(cut_after=100)] * 40,
        [Fault(reset=True)],
        [Fault(cut_after=0)] * (TRIES - 1),
        [Fault(cut_after=5000, no_length=True)],
    ],
)
def test_goes_on_where_the_connection_was_cut(faults: list[Fault], bench: Bench) -> None:
    bench.service.faults[PATH] = list(faults)
    assert bench.update(scenes.raw()).succeeded
    assert bench.service.requests(PATH) == cut_points(faults)
    assert bench.image == NEW


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_asks_again_when_the_server_is_busy(status: int, bench: Bench) -> None:
    bench.service.faults[PATH] = [Fault(cut_after=100), Fault(status=status)]
    assert bench.update(scenes.raw()).succeeded
    assert bench.service.requests(PATH) == [None, "bytes=100-", "bytes=100-"]


def test_waits_as_long_as_the_server_asks_for(bench: Bench) -> None:
    bench.service.faults[PATH] = [Fault(status=503, headers={"Retry-After": "7"})]
    assert bench.update(scenes.raw()).succeeded
    assert 7.0 in bench.pauses


def test_waits_longer_each_time(bench: Bench) -> None:
    bench.service.faults[PATH] = [Fault(status=503)] * 4
    assert bench.update(scenes.raw()).succeeded
    assert bench.pauses == sorted(bench.pauses)
    assert bench.pauses[-1] > 2 * bench.pauses[0]


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(reset=True), Fault(cut_after=0)])
def test_gives_up_after_tries_that_bring_nothing(fault: Fault, bench: Bench) -> None:
    bench.service.faults[PATH] = [Fault(cut_after=500)] + [fault] * TRIES
    outcome = bench.update(scenes.raw())
    assert outcome.event in (Failure.DOWNLOAD.event, Failure.DOWNLOAD_LOST.event)
    assert len(bench.service.requests(PATH)) == 1 + TRIES
    # The part that came is kept for another campaign with the same payload.
    bench.service.reports.clear()
    assert bench.update(scenes.raw()).succeeded
    assert bench.service.requests(PATH)[-1] == "bytes=500-"


def test_a_server_without_ranges(bench: Bench) -> None:
    bench.service.faults[PATH] = [Fault(cut_after=500), Fault(ignore_range=True)]
    assert bench.update(scenes.raw()).succeeded
    assert bench.service.requests(PATH) == [None, "bytes=500-"]


def test_another_range_than_asked_for_is_not_taken(bench: Bench) -> None:
    bench.service.faults[PATH] = [Fault(cut_after=500), Fault(shift=7)]
    assert bench.update(scenes.raw()).succeeded
    assert bench.service.requests(PATH) == [None, "bytes=500-", "bytes=500-"]


def test_a_range_that_the_server_does_not_have(bench: Bench) -> None:
    fault = Fault(status=416, headers={"Content-Range": f"bytes */{SIZE}"})
    bench.service.faults[PATH] = [Fault(cut_after=500), fault]
    assert bench.update(scenes.raw()).succeeded


@pytest.mark.parametrize("no_length", [False, True])
def test_more_than_announced_is_not_read(no_length: bool, bench: Bench) -> None:
    bench.service.faults[PATH] = [Fault(extra=b"more" * 1000, no_length=no_length)]
    outcome = bench.update(scenes.raw())
    assert outcome.event == Failure.PAYLOAD_DIGEST.event
    assert "payload-length" in outcome.problem


@pytest.mark.parametrize("left_over", [b"wrong bytes", NEW[:-1] + b"\1", NEW + b"more", NEW[:10]])
def test_a_part_from_before_is_used_or_replaced(left_over: bytes, bench: Bench) -> None:
    scene = bench.offer(scenes.raw())
    bench.folder.download(scene.manifest.payload_digest).write_bytes(left_over)
    assert bench.update(scenes.raw()).succeeded
    ranges = bench.service.requests(PATH)
    assert len(ranges) <= 2
    if NEW.startswith(left_over):
        assert ranges == [f"bytes={len(left_over)}-"]


def test_a_payload_that_is_there_already_is_not_asked_for(bench: Bench) -> None:
    scene = bench.offer(scenes.raw())
    bench.folder.download(scene.manifest.payload_digest).write_bytes(NEW)
    assert bench.update(scenes.raw()).succeeded
    assert bench.service.requests(PATH) == []


def test_the_token_does_not_go_to_the_server_of_payloads(bench: Bench) -> None:
    with type(bench.service)() as other:
        other.payloads[PATH] = NEW
        headers: list[str | None] = []
        handler = other._server.RequestHandlerClass
        note = handler._note  # type: ignore[attr-defined]

        def spy(self: object) -> bool:
            headers.append(self.headers.get("Authorization"))  # type: ignore[attr-defined]
            return bool(note(self))

        handler._note = spy  # type: ignore[attr-defined]
        assert bench.update(scenes.raw().change(payload_uri=other.url + PATH)).succeeded
    assert headers == [None]
