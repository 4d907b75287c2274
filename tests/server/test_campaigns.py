"""A campaign from draft to stopped: phases, devices, numbers."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from fotabuild.server.events import Summary, describe, summary_of

from .harness import FILTER, START, ManualClock, Running, make_manifest, running, wait_until

PAYLOAD = bytes(range(256)) * 40


def prepare(server: Running, **fields: Any) -> Any:
    """Upload image and manifest, and make a draft."""
    image = server.client.upload(PAYLOAD)
    manifest = server.client.upload_manifest(make_manifest(PAYLOAD, image["datafile"]))
    return server.client.campaign(root_manifest_id=manifest["id"], **fields)


def path(campaign: Any, *rest: str) -> str:
    return "/".join(["/v3/update-campaigns", campaign["id"], *rest])


def test_the_whole_way(server: Running) -> None:
    one, other = server.device("one"), server.device("other")
    campaign = prepare(server)
    assert (campaign["phase"], campaign["state"]) == ("draft", "draft")
    started = server.client("POST", path(campaign, "start"))
    assert (started.status, started.body) == (202, b"")
    seen = [server.client.state(campaign)]
    while seen[-1] != ("active", "deploying"):
        server.clock.advance(0.2)
        wait_until(lambda: server.client.state(campaign) != seen[-1], f"what follows {seen[-1]}")
        seen.append(server.client.state(campaign))
    assert seen == [
        ("starting", "scheduled"),
        ("starting", "allocatingquota"),
        ("starting", "checkingmanifest"),
        ("starting", "devicefetch"),
        ("starting", "devicecopy"),
        ("starting", "devicecheck"),
        ("active", "publishing"),
        ("active", "deploying"),
    ]
    assert server.client.counts(campaign) == {"fail": 0, "info": 2, "skipped": 0, "success": 0}
    answer = one.poll()
    assert answer.status == 200
    assert answer.headers["fota-campaign"] == campaign["id"]
    image = server.client.good("GET", "/v3/firmware-images").json["data"][0]
    assert answer.body == make_manifest(PAYLOAD, image["datafile"])
    assert one.report(campaign, "UPD2_STATE_3").status == 204
    assert one.report(campaign, "UPD4_OK_100", firmware_version="1.1.0").status == 204
    assert server.client.counts(campaign) == {"fail": 0, "info": 1, "skipped": 0, "success": 1}
    assert one.poll().status == 204
    assert other.report(campaign, "UPD4_FAIL_210").status == 204
    assert server.client.counts(campaign) == {"fail": 1, "info": 0, "skipped": 0, "success": 1}
    server.go(campaign, "stopping")
    server.go(campaign, "stopped")
    ended = server.client.good("GET", path(campaign)).json
    assert (ended["state"], ended["autostop_reason"]) == ("autostopped", "Every device is done")
    assert ended["finished"] is not None
    devices = server.client.good("GET", path(campaign, "campaign-device-metadata")).json["data"]
    assert {entry["device_id"]: entry["deployment_state"] for entry in devices} == {
        one.id: "deployed",
        other.id: "failed_connector_channel_update",
    }
    record = server.client.good("GET", path(campaign, "campaign-device-metadata", devices[0]["id"]))
    assert record.json == devices[0]
    events = server.client.good("GET", path(campaign, "statistics/fail/event_types")).json["data"]
    assert [(e["id"], e["event_type"], e["count"]) for e in events] == [
        ("upd4_fail_210", "UPD4_FAIL_210", 1)
    ]
    one_event = path(campaign, "statistics/fail/event_types/UPD4_FAIL_210")
    assert server.client.good("GET", one_event).json == events[0]
    updated = server.client.good("GET", f"/v3/devices/{one.id}").json
    assert updated["firmware_version"] == "1.1.0"
    assert server.client("POST", path(campaign, "start")).status == 409
    assert server.client("POST", path(campaign, "stop")).status == 409
    assert server.client("POST", path(campaign, "archive")).status == 202
    assert server.client.state(campaign) == ("archived", "autostopped")
    assert server.client("DELETE", path(campaign)).status == 204
    assert server.client("GET", path(campaign)).status == 404


def test_looking_never_moves_a_campaign(server: Running) -> None:
    server.device()
    campaign = prepare(server)
    server.client.good("POST", path(campaign, "start"))
    assert {server.client.state(campaign) for _ in range(30)} == {("starting", "scheduled")}


def test_a_campaign_that_nobody_looks_at_stays_visible_for_a_while(server: Running) -> None:
    device = server.device()
    campaign = prepare(server)
    server.client.good("POST", path(campaign, "start"))
    server.clock.advance(2)
    wait_until(lambda: device.poll().status == 200, "the manifest")
    device.report(campaign, "UPD4_OK_100")
    server.clock.advance(2)  # Four seconds, everything is done, and nobody has looked yet.

    def listed() -> str:
        return str(server.client.good("GET", "/v3/update-campaigns").json["data"][0]["phase"])

    assert {listed() for _ in range(40)} == {"active"}
    server.clock.advance(2)
    wait_until(lambda: listed() == "stopping", "the end")


def test_no_matching_device_returns_to_draft(server: Running) -> None:
    campaign = prepare(server, device_filter="device_class__eq=" + "11" * 16)
    server.client.good("POST", path(campaign, "start"))
    server.go(campaign, "draft")
    found = server.client.good("GET", path(campaign)).json
    assert found["autostop_reason"] == "No devices matched the filter"
    assert server.client.counts(campaign) == {}
    server.device("late", device_class="11" * 16)
    server.deploy(campaign)  # A draft can be started again.


def test_a_device_in_another_running_campaign_is_a_conflict(server: Running) -> None:
    device = server.device()
    first, second = prepare(server), prepare(server)
    server.deploy(first)
    server.client.good("POST", path(second, "start"))
    server.go(second, "stopped")
    found = server.client.good("GET", path(second)).json
    assert found["state"] == "conflict"
    assert device.name in found["autostop_reason"]
    assert server.client.state(first) == ("active", "deploying")


@pytest.mark.parametrize("moment", ["starting", "active", "stopping"])
def test_a_clock_that_is_set_back_stops_no_campaign(server: Running, moment: str) -> None:
    """By an hour: a machine without a clock of its own got the time, or somebody set it."""
    device = server.device()
    campaign = prepare(server)
    server.client.good("POST", path(campaign, "start"))
    if moment != "starting":
        server.go(campaign, "active")
    if moment == "stopping":
        device.report(campaign, "UPD4_OK_100")
        server.go(campaign, "stopping")
    server.clock.advance(-3600)
    if moment == "starting":
        server.go(campaign, "active")
    if moment != "stopping":
        device.report(campaign, "UPD4_OK_100")
    server.go(campaign, "stopped")
    assert server.client.counts(campaign)["success"] == 1


def test_a_clock_that_is_set_back_hides_no_result(server: Running) -> None:
    """Of a campaign that nobody looks at: it ends five seconds after it was set, not an hour."""
    device = server.device()
    campaign = prepare(server)
    server.client.good("POST", path(campaign, "start"))

    def offered() -> bool:
        server.clock.advance(0.1)
        return device.poll().status == 200

    wait_until(offered, "deploying")
    device.report(campaign, "UPD4_OK_100")
    server.clock.advance(-3600)

    def ended() -> bool:
        server.clock.advance(0.1)
        # The list is no look at a campaign.
        shown = server.client.good("GET", "/v3/update-campaigns").json["data"]
        return bool(shown[0]["phase"] == "stopped")

    wait_until(ended, "its end")


def test_stop(server: Running) -> None:
    device = server.device()
    campaign = prepare(server)
    server.deploy(campaign)
    assert server.client("DELETE", path(campaign)).status == 409
    assert server.client("POST", path(campaign, "stop")).status == 202
    assert server.client.state(campaign) == ("stopping", "stopping")
    assert server.client("DELETE", path(campaign)).status == 409
    assert server.client("POST", path(campaign, "stop")).status == 409
    # Numbers may still move while it winds down, and not after.
    assert device.poll().status == 204
    assert device.report(campaign, "UPD4_OK_100").status == 204
    server.go(campaign, "stopped")
    assert server.client.state(campaign) == ("stopped", "userstopped")
    assert device.report(campaign, "UPD4_FAIL_309").status == 204
    assert server.client.counts(campaign) == {"fail": 0, "info": 0, "skipped": 0, "success": 1}


def test_when(server: Running) -> None:
    server.device()
    campaign = prepare(server, when="2027-01-15T08:01:00Z")  # A minute behind the start.
    assert campaign["when"] == "2027-01-15T08:01:00.000000Z"
    server.client.good("POST", path(campaign, "start"))
    server.clock.advance(50)
    assert server.client.state(campaign) == ("timed", "scheduled")
    server.clock.advance(10)
    server.go(campaign, "active")


def test_approval(server: Running) -> None:
    server.device()
    campaign = prepare(server, approval_required=True)
    assert server.client("POST", path(campaign, "approve")).status == 409
    server.client.good("POST", path(campaign, "start"))
    server.clock.advance(60)
    assert server.client.state(campaign) == ("awaiting_approval", "draft")
    assert server.client("POST", path(campaign, "approve")).status == 202
    server.go(campaign, "active")


@pytest.mark.parametrize("deleted", [True, False])
def test_awaiting_approval_can_be_deleted_or_stopped(server: Running, deleted: bool) -> None:
    campaign = prepare(server, approval_required=True)
    server.client.good("POST", path(campaign, "start"))
    if deleted:
        assert server.client("DELETE", path(campaign)).status == 204
        return
    server.client.good("POST", path(campaign, "stop"))
    server.go(campaign, "stopped")
    assert server.client.state(campaign) == ("stopped", "userstopped")


def test_autostop_percent(server: Running) -> None:
    devices = [server.device(f"d{n}") for n in range(4)]
    campaign = prepare(server, autostop_success_percent=50)
    server.deploy(campaign)
    devices[0].report(campaign, "UPD4_OK_100")
    server.clock.advance(30)
    assert server.client.state(campaign) == ("active", "deploying")
    devices[1].report(campaign, "UPD4_OK_100")
    server.go(campaign, "stopped")
    assert "50 %" in server.client.good("GET", path(campaign)).json["autostop_reason"]
    assert server.client.counts(campaign) == {"fail": 0, "info": 2, "skipped": 0, "success": 2}


def test_without_autostop_a_campaign_runs_until_it_is_stopped(server: Running) -> None:
    device = server.device()
    campaign = prepare(server, autostop=False)
    server.deploy(campaign)
    device.report(campaign, "UPD4_OK_100")
    server.clock.advance(600)
    assert {server.client.state(campaign) for _ in range(20)} == {("active", "deploying")}


def test_a_continuous_campaign_takes_devices_that_come_later(server: Running) -> None:
    campaign = prepare(server, campaign_strategy="continuous")
    server.deploy(campaign)
    late = server.device("late")
    assert late.poll().status == 200
    late.report(campaign, "UPD4_OK_100")
    server.clock.advance(600)
    assert server.client.state(campaign) == ("active", "deploying")
    assert server.client.counts(campaign)["success"] == 1


def test_a_one_shot_campaign_does_not(server: Running) -> None:
    server.device()
    campaign = prepare(server)
    server.deploy(campaign)
    assert server.device("late").poll().status == 204


def test_a_removed_manifest_ends_the_campaign(server: Running) -> None:
    server.device()
    campaign = prepare(server)
    server.deploy(campaign)
    server.client.good("DELETE", f"/v3/firmware-manifests/{campaign['root_manifest_id']}")
    server.go(campaign, "stopped")
    assert server.client.state(campaign) == ("stopped", "manifestremoved")
    devices = server.client.good("GET", path(campaign, "campaign-device-metadata")).json["data"]
    assert [entry["deployment_state"] for entry in devices] == ["manifestremoved"]


def test_what_a_running_campaign_uses_can_be_kept() -> None:
    with running(keep_used=True) as server:
        server.device()
        campaign = prepare(server)
        image = server.client.good("GET", "/v3/firmware-images").json["data"][0]
        server.deploy(campaign)
        manifest = f"/v3/firmware-manifests/{campaign['root_manifest_id']}"
        assert server.client("DELETE", manifest).status == 409
        assert server.client("DELETE", f"/v3/firmware-images/{image['id']}").status == 409
        server.client.good("POST", path(campaign, "stop"))
        server.go(campaign, "stopped")
        server.client.good("DELETE", manifest)
        server.client.good("DELETE", f"/v3/firmware-images/{image['id']}")


def test_quota() -> None:
    with running(quota=1) as server:
        one = server.device("one")
        campaign = prepare(server, device_filter=f"{FILTER}&id__eq={one.id}")
        server.deploy(campaign)
        one.report(campaign, "UPD4_OK_100")
        server.go(campaign, "stopped")
        again = prepare(server)
        server.client.good("POST", path(again, "start"))
        server.go(again, "stopped")
        assert server.client.state(again) == ("stopped", "quotaallocationfailed")


def test_unused_quota_comes_back() -> None:
    with running(quota=1) as server:
        one = server.device("one")
        for event in ("UPD4_FAIL_305", "UPD4_OK_100"):
            campaign = prepare(server)
            server.deploy(campaign)
            one.report(campaign, event)
            server.go(campaign, "stopped")
            assert server.client.state(campaign) == ("stopped", "autostopped")


def test_a_removed_device_is_skipped(server: Running) -> None:
    one, other = server.device("one"), server.device("other")
    campaign = prepare(server)
    server.deploy(campaign)
    server.client.good("DELETE", f"/v3/devices/{one.id}")
    assert one.poll().status == 401
    assert server.client.counts(campaign) == {"fail": 0, "info": 1, "skipped": 1, "success": 0}
    other.report(campaign, "UPD4_OK_100")
    server.go(campaign, "stopped")


def test_put(server: Running) -> None:
    server.device()
    campaign = prepare(server)
    changed = server.client.good(
        "PUT", path(campaign), values={"name": "new", "autostop": False, "unknown": 1}
    ).json
    assert (changed["name"], changed["autostop"]) == ("new", False)
    server.deploy(campaign)
    assert server.client("PUT", path(campaign), values={"autostop": True}).status == 403
    whole = server.client.good("GET", path(campaign)).json
    whole["description"] = "said later"
    kept = server.client.good("PUT", path(campaign), values=whole).json
    assert kept["description"] == "said later"


def test_everything_survives_a_restart_in_the_middle(tmp_path: Path) -> None:
    clock = ManualClock()
    with running(tmp_path, clock) as server:
        one, other = server.device("one"), server.device("other")
        campaign = prepare(server)
        server.deploy(campaign)
        one.report(campaign, "UPD4_OK_100")
        key = server.client.key
    clock.advance(3600)
    with running(tmp_path, clock) as server:
        server.client.key = key
        other.client.port = server.port
        assert server.client.state(campaign) == ("active", "deploying")
        assert server.client.counts(campaign) == {"fail": 0, "info": 1, "skipped": 0, "success": 1}
        assert other.poll().status == 200
        other.report(campaign, "UPD4_OK_100")
        server.go(campaign, "stopped")
        assert server.client.counts(campaign) == {"fail": 0, "info": 0, "skipped": 0, "success": 2}


def test_a_campaign_that_was_starting_goes_on_after_a_restart(tmp_path: Path) -> None:
    clock = ManualClock()
    with running(tmp_path, clock) as server:
        server.device()
        campaign = prepare(server)
        server.client.good("POST", path(campaign, "start"))
        clock.advance(0.5)
        wait_until(
            lambda: server.client.state(campaign)[1] == "checkingmanifest", "the third state"
        )
    clock.advance(60)
    with running(tmp_path, clock) as server:
        wait_until(lambda: server.client.state(campaign) == ("active", "deploying"), "the rest")


def test_numbers_add_up_while_many_devices_report_at_once(server: Running) -> None:
    devices = [server.device(f"d{n}") for n in range(24)]
    campaign = prepare(server)
    server.deploy(campaign)
    events = ["UPD4_OK_100", "UPD4_FAIL_309", "SYS_110", "UPD2_STATE_1"]
    sums, done = set(), threading.Event()

    def look() -> None:
        while not done.is_set():
            sums.add(sum(server.client.counts(campaign).values()))

    looker = threading.Thread(target=look)
    looker.start()
    threads = [
        threading.Thread(target=device.report, args=(campaign, events[number % 4]))
        for number, device in enumerate(devices)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    looker.join()
    assert sums == {24}
    assert server.client.counts(campaign) == {"fail": 6, "info": 6, "skipped": 6, "success": 6}
    for summary in Summary:
        found = server.client.good(
            "GET", path(campaign, f"statistics/{summary.value}/event_types")
        ).json["data"]
        assert sum(entry["count"] for entry in found) == 6


@pytest.mark.parametrize(
    ("event", "summary"),
    [
        ("UPD4_OK_100", Summary.SUCCESS),
        ("UPD4_OK_M1", Summary.SUCCESS),
        ("SYS_112", Summary.SUCCESS),
        ("UPD2_OK_19", Summary.SUCCESS),
        ("SYS_110", Summary.SKIPPED),
        ("SYS_122", Summary.SKIPPED),
        ("SYS_100", Summary.INFO),
        ("UPD1_STATE_3", Summary.INFO),
        ("UPD2_STATE_8", Summary.INFO),
        ("UPD2_REPORT_HASH", Summary.INFO),
        ("SYS_101", Summary.FAIL),
        ("UPD1_FAIL_9", Summary.FAIL),
        ("UPD2_FAIL_17", Summary.FAIL),
        ("UPD4_FAIL_210", Summary.FAIL),
        ("UPD4_FAIL_512", Summary.FAIL),
        ("UPD2_STATE_9", None),
        ("UPD2_FAIL_18", None),
        ("upd4_ok_100", None),
        ("UPD4_OK_100\n", None),
        ("", None),
    ],
)
def test_what_events_mean(event: str, summary: Summary | None) -> None:
    assert summary_of(event) is summary
    if summary is not None:
        assert describe(event)


def test_the_clock_of_the_tests_starts_where_they_say() -> None:
    assert ManualClock().now() == START
