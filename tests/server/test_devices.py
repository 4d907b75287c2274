"""The device side: register, poll, report."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Any

import pytest

from fotabuild.server.access import token_hash
from fotabuild.server.limits import ServerLimits

from .harness import Answer, Client, Running, make_manifest, registration, running, wait_until

DATA = b"new firmware" * 50
REGISTER = "/device/v1/register"


def deploying(server: Running, **fields: Any) -> Any:
    """Return a campaign that devices can fetch from."""
    image = server.client.upload(DATA)
    manifest = server.client.upload_manifest(make_manifest(DATA, image["datafile"]))
    campaign = server.client.campaign(root_manifest_id=manifest["id"], **fields)
    server.deploy(campaign)
    return campaign


def test_register(server: Running) -> None:
    answer = server.anybody("POST", REGISTER, values=registration("one"))
    assert answer.status == 201
    assert set(answer.json) == {"id", "token"}
    shown = server.client.good("GET", f"/v3/devices/{answer.json['id']}").json
    given = registration("one")
    assert {name: shown[name] for name in given} == given


def test_register_again_needs_the_token_of_the_device(server: Running) -> None:
    device, other = server.device("one"), server.device("other")
    again = registration("one", firmware_version="2.0.0")
    assert server.anybody("POST", REGISTER, values=again).status == 409
    assert other.client("POST", REGISTER, values=again).status == 409
    assert server.client("POST", REGISTER, values=again).status == 409
    answer = device.client("POST", REGISTER, values=again)
    assert (answer.status, answer.json) == (200, {"id": device.id})
    shown = server.client.good("GET", f"/v3/devices/{device.id}").json
    assert shown["firmware_version"] == "2.0.0"


def test_enrolment_token() -> None:
    with running(enrolment_hash=token_hash("let me in, please")) as server:
        values = registration("one")
        assert server.anybody("POST", REGISTER, values=values).status == 401
        assert Client(server.port, "wrong")("POST", REGISTER, values=values).status == 401
        right = Client(server.port, "let me in, please")
        answer = right("POST", REGISTER, values=values)
        assert answer.status == 201
        assert right("POST", REGISTER, values=values).status == 409
        # Without the token nobody learns which names are used.
        for stranger in (server.anybody, Client(server.port, "wrong"), server.client):
            assert stranger("POST", REGISTER, values=values).status == 401
            assert stranger("POST", REGISTER, values=registration("free")).status == 401
        mine = Client(server.port, answer.json["token"])
        assert mine("POST", REGISTER, values=values).status == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint_name", ""), ("endpoint_name", "x" * 65), ("endpoint_name", None),
        ("endpoint_name", 1), ("vendor_id", "x" * 32), ("vendor_id", "00"),
        ("device_class", None), ("firmware_checksum", "00"), ("firmware_version", "1.0"),
        ("firmware_version", "01.0.0"), ("firmware_version", "0.0.0"), ("component", ""),
        ("component", "x" * 33), ("surprise", "x"),
    ],
)  # fmt: skip
def test_registrations_that_are_wrong(server: Running, field: str, value: Any) -> None:
    values: dict[str, Any] = {**registration("one"), field: value}
    if value is None:
        del values[field]
    answer = server.anybody("POST", REGISTER, values=values)
    assert answer.status == 400
    assert [entry["name"] for entry in answer.json["fields"]] == [field]


def test_nothing_to_do(server: Running) -> None:
    device = server.device()
    answer = device.poll()
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize("key", [None, "wrong"])
def test_poll_and_report_need_a_token(server: Running, key: str | None) -> None:
    stranger = Client(server.port, key)
    assert stranger("GET", "/device/v1/update").status == 401
    values = {"campaign": "0" * 32, "event": "UPD4_OK_100"}
    assert stranger("POST", "/device/v1/report", values=values).status == 401
    assert server.client("GET", "/device/v1/update").status == 401
    device = server.device()
    assert device.client("GET", "/v3/firmware-images").status == 401


@pytest.mark.parametrize("wait", ["-1", "x", "1.5", "99999"])
def test_wait_is_a_number(server: Running, wait: str) -> None:
    assert server.device().client("GET", f"/device/v1/update?wait={wait}").status == 400


def test_delivery(server: Running) -> None:
    device = server.device()
    campaign = deploying(server)
    answer = device.poll()
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.body).hexdigest()}"'
    assert answer.headers["fota-campaign"] == campaign["id"]
    where = f"/v3/update-campaigns/{campaign['id']}/campaign-device-metadata"
    record = server.client.good("GET", where).json["data"][0]
    assert record["deployment_state"] == "updated_connector_channel"
    # A device that lost its answer gets it again; one that has it says so.
    assert device.poll().body == answer.body
    etag = answer.headers["etag"]
    for header in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = device.poll(headers={"If-None-Match": header})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == etag
    assert device.poll(headers={"If-None-Match": '"other"'}).status == 200


def test_a_device_that_waits_is_woken(server: Running) -> None:
    device = server.device()
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(device.poll(wait=60)))
    thread.start()
    wait_until(lambda: server.service.waiters.count == 1, "the device")
    campaign = deploying(server)
    thread.join(20)
    assert [(a.status, a.headers["fota-campaign"]) for a in answers] == [(200, campaign["id"])]
    assert server.service.waiters.count == 0


def test_waiting_ends(server: Running) -> None:
    device = server.device()
    start = time.monotonic()
    assert device.poll(wait=1).status == 204
    assert 0.9 <= time.monotonic() - start < 15


def test_a_device_that_has_the_manifest_waits_for_another(server: Running) -> None:
    device = server.device()
    deploying(server)
    etag = device.poll().headers["etag"]
    start = time.monotonic()
    assert device.poll(wait=1, headers={"If-None-Match": etag}).status == 304
    assert time.monotonic() - start >= 0.9


def test_a_device_that_hangs_up_while_waiting_is_forgotten(server: Running) -> None:
    import http.client

    device = server.device()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(
        "GET", "/device/v1/update?wait=60", headers={"Authorization": f"Bearer {device.client.key}"}
    )
    wait_until(lambda: server.service.waiters.count == 1, "the device")
    connection.close()
    wait_until(lambda: server.service.waiters.count == 0, "it is gone")


def test_too_many_wait() -> None:
    with running(limits=ServerLimits(waiting=1)) as server:
        first, second = server.device("one"), server.device("two")
        thread = threading.Thread(target=lambda: first.poll(wait=60))
        thread.start()
        wait_until(lambda: server.service.waiters.count == 1, "the first")
        answer = second.poll(wait=60)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        server.client.good("DELETE", f"/v3/devices/{first.id}")
        thread.join(20)
        assert not thread.is_alive()


def test_a_new_wait_of_a_device_releases_its_old_one() -> None:
    """So one device has one of the places, however often it asks."""
    with running(limits=ServerLimits(waiting=2)) as server:
        device, other = server.device("one"), server.device("two")
        answers: list[Answer] = []
        threads = []
        for number in range(5):
            ask = threading.Thread(target=lambda: answers.append(device.poll(wait=60)))
            ask.start()
            threads.append(ask)
            wait_until(lambda done=number: len(answers) == done, "the one before")  # type: ignore[misc]
            wait_until(lambda: server.service.waiters.count == 1, "it waits")
        assert [(a.status, a.headers["retry-after"]) for a in answers] == [(429, "5")] * 4
        assert other.poll(wait=1).status == 204
        campaign = deploying(server)
        threads[-1].join(20)
        assert answers[-1].headers["fota-campaign"] == campaign["id"]
        assert server.service.waiters.count == 0


def test_a_device_leaves(server: Running) -> None:
    device, other = server.device("one"), server.device("other")
    for stranger in (server.anybody, server.client, Client(server.port, "wrong")):
        assert stranger("DELETE", REGISTER).status == 401
    thread = threading.Thread(target=lambda: device.poll(wait=60))
    thread.start()
    wait_until(lambda: server.service.waiters.count == 1, "the device")
    answer = device.client("DELETE", REGISTER)
    assert (answer.status, answer.body) == (204, b"")
    thread.join(20)
    assert not thread.is_alive()
    assert device.client("DELETE", REGISTER).status == 401
    assert device.poll().status == 401
    assert device.id not in server.service.last_seen
    shown = server.client.good("GET", "/v3/devices").json["data"]
    assert [one["id"] for one in shown] == [other.id]
    assert server.device("one").id != device.id


def test_reports_are_idempotent_and_the_first_result_stands(server: Running) -> None:
    device = server.device()
    campaign = deploying(server, autostop=False)
    for _ in range(3):
        assert device.report(campaign, "UPD4_OK_100").status == 204
        assert server.client.counts(campaign)["success"] == 1
    for event in ("UPD2_STATE_1", "UPD4_FAIL_305", "SYS_110"):
        assert device.report(campaign, event).status == 204
        assert server.client.counts(campaign)["success"] == 1


def test_what_a_device_says_about_itself_is_kept(server: Running) -> None:
    device = server.device()
    campaign = deploying(server)
    checksum = hashlib.sha256(DATA).hexdigest()
    device.report(campaign, "UPD4_OK_100", firmware_checksum=checksum, firmware_version="1.1.0")
    shown = server.client.good("GET", f"/v3/devices/{device.id}").json
    assert (shown["firmware_checksum"], shown["firmware_version"]) == (checksum, "1.1.0")


def test_a_report_about_a_campaign_that_is_gone(server: Running) -> None:
    device = server.device()
    answer = device.report({"id": "0" * 32}, "UPD4_OK_100", firmware_version="1.1.0")
    assert answer.status == 404
    shown = server.client.good("GET", f"/v3/devices/{device.id}").json
    assert shown["firmware_version"] == "1.1.0"


@pytest.mark.parametrize(
    "changes",
    [
        {"event": None}, {"event": "UPD9_OK_1"}, {"event": 1}, {"event": "UPD4_FAIL_210 "},
        {"campaign": None}, {"campaign": "x"}, {"firmware_checksum": "x"},
        {"firmware_version": "new"}, {"surprise": 1},
    ],
)  # fmt: skip
def test_reports_that_are_wrong(server: Running, changes: dict[str, Any]) -> None:
    values = {"campaign": "0" * 32, "event": "UPD4_OK_100", **changes}
    values = {name: value for name, value in values.items() if value is not None}
    assert server.device().client("POST", "/device/v1/report", values=values).status == 400


def test_another_devices_campaign_takes_no_report(server: Running) -> None:
    one, other = server.device("one"), server.device("other")
    campaign = deploying(server, device_filter=f"id__eq={one.id}")
    assert other.report(campaign, "UPD4_OK_100").status == 404
    assert server.client.counts(campaign) == {"fail": 0, "info": 1, "skipped": 0, "success": 0}
