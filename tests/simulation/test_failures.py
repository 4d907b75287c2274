"""Each kind of failure: the old image stays, and the server hears the right code."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fotabuild.device.profile import DeviceFeature
from fotabuild.digest import sha256
from fotabuild.formats.combined_package import encode_package
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.identity import Identity, parse_uuid
from fotabuild.simulation.events import Failure

from ..device import scenes
from ..device.scenes import IDENTITY, IMAGES, NEW, OLD, Scene
from ..ports import reserved_port
from .scene import KEY, PATH, Bench, encrypted, limited, make_device
from .service import Fault, Service

OTHER = parse_uuid("00000000000000000000000000000001")


def _other_bytes(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def _announcing(scene: Scene, content: bytes) -> Scene:
    """The same manifest over another payload."""
    return scene.change(payload_digest=sha256(content), payload_size=len(content)).delivering(
        content
    )


def _damaged(scene: Scene) -> Scene:
    payload = scene.payload or b""
    return _announcing(scene, payload[:100] + _other_bytes(payload[100:]))


# What is wrong, with whose failure it is reported.
WRONG: dict[str, tuple[Callable[[], Scene], Failure]] = {
    "signature": (
        lambda: dataclasses.replace(scenes.raw(), signature=bytes(63) + b"\1"),
        Failure.SIGNATURE,
    ),
    "signed image": (
        lambda: scenes.raw().change(installed_signature=bytes(63) + b"\1"),
        Failure.SIGNATURE,
    ),
    "bytes behind": (
        lambda: dataclasses.replace(scenes.raw(), appended=b"\0"),
        Failure.MANIFEST_DAMAGED,
    ),
    "vendor": (
        lambda: scenes.raw().change(identity=Identity(OTHER, IDENTITY.class_id)),
        Failure.VENDOR_ID,
    ),
    "class": (
        lambda: scenes.raw().change(identity=Identity(IDENTITY.vendor_id, OTHER)),
        Failure.CLASS_ID,
    ),
    "same version": (
        lambda: scenes.raw().change(payload_version="1.0.0"),
        Failure.VERSION_NOT_NEWER,
    ),
    "no version": (lambda: scenes.raw().change(payload_version="abc"), Failure.FIELD_FORMAT),
    "component": (
        lambda: scenes.raw().change(component_name="OTHER"),
        Failure.COMPONENT_UNKNOWN,
    ),
    "long component": (
        lambda: scenes.raw().change(component_name="COMPONENT"),
        Failure.FIELD_SIZE,
    ),
    "long URL": (
        lambda: scenes.raw().change(payload_uri="http://127.0.0.1/" + "a" * 240),
        Failure.URL_INVALID,
    ),
    "no URL": (lambda: scenes.raw().change(payload_uri="fw.bin"), Failure.URL_INVALID),
    "FTP": (
        lambda: scenes.raw().change(payload_uri="ftp://127.0.0.1/fw.bin"),
        Failure.URL_SCHEME,
    ),
    "vendor data": (lambda: scenes.raw().change(vendor_data=b"x"), Failure.FIELD_SIZE),
    "empty": (
        lambda: scenes.raw().change(payload_size=0, payload_digest=sha256(b"")).delivering(b""),
        Failure.FIELD_SIZE,
    ),
    "precursor": (
        lambda: scenes.delta().change(precursor_digest=sha256(b"another")),
        Failure.PRECURSOR,
    ),
    "no key": (lambda: dataclasses.replace(encrypted(), appended=b""), Failure.KEY_MISSING),
    "wrong key": (
        lambda: dataclasses.replace(encrypted(), appended=b"\x81\x10" + bytes(16)),
        Failure.INTEGRITY,
    ),
    "changed ciphertext": (lambda: _damaged(encrypted()), Failure.INTEGRITY),
    "changed payload": (
        lambda: scenes.raw().delivering(_other_bytes(NEW)),
        Failure.PAYLOAD_DIGEST,
    ),
    "changed delta": (
        lambda: scenes.delta().delivering(_other_bytes(scenes.patch())),
        Failure.PAYLOAD_DIGEST,
    ),
    "longer payload": (lambda: scenes.raw().delivering(NEW + b"\0"), Failure.PAYLOAD_DIGEST),
    "shorter payload": (lambda: scenes.raw().delivering(NEW[:-1]), Failure.PAYLOAD_DIGEST),
    "damaged delta": (
        lambda: _announcing(scenes.delta(), scenes.patch()[:40] + bytes([255] * 20)),
        Failure.PARSE,
    ),
    "delta with other literals": (lambda: _damaged(scenes.delta()), Failure.IMAGE_DIGEST),
    "delta cut off": (
        lambda: _announcing(scenes.delta(), scenes.patch()[:-1]),
        Failure.PARSE,
    ),
    "delta to another image": (
        lambda: scenes.delta().change(installed_digest=sha256(b"another")),
        Failure.IMAGE_DIGEST,
    ),
    "delta to a smaller image": (
        lambda: scenes.delta().change(installed_size=len(NEW) - 1),
        Failure.IMAGE_DIGEST,
    ),
    "delta to a larger image": (
        lambda: scenes.delta().change(installed_size=len(NEW) + 1),
        Failure.IMAGE_DIGEST,
    ),
    "large blocks": (lambda: scenes.delta(scenes.patch(1024)), Failure.MEMORY),
    "three images": (
        lambda: scenes.combined([*IMAGES, dataclasses.replace(IMAGES[0], name="sub3")]),
        Failure.PARSE,
    ),
    "no package": (lambda: scenes.combined(content=b"no package"), Failure.PARSE),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_is_reported_and_changes_nothing(wrong: str, bench: Bench) -> None:
    make, failure = WRONG[wrong]
    outcome = bench.update(make())
    assert (outcome.event, bench.service.events()[-1]) == (failure.event, failure.event)
    assert outcome.problem
    assert outcome.version == bench.folder.state().version == "1.0.0"
    assert bench.image == OLD
    assert not {"candidate", "download"} & bench.files()


@pytest.mark.parametrize(
    "make",
    [scenes.delta, scenes.combined, encrypted],
    ids=["delta", "package", "encrypted"],
)
def test_what_its_client_cannot_do(
    make: Callable[[], Scene], service: Service, tmp_path: Path
) -> None:
    folder = make_device(tmp_path / "device", features=())
    with Bench(service, folder) as bench:
        outcome = bench.update(make())
    assert outcome.event == Failure.PAYLOAD_UNSUPPORTED.event
    assert bench.image == OLD


def test_an_unsigned_image_for_a_client_that_wants_it_signed(
    service: Service, tmp_path: Path
) -> None:
    folder = make_device(tmp_path / "device", features=(DeviceFeature.SIGNED_IMAGE,))
    with Bench(service, folder) as bench:
        assert bench.update(scenes.raw()).event == Failure.FIELD_MISSING.event


def test_an_image_larger_than_its_flash(service: Service, tmp_path: Path) -> None:
    folder = make_device(tmp_path / "device", limits=limited(image_size=len(NEW) - 1))
    with Bench(service, folder) as bench:
        outcome = bench.update(scenes.raw())
        # The device takes the sizes in the order of the manifest, the payload's first.
        assert outcome.event == Failure.FIELD_SIZE.event
        bench.service.reports.clear()
        assert bench.update(scenes.delta()).event == Failure.STORAGE.event


def test_a_manifest_of_another_schema(bench: Bench) -> None:
    data = scenes.raw().data.replace(b"\x0a\x01\x03", b"\x0a\x01\x04", 1)
    bench.service.manifest = data
    assert bench.device().run(once=True, timeout=20)[0].event == Failure.SCHEMA_VERSION.event


@pytest.mark.parametrize("data", [b"", b"\0", b"<html>", b"\x30\x84\xff\xff\xff\xff" + bytes(64)])
def test_something_else_than_a_manifest(data: bytes, bench: Bench) -> None:
    bench.service.manifest = data
    assert bench.device().run(once=True, timeout=20)[0].event == Failure.MANIFEST_DAMAGED.event


def test_a_server_of_payloads_that_is_not_there(bench: Bench) -> None:
    with reserved_port() as port:
        url = f"http://127.0.0.1:{port}/fw"
        outcome = bench.update(scenes.raw().change(payload_uri=url))
    assert outcome.event == Failure.DOWNLOAD_CONNECT.event


def test_a_host_that_has_no_address(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def without(host: str, *arguments: Any, **more: Any) -> Any:
        if host == "no-such-host.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", without)
    outcome = bench.update(scenes.raw().change(payload_uri="http://no-such-host.invalid/fw"))
    assert outcome.event == Failure.DOWNLOAD_NAME.event


@pytest.mark.parametrize("status", [301, 302, 307, 400, 403, 404, 410])
def test_a_payload_that_is_refused(status: int, bench: Bench) -> None:
    elsewhere = {"Location": bench.service.url + PATH}
    bench.service.faults[PATH] = [Fault(status=status, headers=elsewhere)]
    outcome = bench.update(scenes.raw())
    assert outcome.event == Failure.DOWNLOAD.event
    assert str(status) in outcome.problem
    assert len(bench.service.requests(PATH)) == 1


def test_a_failure_is_no_end(bench: Bench) -> None:
    bench.update(scenes.delta().delivering(b"something else"))
    bench.service.reports.clear()
    assert bench.update(scenes.delta()).succeeded
    assert bench.image == NEW


def test_newest_version_is_newest(bench: Bench) -> None:
    bench.update(scenes.raw().change(payload_version="999.999.999"))
    bench.service.reports.clear()
    assert bench.update(scenes.raw()).event == Failure.VERSION_NOT_NEWER.event
    assert FirmwareVersion.parse(bench.folder.state().version).major == 999


def test_the_key_is_in_no_message(bench: Bench) -> None:
    bench.update(_damaged(encrypted()))
    said = "".join(bench.told) + str(bench.service.reports)
    assert KEY.hex() not in said
    assert "token-of" not in said


def test_a_package_in_which_sizes_are_wrong(bench: Bench) -> None:
    package = encode_package(IMAGES)
    shorter = package.replace(IMAGES[0].content[:8], b"\0" * 8)
    assert bench.update(scenes.combined(content=shorter)).event == "UPD4_OK_100"
    bench.service.reports.clear()
    swapped = package.replace(b"sub1", b"subX", 1)
    scene = scenes.combined(content=swapped).change(payload_version="1.2.0")
    assert bench.update(scene).event == Failure.PARSE.event
