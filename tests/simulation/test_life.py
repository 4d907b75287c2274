"""Registration, waiting, and servers that come and go."""

from __future__ import annotations

import stat
import threading
import time

import msgspec
import pytest

from fotabuild.digest import sha256
from fotabuild.errors import FormatError, OutputConflictError, SimulationError, UsageError
from fotabuild.simulation.events import SUCCESS
from fotabuild.simulation.network import checked_server
from fotabuild.simulation.server import ServerAwayError
from fotabuild.simulation.settings import PendingReport

from ..device import scenes
from ..device.scenes import IDENTITY, NEW, OLD
from .scene import PATH, SETTINGS, Bench, make_device
from .service import CAMPAIGN, TOKEN, Fault

REGISTER, UPDATE, REPORT = "/device/v1/register", "/device/v1/update", "/device/v1/report"


def test_says_who_it_is(bench: Bench) -> None:
    assert bench.settle() == []
    assert bench.service.registered == {
        "device": {
            "endpoint_name": "device",
            "vendor_id": IDENTITY.vendor_id.hex,
            "device_class": IDENTITY.class_id.hex,
            "firmware_checksum": sha256(OLD).hex(),
            "firmware_version": "1.0.0",
            "component": "MAIN",
        }
    }


def test_registers_again_with_its_token_and_new_version(bench: Bench) -> None:
    bench.update(scenes.raw())
    bench.settle()
    assert bench.service.registered["device"]["firmware_version"] == "1.1.0"
    assert bench.service.registered["device"]["firmware_checksum"] == sha256(NEW).hex()


def test_its_token_is_its_owners_alone(bench: Bench) -> None:
    bench.settle()
    path = bench.folder.path / "credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert TOKEN in path.read_text()
    assert TOKEN not in repr(bench.folder.credentials(bench.service.url))
    assert TOKEN not in "".join(bench.told)


def test_another_server_does_not_get_the_token(bench: Bench) -> None:
    bench.settle()
    assert bench.folder.credentials(bench.service.url) is not None
    assert bench.folder.credentials("https://updates.example.com") is None


def test_a_server_that_wants_an_enrolment_token(bench: Bench) -> None:
    bench.service.enrolment_token = "enrol-me"
    with pytest.raises(SimulationError, match=r"refused the registration with 401.*not with this"):
        bench.device().run(timeout=60)
    bench.offer(scenes.raw())
    assert bench.device(enrolment_token="enrol-me").run(once=True, timeout=20)[0].succeeded
    # Next time its own token is enough.
    assert bench.settle() == []


@pytest.mark.parametrize("when", [REGISTER, UPDATE, REPORT])
def test_a_server_that_forgot_the_device(when: str, bench: Bench) -> None:
    bench.settle()
    if when == REGISTER:
        bench.service.forgotten.add(f"{TOKEN}-device")
    else:
        # Each of the reports of progress, and then the result.
        count = 6 if when == REPORT else 1
        bench.service.faults[when] = [Fault(status=401)] * count
    assert bench.update(scenes.raw()).succeeded
    assert bench.service.events()[-1] == SUCCESS


@pytest.mark.parametrize("path", [REGISTER, UPDATE])
@pytest.mark.parametrize(
    "fault", [Fault(reset=True), Fault(status=500), Fault(status=502), Fault(status=429)]
)
def test_waits_for_a_server_that_is_away(path: str, fault: Fault, bench: Bench) -> None:
    bench.service.faults[path] = [fault] * 5
    assert bench.update(scenes.raw()).succeeded
    assert any("trying again" in text for text in bench.told)


@pytest.mark.parametrize("fault", [Fault(reset=True), Fault(status=503)])
def test_a_result_is_reported_until_the_server_has_it(fault: Fault, bench: Bench) -> None:
    # The five reports of progress are not repeated, the result is.
    bench.service.faults[REPORT] = [fault] * 8
    assert bench.update(scenes.raw()).succeeded
    assert bench.service.events() == [SUCCESS]
    assert bench.folder.state().pending is None


def test_a_result_of_the_life_before_is_reported_first(bench: Bench) -> None:
    state = bench.folder.state()
    pending = PendingReport(campaign=CAMPAIGN, event="UPD4_FAIL_309")
    bench.folder.remember(msgspec.structs.replace(state, pending=pending))
    bench.settle()
    assert bench.service.events() == ["UPD4_FAIL_309"]
    assert bench.folder.state().pending is None


@pytest.mark.parametrize("status", [400, 403, 404, 418])
def test_a_refusal_ends_its_life_with_the_reason(status: int, bench: Bench) -> None:
    bench.service.faults[UPDATE] = [Fault(status=status)]
    with pytest.raises(SimulationError, match=rf"refused .* with {status}: <html>sorry"):
        bench.device().run(timeout=20)


