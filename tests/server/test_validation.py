"""What is refused, and with which status (device-management-api, section 5.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fotabuild.server.limits import ServerLimits

from .harness import CLASS, Running, content_md5, make_form, make_manifest, registration, running

DATA = b"firmware" * 100
IMAGES, MANIFESTS, CAMPAIGNS = (
    "/v3/firmware-images",
    "/v3/firmware-manifests",
    "/v3/update-campaigns",
)
JOBS = IMAGES + "/upload-jobs"
NOBODY = "0" * 32


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    """One server for requests that change nothing."""
    limits = ServerLimits(image=5000, chunk_max=5000, drain=1 << 20, json=4096)
    with running(limits=limits) as found:
        yield found


@pytest.fixture(scope="module")
def manifest(shared: Running) -> Any:
    return shared.client.upload_manifest(make_manifest(DATA, "http://127.0.0.1/x"))


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic dXNlcjpwYXNz",
        "ak_x",
        "Bearer " + "a" * 600,
    ],
)
def test_authorization(shared: Running, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = shared.anybody("GET", IMAGES, headers=headers)
    assert answer.status == 401
    assert "a" * 600 not in answer.body.decode()


def test_a_key_of_another_case_is_another_key(shared: Running) -> None:
    assert shared.client.key is not None
    key = shared.client.key.swapcase()
    assert shared.anybody("GET", IMAGES, headers={"Authorization": f"Bearer {key}"}).status == 401


FORMS: dict[str, tuple[dict[str, str], dict[str, tuple[str, bytes]], int, str]] = {
    "no name": ({}, {"datafile": ("f", DATA)}, 400, "name"),
    "no file": ({"name": "x"}, {}, 400, "datafile"),
    "long name": ({"name": "x" * 129}, {"datafile": ("f", DATA)}, 400, "name"),
    "long description": (
        {"name": "x", "description": "x" * 2001}, {"datafile": ("f", DATA)}, 400, "description",
    ),
    "long file name": ({"name": "x"}, {"datafile": ("f" * 167, DATA)}, 400, "datafile"),
    "unknown part": ({"name": "x", "other": "y"}, {"datafile": ("f", DATA)}, 400, "other"),
    "unknown file": ({"name": "x"}, {"datafile": ("f", DATA), "x": ("f", b"")}, 400, "x"),
    "encryption of perhaps": (
        {"name": "x", "datafile_encryption": "perhaps"}, {"datafile": ("f", DATA)}, 400,
        "datafile_encryption",
    ),
    "too large": ({"name": "x"}, {"datafile": ("f", bytes(5001))}, 413, ""),
    "far too large": ({"name": "x"}, {"datafile": ("f", bytes(500_000))}, 413, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", FORMS)
def test_image_forms(shared: Running, case: str) -> None:
    texts, files, status, field = FORMS[case]
    answer = shared.client.post_form(IMAGES, texts, files)
    assert answer.status == status, answer.body
    if field:
        assert field in [entry["name"] for entry in answer.json["fields"]]
    assert shared.client.good("GET", IMAGES).json["data"] == []
    assert list(shared.service.blobs._incoming.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 128, "ä" * 128, "名前", "a\nb", "<b>"])
def test_names_that_are_right(name: str) -> None:
    with running() as server:
        assert server.client.upload(DATA, name)["name"] == name


GOOD, KIND = make_form({"name": "x"}, {"datafile": ("f", DATA)})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (GOOD, "application/json"),
        (GOOD, "multipart/form-data"),
        (GOOD, "multipart/form-data; boundary=other"),
        (GOOD, ""),
        (GOOD[:-10], KIND),
        (GOOD[:40], KIND),
        (b"", KIND),
        (b"--x", "multipart/form-data; boundary=x"),
        (GOOD, "multipart/form-data; boundary=" + "b" * 500),
        (GOOD.replace(b'name="name"', b'nome="name"'), KIND),
        (GOOD.replace(b'name="name"', b'name="datafile"; filename="x"'), KIND),
        (GOOD.replace(b"form-data", b"attachment"), KIND),
        (GOOD.replace(b"Content-Disposition", b"X" * 6000), KIND),
        (GOOD.replace(b'"name"\r\n', b'"name"\r\n' + b"A: b\r\n" * 100), KIND),
        (GOOD.replace(b"x\r\n", b"\xff\xfe\r\n", 1), KIND),
    ],
)
def test_broken_forms(shared: Running, body: bytes, kind: str) -> None:
    answer = shared.client("POST", IMAGES, body, {"Content-Type": kind})
    assert answer.status == 400, answer.body
    assert shared.client.good("GET", IMAGES).json["data"] == []
    assert list(shared.service.blobs._incoming.iterdir()) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no DER",
        b"\x30\x80\x00\x00",
        make_manifest(DATA, "u")[:-1],
        make_manifest(DATA, "u") + b"x",
        make_manifest(DATA, "u") + b"\x81\x10" + bytes(16),
        make_manifest(DATA, "u" * 2000),
        bytes(5000),
        b"\x30\x84\x7f\xff\xff\xff",
    ],
)
def test_manifests(shared: Running, data: bytes) -> None:
    answer = shared.client.post_form(MANIFESTS, {"name": "x"}, {"datafile": ("f", data)})
    assert answer.status == 400, answer.body
    assert [entry["name"] for entry in answer.json["fields"]] == ["datafile"]


def test_the_file_name_of_a_manifest(shared: Running) -> None:
    data = make_manifest(DATA, "u")
    long = shared.client.post_form(MANIFESTS, {"name": "x"}, {"datafile": ("f" * 101, data)})
    assert long.status == 400
    assert (
        shared.client.post_form(MANIFESTS, {"name": "x"}, {"datafile": ("f" * 100, data)}).status
        == 201
    )


CAMPAIGN_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no filter": ({"device_filter": None}, "device_filter"),
    "empty filter": ({"device_filter": ""}, "device_filter"),
    "a filter that is a number": ({"device_filter": 1}, "device_filter"),
    "unknown field": ({"device_filter": "nothing__eq=1"}, "device_filter"),
    "unknown operator": ({"device_filter": "id__like=1"}, "device_filter"),
    "operator not for the field": ({"device_filter": "id__gte=1"}, "device_filter"),
    "equal time": ({"device_filter": "created_at__eq=2020-01-01T00:00:00Z"}, "device_filter"),
    "bad time": ({"device_filter": "created_at__gte=yesterday"}, "device_filter"),
    "impossible time": ({"device_filter": "created_at__gte=2020-13-01T00:00:00Z"}, "device_filter"),
    "attributes know eq only": ({"device_filter": "custom_attributes__a__neq=1"}, "device_filter"),
    "no term": ({"device_filter": "id"}, "device_filter"),
    "an empty term": ({"device_filter": "id__eq=1&&id__eq=2"}, "device_filter"),
    "too long a filter": ({"device_filter": "id__eq=" + "1" * 5000}, "device_filter"),
    "too many terms": ({"device_filter": "&".join(["id__eq=1"] * 40)}, "device_filter"),
    "SQL in a field": ({"device_filter": "id) OR (1__eq=1"}, "device_filter"),
    "unknown manifest": ({"root_manifest_id": NOBODY}, "root_manifest_id"),
    "no manifest": ({"root_manifest_id": None}, "root_manifest_id"),
    "a manifest id in capitals": ({"root_manifest_id": "A" * 32}, "root_manifest_id"),
    "long name": ({"name": "x" * 129}, "name"),
    "name of a number": ({"name": 5}, "name"),
    "lone surrogate": ({"name": "\ud800"}, "name"),
    "long description": ({"description": "x" * 2001}, "description"),
    "unknown strategy": ({"campaign_strategy": "mesh"}, "campaign_strategy"),
    "list as strategy": ({"campaign_strategy": []}, "campaign_strategy"),
    "percent": ({"autostop_success_percent": 101}, "autostop_success_percent"),
    "no percent": ({"autostop_success_percent": 0}, "autostop_success_percent"),
    "true percent": ({"autostop_success_percent": True}, "autostop_success_percent"),
    "autostop": ({"autostop": "yes"}, "autostop"),
    "when": ({"when": "soon"}, "when"),
}


@pytest.mark.parametrize("case", CAMPAIGN_FAULTS)
def test_campaigns(shared: Running, manifest: Any, case: str) -> None:
    changes, field = CAMPAIGN_FAULTS[case]
    values = {
        "device_filter": f"device_class__eq={CLASS}",
        "root_manifest_id": manifest["id"],
        **changes,
    }
    values = {name: value for name, value in values.items() if value is not None}
    answer = shared.client("POST", CAMPAIGNS, values=values)
    assert answer.status in (400, 413), answer.body
    if answer.status == 400:
        assert field in [entry["name"] for entry in answer.json["fields"]]
    assert shared.client.good("GET", CAMPAIGNS).json["data"] == []


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "text/plain", 400),
        (b"{}", "", 400),
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b'{"name": "a", "name": "b"}', "application/json", 400),
        (b'\xff{"name": "a"}', "application/json", 400),
        (b'{"a":' * 17 + b"1" + b"}" * 17, "application/json", 400),
        (b"[" * 4000, "application/json", 400),
        (b'{"a": "' + b"x" * 5000 + b'"}', "application/json", 413),
        (b'{"a": ' + b"9" * 4000 + b"}", "application/json", 400),
    ],
)
def test_json_bodies(shared: Running, body: bytes, kind: str, status: int) -> None:
    answer = shared.client("POST", CAMPAIGNS, body, {"Content-Type": kind})
    assert answer.status == status, answer.body


@pytest.mark.parametrize(
    "query",
    [
        "limit=many", "limit=1e3", "order=UP", "after=x", "after=" + "A" * 32, "filter=",
        "filter=x__eq%3D1", "x__eq=1", "filter=id", "limit=2&limit=3", "name__lt=1",
    ],
)  # fmt: skip
def test_list_queries(shared: Running, query: str) -> None:
    for path in (IMAGES, MANIFESTS, CAMPAIGNS, "/v3/devices", JOBS):
        assert shared.client("GET", f"{path}?{query}").status == 400, path


@pytest.mark.parametrize(
    "identifier", [NOBODY, "x", "0" * 31, "A" * 32, "0" * 33, "%2e%2e", "0" * 31 + "%00"]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", IMAGES + "/{}"),
        ("DELETE", IMAGES + "/{}"),
        ("GET", MANIFESTS + "/{}"),
        ("DELETE", MANIFESTS + "/{}"),
        ("GET", CAMPAIGNS + "/{}"),
        ("DELETE", CAMPAIGNS + "/{}"),
        ("POST", CAMPAIGNS + "/{}/start"),
        ("POST", CAMPAIGNS + "/{}/stop"),
        ("POST", CAMPAIGNS + "/{}/archive"),
        ("GET", CAMPAIGNS + "/{}/statistics"),
        ("GET", CAMPAIGNS + "/{}/statistics/fail/event_types"),
        ("GET", CAMPAIGNS + "/{}/campaign-device-metadata"),
        ("GET", JOBS + "/{}"),
        ("DELETE", JOBS + "/{}"),
        ("GET", JOBS + "/{}/chunks"),
        ("GET", JOBS + "/{}/chunks/1"),
        ("GET", "/v3/devices/{}"),
        ("DELETE", "/v3/devices/{}"),
    ],
)
def test_identifiers_that_nothing_has(
    shared: Running, method: str, path: str, identifier: str
) -> None:
    assert shared.client(method, path.format(identifier)).status == 404


def test_unknown_parts_of_statistics(shared: Running, manifest: Any) -> None:
    with running() as server:
        uploaded = server.client.upload_manifest(make_manifest(DATA, "u"))
        campaign = server.client.campaign(root_manifest_id=uploaded["id"])
        where = f"{CAMPAIGNS}/{campaign['id']}"
        for rest in (
            "statistics/other",
            "statistics/other/event_types",
            "statistics/fail/event_types/UPD4_FAIL_210",
            f"campaign-device-metadata/{NOBODY}",
        ):
            assert server.client("GET", f"{where}/{rest}").status == 404, rest
        for action in ("stop", "archive", "approve"):
            assert server.client("POST", f"{where}/{action}").status == 409


@pytest.fixture(scope="module")
def job(shared: Running) -> Any:
    return shared.client.good("POST", JOBS, values={"name": "job"}).json


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-MD5": None}, DATA, 400),
        ({"Content-MD5": content_md5(b"other")}, DATA, 400),
        ({"Content-MD5": "x"}, DATA, 400),
        ({"Content-MD5": "eA=="}, DATA, 400),
        ({"Content-Type": "application/json"}, DATA, 400),
        ({}, bytes(5001), 413),
    ],
)
def test_chunks(
    shared: Running, job: Any, headers: dict[str, str | None], body: bytes, status: int
) -> None:
    sent: dict[str, str | None] = {
        "Content-Type": "binary/octet-stream", "Content-MD5": content_md5(body), **headers,
    }  # fmt: skip
    where = f"{JOBS}/{job['id']}/chunks"
    given = {name: value for name, value in sent.items() if value is not None}
    assert shared.client("POST", where, body, given).status == status
    assert shared.client.good("GET", where).json["data"] == []


def test_a_chunk_of_unknown_length_is_411(shared: Running, job: Any) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=10)
    headers = {
        "Authorization": f"Bearer {shared.client.key}",
        "Content-MD5": content_md5(DATA),
        "Transfer-Encoding": "chunked",
    }
    connection.request(
        "POST", f"{JOBS}/{job['id']}/chunks", iter([DATA]), headers, encode_chunked=True
    )
    assert connection.getresponse().status == 411
    connection.close()


@pytest.mark.parametrize(
    "values",
    [{}, {"name": 1}, {"name": "x" * 129}, {"name": "x", "datafile_encryption": "True"},
     {"name": "x", "description": "x" * 2001}],
)  # fmt: skip
def test_jobs(shared: Running, values: dict[str, Any]) -> None:
    assert shared.client("POST", JOBS, values=values).status == 400


def test_the_name_of_a_job_is_used(shared: Running, job: Any) -> None:
    assert shared.client("POST", JOBS, values={"name": "job"}).status == 409


def test_full_tables() -> None:
    limits = ServerLimits(images=1, manifests=1, campaigns=1, jobs=1, devices=1)
    with running(limits=limits) as server:
        server.client.upload(DATA)
        full = server.client.post_form(IMAGES, {"name": "x"}, {"datafile": ("f", DATA)})
        assert full.status == 403
        manifest = server.client.upload_manifest(make_manifest(DATA, "u"))
        again = {"datafile": ("f", make_manifest(DATA, "u"))}
        assert server.client.post_form(MANIFESTS, {"name": "x"}, again).status == 403
        campaign = server.client.campaign(root_manifest_id=manifest["id"])
        values = {"device_filter": "id__eq=1", "root_manifest_id": manifest["id"]}
        assert server.client("POST", CAMPAIGNS, values=values).status == 403
        server.client.good("POST", JOBS, values={"name": "a"})
        assert server.client("POST", JOBS, values={"name": "b"}).status == 403
        server.device("one")
        two = server.anybody("POST", "/device/v1/register", values=registration("two"))
        assert two.status == 403
        server.client.good("DELETE", f"{CAMPAIGNS}/{campaign['id']}")
        server.client.campaign(root_manifest_id=manifest["id"])
