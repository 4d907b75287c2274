"""For every check a scene in which it fails, with its status, and every other one passes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace

import pytest

from fotabuild.device.profile import DeviceFeature
from fotabuild.device.report import Verdict
from fotabuild.digest import sha256
from fotabuild.errors import VerificationError
from fotabuild.formats.combined_package import PackageImage
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.identity import Identity, parse_uuid
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.signing.pem import PemSigner

from ..formats.golden import OTHER_KEY
from . import scenes
from .scenes import IDENTITY, IMAGES, NEW, OLD, Scene, combined, delta, encrypted, raw

OTHER = PemSigner.open(OTHER_KEY)
ID = parse_uuid("00000000000000000000000000000001")
ANY_SIGNATURE = scenes.SIGNER.sign(b"something else")
# No version is newer than a text that is none.
FIRST = raw().on(installed_version=None)
FULL = (DeviceFeature.DELTA, DeviceFeature.COMBINED, DeviceFeature.ENCRYPTED)


@dataclass(frozen=True)
class Case:
    """The check that must fail, its status, and the scene."""

    check: str
    status: int | None
    scene: Scene
    note: str = ""

    def __str__(self) -> str:
        return f"{self.check} {self.note}".strip()


def images(name: str = "sub2", vendor_data: bytes = b"v", size: int = 5) -> list[PackageImage]:
    return [IMAGES[0], PackageImage(name, vendor_data, bytes(size))]


CASES = [
    # In the order of the table in manifest-v3, section 6.
    Case("signature", -23, dataclasses.replace(raw(), signature=ANY_SIGNATURE), "other data"),
    Case("signature", -23, raw().on(public_key=OTHER.public_key()), "other key"),
    Case("vendor-id", -30, raw().on(identity=Identity(ID, IDENTITY.class_id))),
    Case("class-id", -31, raw().on(identity=Identity(IDENTITY.vendor_id, ID))),
    Case("update-priority", -22, raw().change(update_priority=2**31)),
    Case("component-name", -22, raw().change(component_name="ABCDEFGHI")),
    Case("component-name", -22, raw().change(component_name="\u00e4" * 5), "ten bytes"),
    Case("payload-version", -22, raw().limited(version_size=4)),
    Case("payload-version-text", -41, FIRST.change(payload_version="1000.0.0"), "1000"),
    Case("payload-version-text", -41, FIRST.change(payload_version="1.2"), "two parts"),
    Case("payload-version-text", -41, FIRST.change(payload_version="-1.2.3"), "negative"),
    Case("payload-size", -22, encrypted().limited(image_size=len(NEW) + 5)),
    Case("payload-uri", -21, raw().change(payload_uri="https://" + "u" * 248)),
    Case("payload-uri", -21, raw().change(payload_uri="\u00e4" * 128), "256 bytes"),
    Case("payload-format", -25, delta().delivering(None).featuring(*FULL[1:]), "patch"),
    Case("payload-format", -25, combined().delivering(None).featuring(FULL[0]), "package"),
    Case("payload-format", -25, encrypted().featuring(*FULL[:2]), "encrypted"),
    Case("installed-signature", -22, raw().featuring(DeviceFeature.SIGNED_IMAGE), "missing"),
    Case("installed-signature", -26, raw().change(installed_signature=ANY_SIGNATURE), "wrong"),
    Case(
        "installed-signature",
        -26,
        delta().change(installed_signature=scenes.SIGNER.sign_digest(sha256(scenes.patch()))),
        "of the patch in place of the image",
    ),
    Case("vendor-data", -29, raw().change(vendor_data=b"x")),
    Case("vendor-data", -29, raw().limited(vendor_data_size=8).change(vendor_data=bytes(9)), "9"),
    Case("newer-version", -27, raw().on(installed_version=FirmwareVersion(1, 1, 0)), "same"),
    Case("newer-version", -27, raw().on(installed_version=FirmwareVersion(1, 10, 0)), "older"),
    Case("precursor-digest", -32, delta().delivering(None).on(installed_image=OLD + b"x")),
    Case("image-size", -33, delta().limited(image_size=len(NEW) - 1)),
    Case("payload-not-empty", None, raw().change(payload_size=0, payload_digest=sha256(b""))
         .delivering(b"")),
    Case("payload-length", -84, raw().change(payload_size=len(NEW) - 1), "longer"),
    Case("payload-length", -84, raw().change(payload_size=len(NEW) + 1), "shorter"),
    Case("payload-digest", -26, raw().delivering(NEW[:-1] + b"x"), "image"),
    Case("payload-decryption", -26, replace(encrypted(), appended=b"\x81\x10" + bytes(16))),
    Case("payload-digest", -26, encrypted().change(payload_digest=sha256(NEW)), "encrypted"),
    Case("patch-memory", -42, delta(scenes.patch(1024))),
    Case("patch-stream", -42, delta(scenes.patch()[:-1]), "cut off"),
    Case("patch-stream", -42, delta(scenes.patch() + b"x"), "longer"),
    Case("installed-digest", -26, delta().change(installed_digest=sha256(OLD))),
    Case("installed-size", -26, delta().change(installed_size=len(NEW) + 1), "not the real one"),
    Case("package-structure", -46, combined(content=b"no tar at all"), "no tar"),
    Case("package-structure", -46, combined(content=combined().payload[:-1024]), "cut"),  # type: ignore[index]
    Case("package-images", -47, combined([*IMAGES, PackageImage("sub3", b"v", b"")])),
    Case("sub-component-name:ninebytes", -48, combined(images(name="ninebytes"))),
    Case("sub-component-vendor-data:sub2", -49, combined(images(vendor_data=bytes(33)))),
]  # fmt: skip


@pytest.mark.parametrize("scene", [raw(), delta(), combined(), encrypted(), raw().signed_image(),
                                   delta().signed_image(), encrypted().signed_image()],
                         ids=["raw", "delta", "combined", "encrypted", "raw signed",
                              "delta signed", "encrypted signed"])  # fmt: skip
def test_good_artifacts_pass_every_check(scene: Scene) -> None:
    report = scene.report()
    assert {result.verdict for result in report.results} == {Verdict.PASSED}
    assert len(report.results) >= 19
    assert report.accepted
    report.require()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_exactly_this_check_fails(case: Case) -> None:
    report = case.scene.report()
    (failure,) = report.failures
    assert (failure.name, failure.device_status) == (case.check, case.status)
    others = {r.verdict for r in report.results if r is not failure}
    # A check is left out only where the scene leaves something open.
    unknown = None in (case.scene.payload, case.scene.device.installed_version)
    assert others == {Verdict.PASSED, *([Verdict.SKIPPED] if unknown else [])}
    assert not report.accepted
    with pytest.raises(VerificationError, match=f"a device would refuse this: {case.check}: "):
        report.require()


def test_every_check_has_its_scene() -> None:
    """Structure and single images of a package have tests of their own."""
    scenes_of_all = (raw(), delta(), combined(), encrypted())
    names = {result.name for scene in scenes_of_all for result in scene.report().results}
    stems = {name.partition(":")[0] for name in names}
    assert stems - {case.check.partition(":")[0] for case in CASES} == {
        "manifest-structure",
        "manifest-size",
        "package-support",
        "patch-support",
        "sub-component-size",
    }


def test_all_problems_are_told_at_once() -> None:
    scene = raw().change(component_name="ABCDEFGHI", vendor_data=b"x").delivering(b"other")
    with pytest.raises(VerificationError) as caught:
        scene.report().require()
    names = ["component-name", "vendor-data", "payload-length", "payload-digest"]
    assert [result.name for result in scene.report().failures] == names
    assert all(f"{name}: " in caught.value.problem for name in names)
    assert "FOTA_MANIFEST_VENDOR_DATA_SIZE" in (caught.value.remedy or "")


def test_reserved_format_of_an_encrypted_patch_does_not_exist() -> None:
    assert 0x0105 not in {payload_format.number for payload_format in PayloadFormat}
