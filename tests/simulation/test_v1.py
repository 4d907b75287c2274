"""Manifests of schema v1: devices with either client, by number and by semantic version."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fotabuild.device.profile import DeviceFeature, UpdateClient
from fotabuild.digest import sha256
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.manifest_v1 import ManifestV1, encode_resource, encode_signed
from fotabuild.signing.der_signature import raw_to_der
from fotabuild.simulation.events import SUCCESS, Failure
from fotabuild.simulation.folder import DeviceFolder
from fotabuild.simulation.update import Outcome

from ..device import scenes
from ..device.scenes import NEW, OLD, SIGNER
from ..device.scenes_v1 import GOOD, delta, sign
from ..formats.golden import CERTIFICATE
from .scene import PATH, SETTINGS, Bench, limited
from .service import Service

DELTA = (DeviceFeature.DELTA,)


def make_v1(path: Path, version: str = "1600000000", **changes: Any) -> DeviceFolder:
    settings = msgspec.structs.replace(SETTINGS, **{"schemas": (1,), "features": DELTA, **changes})
    return DeviceFolder.create(path, settings, CERTIFICATE.read_bytes(), OLD, version)


def update(bench: Bench, manifest: ManifestV1, payload: bytes = NEW, data: bytes = b"") -> Outcome:
    if manifest.payload_uri == GOOD.payload_uri:
        manifest = dataclasses.replace(manifest, payload_uri=bench.service.url + PATH)
    bench.service.payloads[PATH] = payload
    bench.service.manifest = data or sign(manifest)
    bench.service.reports.clear()  # Offered until there is a result.
    (outcome,) = bench.device().run(once=True, timeout=20)
    return outcome


@pytest.mark.parametrize("client", [*UpdateClient, None])
@pytest.mark.parametrize("kind", ["full", "delta"])
def test_it_is_installed(
    client: UpdateClient | None, kind: str, service: Service, tmp_path: Path
) -> None:
    manifest, payload = (GOOD, NEW) if kind == "full" else delta()
    with Bench(service, make_v1(tmp_path / "device", client=client)) as bench:
        done = update(bench, manifest, payload)
        assert (done.event, done.version, bench.image) == (SUCCESS, "1700000000", NEW), done
        assert service.registered["device"]["firmware_version"] == "1600000000"
        assert service.reports["device"][-1]["firmware_version"] == "1700000000"


def test_from_numbers_to_semantic_versions(service: Service, tmp_path: Path) -> None:
    with Bench(service, make_v1(tmp_path / "device", "9223372036854775807")) as bench:
        assert update(bench, GOOD).event == Failure.VERSION_NOT_NEWER.event
    number = FirmwareVersion(1, 2, 3).to_device_number()
    with Bench(service, make_v1(tmp_path / "other")) as bench:
        manifest = dataclasses.replace(GOOD, timestamp=number)
        assert update(bench, manifest).version == "1.2.3"
        later = dataclasses.replace(GOOD, timestamp=1_800_000_000)
        assert update(bench, later).event == Failure.VERSION_NOT_NEWER.event


def test_a_device_with_both_schemas_goes_on_from_a_number_with_v3(
    service: Service, tmp_path: Path
) -> None:
    with Bench(service, make_v1(tmp_path / "device", schemas=(3, 1))) as bench:
        assert update(bench, GOOD).version == "1700000000"
        service.reports.clear()
        assert bench.update(scenes.raw()).version == "1.1.0"


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"timestamp": 1_600_000_000}, Failure.VERSION_NOT_NEWER),
        ({"vendor_info": b"x"}, Failure.FIELD_SIZE),
        ({"priority": 2**31}, Failure.FIELD_SIZE),
        ({"payload_uri": "http://a/" + "x" * 247}, Failure.URL_INVALID),
        ({"payload_uri": "https://updates.example.com/a"}, Failure.URL_SCHEME),
        ({"encryption_mode": 3}, Failure.CRYPTO_MODE),
        ({"payload_digest": bytes(32)}, Failure.PAYLOAD_DIGEST),
    ],
)
def test_what_the_older_client_says(
    changes: dict[str, Any], failure: Failure, service: Service, tmp_path: Path
) -> None:
    with Bench(service, make_v1(tmp_path / "device", client=UpdateClient.HUB)) as bench:
        done = update(bench, dataclasses.replace(GOOD, **changes))
        assert (done.event, bench.image) == (failure.event, OLD), done.problem


def test_more_that_it_says(service: Service, tmp_path: Path) -> None:
    signature = raw_to_der(SIGNER.sign(encode_resource(GOOD)))
    certificate = sha256(CERTIFICATE.read_bytes())
    good = encode_signed(GOOD, signature, certificate)
    wrong = {
        Failure.CERTIFICATE: encode_signed(GOOD, signature, bytes(32)),
        Failure.SIGNATURE: encode_signed(
            GOOD, raw_to_der(SIGNER.sign(b"something else")), certificate
        ),
        Failure.MANIFEST_DAMAGED: good.replace(sha256(encode_resource(GOOD)), bytes(32)),
    }
    for failure, data in wrong.items():
        folder = make_v1(tmp_path / failure.name, client=UpdateClient.HUB)
        with Bench(service, folder) as bench:
            assert update(bench, GOOD, data=data).event == failure.event
    manifest, payload = delta()
    other = dataclasses.replace(manifest, precursor_digest=bytes(32))
    with Bench(service, make_v1(tmp_path / "other image")) as bench:
        assert update(bench, other, payload).event == Failure.PRECURSOR.event
    with Bench(service, make_v1(tmp_path / "no delta", features=())) as bench:
        assert update(bench, manifest, payload).event == Failure.PAYLOAD_UNSUPPORTED.event
    with Bench(service, make_v1(tmp_path / "small", limits=limited(patch_memory=1023))) as bench:
        assert update(bench, manifest, payload).event == Failure.MEMORY.event
    with Bench(service, make_v1(tmp_path / "radio", component="RADIO")) as bench:
        assert update(bench, GOOD).event == Failure.COMPONENT_UNKNOWN.event


@pytest.mark.parametrize(
    ("schemas", "client"), [((3,), None), ((3,), UpdateClient.FOTA), ((3, 1), UpdateClient.HUB)]
)
def test_a_schema_that_its_client_does_not_read(
    schemas: tuple[int, ...], client: UpdateClient | None, service: Service, tmp_path: Path
) -> None:
    folder = make_v1(tmp_path / "device", "1.0.0", schemas=schemas, client=client)
    with Bench(service, folder) as bench:
        old = client is UpdateClient.HUB
        done = bench.update(scenes.raw()) if old else update(bench, GOOD)
        assert (done.event, bench.image) == (Failure.SCHEMA_VERSION.event, OLD), done.problem