def test_ends_when_it_is_stopped(bench: Bench) -> None:
    device = bench.device()
    device.stop.set()
    assert device.run() == []


def test_ends_after_its_time_while_the_server_is_away(bench: Bench) -> None:
    bench.service.faults[REGISTER] = [Fault(reset=True)] * 100_000
    assert bench.device().run(timeout=0.5) == []
    assert bench.service.registered == {}


@pytest.mark.parametrize("path", [REGISTER, UPDATE, REPORT, PATH])
def test_ends_after_its_time_although_bytes_trickle(path: str, bench: Bench) -> None:
    """Each comes in time, and all of them would take minutes."""
    bench.offer(scenes.raw())
    bench.service.trickle[path] = 0.5
    start = time.monotonic()
    bench.device().run(once=True, timeout=1)
    assert time.monotonic() - start < 15


def test_leaves_in_time_although_bytes_trickle(bench: Bench) -> None:
    device = bench.device()
    bench.service.idle = device.stop.set
    device.run(timeout=60)
    bench.service.trickle[REGISTER] = 0.5
    start = time.monotonic()
    with pytest.raises(ServerAwayError, match="no answer in time"):
        device.leave(start + 5)
    assert time.monotonic() - start < 15
    assert bench.service.left == ["device"]


def test_waits_as_long_as_the_server_asks_for(bench: Bench) -> None:
    bench.service.faults[UPDATE] = [Fault(status=429, headers={"Retry-After": "9"})]
    bench.update(scenes.raw())
    assert 6.3 <= max(bench.pauses) <= 11.7


def test_a_manifest_without_a_campaign(bench: Bench) -> None:
    bench.service.payloads[UPDATE] = b"a manifest"
    bench.service.faults[UPDATE] = [Fault(extra=b" ")]
    with pytest.raises(SimulationError, match="Fota-Campaign"):
        bench.device().run(timeout=20)


def test_an_answer_without_end(bench: Bench) -> None:
    bench.service.payloads[UPDATE] = bytes(300 * 1024)
    bench.service.faults[UPDATE] = [Fault(extra=b" ")]
    with pytest.raises(SimulationError, match="longer than 262144 bytes"):
        bench.device().run(timeout=20)


def test_only_one_process_runs_a_device(bench: Bench) -> None:
    with bench.folder.alone(), pytest.raises(SimulationError, match="another process runs this"):
        bench.device().run(timeout=1)
    assert bench.settle() == []


def test_no_second_device_in_a_folder(bench: Bench) -> None:
    with pytest.raises(OutputConflictError):
        make_device(bench.folder.path)
    assert bench.image == OLD


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1]", b'{"version": "1"', b'{"version": "1.0.0", "digest": "../x", "size": 1}'],
)
@pytest.mark.parametrize("name", ["state.json", "device.json", "credentials.json"])
def test_a_damaged_file_is_named(name: str, content: bytes, bench: Bench) -> None:
    (bench.folder.path / name).write_bytes(content)
    with pytest.raises(FormatError) as caught:
        bench.device().run(timeout=5)
    assert name in str(caught.value)


def test_two_devices_share_connections(bench: Bench) -> None:
    other = make_device(bench.folder.path.with_name("other"), endpoint_name="other")
    bench.offer(scenes.delta())
    second = Bench(bench.service, other)
    second.pool = bench.pool
    devices = [bench.device(), second.device()]
    threads = [
        threading.Thread(target=device.run, kwargs={"once": True, "timeout": 20})
        for device in devices
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bench.image == second.image == NEW
    assert [bench.service.events(name)[-1] for name in ("device", "other")] == [SUCCESS] * 2


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8080",
        "ftp://127.0.0.1",
        "http://",
        "http://user:secret@127.0.0.1",
        "http://127.0.0.1:99999",
        "http://127.0.0.1/?a=b",
        "http://127.0.0.1/#x",
        "http://192.168.0.7:8080",
        "http://updates.example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1\n",
    ],
)
def test_servers_that_are_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_server(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/",
        "http://[::1]:8080",
        "http://localhost/gate",
        "https://a.example.com",
    ],
)
def test_servers_that_are_taken(url: str) -> None:
    assert checked_server(url) == url.rstrip("/")
    assert checked_server("http://192.168.0.7", allow_http=True) == "http://192.168.0.7"


def test_settings_repeat_nothing_of_the_key() -> None:
    assert SETTINGS.profile.limits.manifest_size == 503
