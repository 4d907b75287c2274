"""Every endpoint: what it answers when all is well."""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import quote

import pytest

from fotabuild.formats.encrypted_payload import decrypt_payload
from fotabuild.formats.manifest_v3 import decode_signed
from fotabuild.formats.payload_format import PayloadFormat

from .harness import (
    CLASS,
    FILTER,
    VENDOR,
    Client,
    Running,
    content_md5,
    make_manifest,
    running,
    wait_until,
)

DATA = bytes(range(256)) * 4


def test_image(server: Running) -> None:
    image = server.client.upload(DATA, "first")
    assert re.fullmatch("[0-9a-f]{32}", image["id"])
    assert image["datafile_checksum"] == hashlib.sha256(DATA).hexdigest()
    assert image["datafile_size"] == 1024
    assert image["datafile_encryption"] is False
    assert "encrypted_datafile_size" not in image
    assert image["datafile"].endswith(image["short_datafile"])
    assert re.fullmatch(r"/files/[0-9a-f]{32}/fw\.bin", image["short_datafile"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", image["created_at"])
    where = f"/v3/firmware-images/{image['id']}"
    assert server.client.good("GET", where).json == image
    assert server.anybody("GET", image["short_datafile"]).body == DATA
    assert server.client("DELETE", where).status == 204
    assert server.client("DELETE", where).status == 404
    assert server.client("GET", where).status == 404
    assert server.anybody("GET", image["short_datafile"]).status == 404


def test_an_empty_image(server: Running) -> None:
    image = server.client.upload(b"")
    assert image["datafile_size"] == 0
    assert server.anybody("GET", image["short_datafile"]).body == b""


def test_the_same_content_twice_is_kept_until_both_are_gone(server: Running) -> None:
    one, other = server.client.upload(DATA, "one"), server.client.upload(DATA, "other")
    assert one["short_datafile"] != other["short_datafile"]
    server.client.good("DELETE", f"/v3/firmware-images/{one['id']}")
    assert server.anybody("GET", other["short_datafile"]).body == DATA
    blob = server.service.blobs.path(hashlib.sha256(DATA).hexdigest())
    assert blob.is_file()
    server.client.good("DELETE", f"/v3/firmware-images/{other['id']}")
    assert not blob.exists()


@pytest.mark.parametrize("size", [0, 1, 1015, 1016, 1017, 5000])
def test_encrypted_image(server: Running, size: int) -> None:
    data = (DATA * 5)[:size]
    image = server.client.upload(data, encrypt=True)
    assert image["datafile_encryption"] is True
    assert image["datafile_checksum"] == hashlib.sha256(data).hexdigest()
    assert image["datafile_size"] == size
    assert image["encrypted_datafile_size"] == size + 8 * -(-size // 1016)
    stored = server.anybody("GET", image["short_datafile"]).body
    assert hashlib.sha256(stored).hexdigest() == image["encrypted_datafile_checksum"]
    assert not server.service.blobs.path(image["datafile_checksum"]).exists() or size == 0


def test_the_key_travels_behind_the_manifest(server: Running) -> None:
    image = server.client.upload(DATA, encrypt=True)
    manifest = make_manifest(
        DATA,
        image["datafile"],
        payload_format=PayloadFormat.ENCRYPTED_RAW,
        payload_digest=bytes.fromhex(image["encrypted_datafile_checksum"]),
        payload_size=image["encrypted_datafile_size"],
        installed_digest=bytes.fromhex(image["datafile_checksum"]),
        installed_size=image["datafile_size"],
    )
    uploaded = server.client.upload_manifest(manifest)
    assert uploaded["warnings"] == []
    device = server.device()
    campaign = server.client.campaign(root_manifest_id=uploaded["id"])
    server.deploy(campaign)
    delivered = device.poll().body
    assert delivered[: len(manifest)] == manifest
    assert delivered[len(manifest) :][:2] == b"\x81\x10"
    signed = decode_signed(delivered)
    assert signed.encryption_key is not None
    stored = server.anybody("GET", image["short_datafile"]).body
    assert decrypt_payload(stored, signed.encryption_key) == DATA


def test_manifest(server: Running) -> None:
    image = server.client.upload(DATA)
    data = make_manifest(DATA, image["datafile"])
    manifest = server.client.upload_manifest(data)
    assert manifest["datafile_size"] == len(data)
    assert manifest["device_class"].replace("-", "") == CLASS
    assert manifest["device_vendor"].replace("-", "") == VENDOR
    assert manifest["manifest_schema_version"] == "3"
    assert manifest["delivered_payload_url"] == image["datafile"]
    assert manifest["delivered_payload_digest"] == image["datafile_checksum"]
    assert manifest["delivered_payload_type"] == "full"
    assert manifest["warnings"] == []
    where = manifest["datafile"].removeprefix(f"http://127.0.0.1:{server.port}")
    assert server.anybody("GET", where).body == data
    assert server.client.good("GET", f"/v3/firmware-manifests/{manifest['id']}").json == manifest
    assert server.client("DELETE", f"/v3/firmware-manifests/{manifest['id']}").status == 204


def test_what_is_odd_about_a_manifest_is_said(server: Running) -> None:
    unknown = server.client.upload_manifest(make_manifest(DATA, "http://127.0.0.1/x"))
    assert [text for text in unknown["warnings"] if "no image" in text]
    server.client.upload(DATA)
    elsewhere = server.client.upload_manifest(make_manifest(DATA, "http://127.0.0.1/x"))
    assert [text for text in elsewhere["warnings"] if "URL" in text]
    assert len(elsewhere["warnings"]) == 1


JOBS = "/v3/firmware-images/upload-jobs"


def post_chunk(client: Client, job: Any, data: bytes, **headers: str) -> Any:
    sent = {"Content-Type": "binary/octet-stream", "Content-MD5": content_md5(data)}
    return client(
        "POST",
        f"{JOBS}/{job['id']}/chunks",
        data,
        {**sent, "Content-Length": str(len(data)), **headers},
    )


@pytest.mark.parametrize("encrypted", [False, True])
def test_upload_job(encrypted: bool) -> None:
    from fotabuild.server.limits import ServerLimits

    with running(limits=ServerLimits(chunk_min=1000)) as server:
        values = {"name": "job", "datafile_encryption": encrypted}
        created = server.client("POST", JOBS, values=values)
        assert (created.status, created.headers["location"]) == (
            201,
            f"{JOBS}/{created.json['id']}",
        )
        job = created.json
        assert (job["status"], job["complete"], job["firmware_image_id"]) == (
            "in_progress",
            False,
            None,
        )
        pieces = [DATA, DATA[::-1], b"the end"]
        for number, piece in enumerate(pieces, 1):
            answer = post_chunk(server.client, job, piece)
            assert answer.status == 201
            chunk = answer.json
            assert (chunk["id"], chunk["length"]) == (number, len(piece))
            assert chunk["hash"] == content_md5(piece)
            assert answer.headers["content-location"] == f"{JOBS}/{job['id']}/chunks/{number}"
            assert server.client.good("GET", f"{JOBS}/{job['id']}/chunks/{number}").json == chunk
        listed = server.client.good("GET", f"{JOBS}/{job['id']}/chunks?limit=2&include=total_count")
        assert [chunk["id"] for chunk in listed.json["data"]] == [1, 2]
        assert (listed.json["has_more"], listed.json["total_count"]) == (True, 3)
        rest = server.client.good("GET", f"{JOBS}/{job['id']}/chunks?after=2").json
        assert [chunk["id"] for chunk in rest["data"]] == [3]
        assert post_chunk(server.client, job, b"").status == 201
        done = server.client.good("GET", f"{JOBS}/{job['id']}").json
        assert (done["status"], done["complete"]) == ("success", True)
        where = f"/v3/firmware-images/{done['firmware_image_id']}"
        image = server.client.good("GET", where).json
        whole = b"".join(pieces)
        assert image["datafile_checksum"] == hashlib.sha256(whole).hexdigest()
        assert image["datafile_encryption"] is encrypted
        if not encrypted:
            assert server.anybody("GET", image["short_datafile"]).body == whole
        assert post_chunk(server.client, job, b"late").status == 400
        assert server.client("DELETE", f"{JOBS}/{job['id']}").status == 204
        assert post_chunk(server.client, job, b"later").status == 404
        assert server.client("GET", where).status == 200


def test_a_small_chunk_before_the_last_fails_the_job_at_its_end(server: Running) -> None:
    job = server.client.good("POST", JOBS, values={"name": "job"}).json
    assert post_chunk(server.client, job, b"small").status == 201
    assert post_chunk(server.client, job, b"last").status == 201
    assert post_chunk(server.client, job, b"").status == 201
    done = server.client.good("GET", f"{JOBS}/{job['id']}").json
    assert (done["status"], done["complete"], done["firmware_image_id"]) == ("failed", False, None)


def test_change_a_job(server: Running) -> None:
    job = server.client.good("POST", JOBS, values={"name": "job"}).json
    server.client.good("POST", JOBS, values={"name": "other"})
    changed = server.client.good("PUT", f"{JOBS}/{job['id']}", values={"name": "new"}).json
    assert changed["name"] == "new"
    taken = server.client("PUT", f"{JOBS}/{job['id']}", values={"name": "other"})
    assert taken.status == 409
    assert len(server.client.good("GET", JOBS).json["data"]) == 2


def test_who_asks(server: Running) -> None:
    me = server.client.good("GET", "/v3/api-keys/me").json
    assert (me["name"], me["role"], me["status"]) == ("test", "full", "ACTIVE")
    assert "key" not in me
    account = server.client.good("GET", "/v3/accounts/me").json
    assert account["id"] == me["account_id"]


def test_devices(server: Running) -> None:
    device = server.device("one")
    server.device("other", device_class="22" * 16)
    shown = server.client.good("GET", f"/v3/devices/{device.id}").json
    assert (shown["endpoint_name"], shown["state"]) == ("one", "registered")
    matching = server.client.good("GET", f"/v3/devices?filter={quote(FILTER, safe='')}").json
    assert [entry["id"] for entry in matching["data"]] == [device.id]
    assert server.client("DELETE", f"/v3/devices/{device.id}").status == 204
    assert server.client("DELETE", f"/v3/devices/{device.id}").status == 404


PATHS = [
    ("POST", "/v3/firmware-images"),
    ("GET", "/v3/firmware-images"),
    ("GET", "/v3/firmware-images/{image}"),
    ("GET", "/v3/firmware-images/upload-jobs"),
    ("GET", "/v3/firmware-images/upload-jobs/{job}"),
    ("GET", "/v3/firmware-images/upload-jobs/{job}/chunks"),
    ("GET", "/v3/firmware-manifests"),
    ("GET", "/v3/firmware-manifests/{manifest}"),
    ("GET", "/v3/update-campaigns"),
    ("GET", "/v3/update-campaigns/{campaign}"),
    ("GET", "/v3/update-campaigns/{campaign}/statistics"),
    ("GET", "/v3/update-campaigns/{campaign}/statistics/fail"),
    ("GET", "/v3/update-campaigns/{campaign}/statistics/fail/event_types"),
    ("GET", "/v3/update-campaigns/{campaign}/campaign-device-metadata"),
    ("GET", "/v3/devices"),
    ("GET", "/v3/devices/{device}"),
    ("GET", "/v3/api-keys/me"),
    ("GET", "/v3/accounts/me"),
]


def test_both_slash_forms_of_every_path(server: Running) -> None:
    image = server.client.upload(DATA)
    manifest = server.client.upload_manifest(make_manifest(DATA, image["datafile"]))
    ids = {
        "image": image["id"],
        "manifest": manifest["id"],
        "campaign": server.client.campaign(root_manifest_id=manifest["id"])["id"],
        "job": server.client.good("POST", JOBS + "/", values={"name": "job"}).json["id"],
        "device": server.device().id,
    }
    for method, pattern in PATHS:
        path = pattern.format(**ids)
        plain, slash = (server.client(method, text) for text in (path, path + "/"))
        assert plain.status == slash.status, path
        if method == "GET":
            assert plain.status == 200
            assert plain.json == slash.json
        assert server.client("PATCH", path).status == 405, path
        assert server.anybody(method, path).status == 401, path


@pytest.mark.parametrize("path", ["/v3/nothing", "/v3", "/v2/firmware-images", "/files/x", "/%00"])
def test_unknown_paths(server: Running, path: str) -> None:
    assert server.client("GET", path).status == 404


def test_head_is_get_without_a_body(server: Running) -> None:
    answer = server.client("HEAD", "/v3/firmware-images")
    assert (answer.status, answer.body) == (200, b"")


class TestLists:
    @pytest.fixture
    def five(self, server: Running) -> list[Any]:
        return [server.client.upload(DATA, f"image {n}") for n in range(5)]

    def names(self, server: Running, query: str) -> list[str]:
        found = server.client.good("GET", f"/v3/firmware-images?{query}").json
        return [entry["name"] for entry in found["data"]]

    def test_shape(self, server: Running, five: list[Any]) -> None:
        found = server.client.good("GET", "/v3/firmware-images?include=total_count").json
        assert found.pop("data") == five
        assert found == {
            "object": "list", "limit": 50, "after": None, "order": "ASC", "has_more": False,
            "total_count": 5,
        }  # fmt: skip

    def test_pages(self, server: Running, five: list[Any]) -> None:
        for order, expected in (("ASC", five), ("DESC", five[::-1])):
            seen: list[Any] = []
            after = ""
            for _ in range(3):
                query = f"limit=2&order={order}&after={after}"
                found = server.client.good("GET", f"/v3/firmware-images?{query}").json
                seen += found["data"]
                after = found["data"][-1]["id"]
            assert seen == expected
            assert found["has_more"] is False

    def test_an_item_that_vanishes_between_pages(self, server: Running, five: list[Any]) -> None:
        server.client.good("DELETE", f"/v3/firmware-images/{five[1]['id']}")
        query = f"after={five[1]['id']}"
        assert self.names(server, query) == ["image 2", "image 3", "image 4"]

    @pytest.mark.parametrize(
        ("limit", "shown"), [("0", 2), ("1", 2), ("-5", 2), ("3", 3), ("99999", 5)]
    )
    def test_limit_is_clamped(
        self, server: Running, five: list[Any], limit: str, shown: int
    ) -> None:
        assert len(self.names(server, f"limit={limit}")) == shown

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("name__eq=image 3", {3}),
            ("name=image 3", {3}),
            ("name__neq=image 3", {0, 1, 2, 4}),
            ("name__in=image 1,image 2,other", {1, 2}),
            ("name__nin=image 1,image 2", {0, 3, 4}),
            ("created_at__gte=2020-01-01T00:00:00Z", {0, 1, 2, 3, 4}),
            ("created_at__lte=20200101T000000Z", set()),
            ("name__eq=image 1&name__eq=image 2", set()),
        ],
    )
    @pytest.mark.parametrize("whole", [True, False])
    def test_filters(
        self, server: Running, five: list[Any], query: str, expected: set[int], whole: bool
    ) -> None:
        text = f"filter={quote(query, safe='')}" if whole else quote(query, safe="=&")
        assert set(self.names(server, text)) == {f"image {n}" for n in expected}

    def test_characters_of_the_filter_language_in_a_value(self, server: Running) -> None:
        name = "a&b=c,d%e+f g"
        server.client.upload(DATA, name)
        text = quote(f"name__eq={quote(name, safe='')}", safe="")
        assert self.names(server, f"filter={text}") == [name]

    def test_text_is_compared_as_it_is(self, server: Running) -> None:
        server.client.upload(DATA, "Run-20260101-0a0b")
        assert self.names(server, "name__eq=Run-20260101-0a0b") == ["Run-20260101-0a0b"]
        assert self.names(server, "name__eq=run-20260101-0a0b") == []
        assert self.names(server, "name__in=x,Run-20260101-0a0b") == ["Run-20260101-0a0b"]

    def test_ids_with_dashes(self, server: Running) -> None:
        server.device()
        dashed = f"{CLASS[:8]}-{CLASS[8:12]}-{CLASS[12:16]}-{CLASS[16:20]}-{CLASS[20:]}".upper()
        found = server.client.good("GET", f"/v3/devices?device_class__eq={dashed}").json
        assert len(found["data"]) == 1


def test_read_only_keys(server: Running) -> None:
    reader = server.reader()
    image = server.client.upload(DATA)
    assert reader("GET", "/v3/firmware-images").status == 200
    assert reader("DELETE", f"/v3/firmware-images/{image['id']}").status == 403
    assert (
        reader.post_form("/v3/firmware-images", {"name": "x"}, {"datafile": ("f", b"")}).status
        == 403
    )
    assert reader("GET", "/v3/api-keys/me").json["role"] == "read-only"


def test_a_revoked_key_is_useless_at_once(server: Running) -> None:
    from fotabuild.server.access import find_key, revoke_key

    key = server.make_key()
    client = Client(server.port, key)
    assert client("GET", "/v3/api-keys/me").status == 200
    stored = server.service.database.write_now(lambda c: find_key(c, key))
    assert stored is not None
    server.service.database.write_now(lambda c: revoke_key(c, stored.id, 1))
    assert client("GET", "/v3/api-keys/me").status == 401


def test_rate_limit() -> None:
    with running(requests_per_minute=5) as server:
        statuses = [server.client("GET", "/v3/api-keys/me").status for _ in range(6)]
        assert statuses == [200] * 5 + [429]
        late = server.client("GET", "/v3/api-keys/me")
        assert 1 <= int(late.headers["retry-after"]) <= 13
        other = Client(server.port, server.make_key())
        assert other("GET", "/v3/api-keys/me").status == 200


def test_objects_that_were_made_at_once_have_different_ids(server: Running) -> None:
    import threading

    found: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(server.client.upload(DATA, f"{n}")["id"]))
        for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: len(found) == 16, "all uploads")
    assert len(set(found)) == 16
    listed = server.client.good("GET", "/v3/firmware-images?limit=1000").json["data"]
    assert {entry["id"] for entry in listed} == set(found)
