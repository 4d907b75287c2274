"""manifest-tool parses and verifies every manifest that we write, in all formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.cli.main import main
from fotabuild.formats.manifest_v3 import SignedManifestV3, decode_signed

from .cases import PAYLOADS, VARIANTS, make_config, write_config
from .conftest import Tally
from .peer import PeerResult, run_peer

pytestmark = pytest.mark.peer
VERIFIED = "INFO Manifest Signature verified!"
IMAGE_VERIFIED = "INFO Image Signature verified!"


# Every format signed and unsigned with the two ends, and each once with what lies between.
CASES = [
    (payload_format, sign_image, variant)
    for index, payload_format in enumerate(PAYLOADS)
    for sign_image in (False, True)
    for variant in VARIANTS
    if variant in ("plain", "longest") or (variant == "names") == (sign_image == index % 2)
]


@pytest.mark.parametrize(("payload_format", "sign_image", "variant"), CASES)
def test_parses_and_verifies(
    payload_format: str,
    sign_image: bool,
    variant: str,
    payloads: Path,
    tmp_path: Path,
    tally: Tally,
) -> None:
    config = write_config(payloads, make_config(payload_format, sign_image, VARIANTS[variant]))
    output = tmp_path / "ours.manifest"
    arguments = [f"--config={config}", f"--key={payloads / 'key.pem'}", f"--output={output}"]
    assert main(["-q", "manifest", "create", "--fw-version=1.1.0", *arguments]) == 0
    if sign_image and payload_format.startswith("encrypted"):
        with tally.count("of our manifests read, with its wrong verdict on encrypted and signed"):
            read_but_not_verified(payloads, output)
    else:
        with tally.count("of our manifests verified"):
            read_and_verified(payloads, output, sign_image)


def read_and_verified(payloads: Path, output: Path, sign_image: bool) -> None:
    found = run_peer("manifest-tool", "parse", output, "-p", "pub.bin", cwd=payloads)
    verdicts = [message for message in found.messages if "ignature" in message]
    assert verdicts == [VERIFIED, *([IMAGE_VERIFIED] if sign_image else [])]
    assert found.status == 0
    assert found.fields == expected_fields(decode_signed(output.read_bytes()))


def read_but_not_verified(payloads: Path, output: Path) -> None:
    """It compares the image signature with the digest of the encrypted payload.

    So it refuses what devices accept, also its own manifests. Without a key it reads them.
    """
    found = run_peer("manifest-tool", "parse", output, "-p", "pub.bin", cwd=payloads)
    assert found.messages == (VERIFIED, "ERROR Image Signature verification failed")
    assert found.status == 1
    unverified = run_peer("manifest-tool", "parse", output, cwd=payloads)
    assert unverified.status == 0
    assert unverified.fields == expected_fields(decode_signed(output.read_bytes()))


def test_cases_reach_everything() -> None:
    assert len(CASES) == 30
    assert {case[:2] for case in CASES} == {(f, s) for f in PAYLOADS for s in (False, True)}
    assert {(case[0], case[2]) for case in CASES} == {(f, v) for f in PAYLOADS for v in VARIANTS}


def test_a_changed_manifest_does_not_verify(payloads: Path, tmp_path: Path) -> None:
    """The peer does verify: it refuses what we would refuse."""
    config = write_config(payloads, make_config("raw-binary", False, VARIANTS["plain"]))
    output = tmp_path / "ours.manifest"
    arguments = [f"--config={config}", f"--key={payloads / 'key.pem'}", f"--output={output}"]
    assert main(["-q", "manifest", "create", "--fw-version=1.1.0", *arguments]) == 0
    output.write_bytes(output.read_bytes().replace(b"1.1.0", b"1.1.1"))
    found: PeerResult = run_peer("manifest-tool", "parse", output, "-p", "pub.bin", cwd=payloads)
    assert found.status == 1
    assert VERIFIED not in found.messages


def expected_fields(signed: SignedManifestV3) -> dict[str, str]:
    """Our manifest in the words of the peer's dump."""
    m = signed.manifest
    fields: dict[str, object] = {
        "manifest-version": 3,
        "vendor-id": octets(m.identity.vendor_id.bytes),
        "class-id": octets(m.identity.class_id.bytes),
        "update-priority": m.update_priority,
        "component-name": m.component_name,
        "payload-version": m.payload_version,
        "payload-digest": octets(m.payload_digest),
        "payload-size": m.payload_size,
        "payload-uri": m.payload_uri,
        "payload-format": m.payload_format.number,
        "installed-signature": octets(m.installed_signature),
        "signature": octets(signed.signature),
    }
    if m.installed_digest is not None:
        fields["installed-size"] = m.installed_size
        fields["installed-digest"] = octets(m.installed_digest)
    if m.precursor_digest is not None:
        fields["precursor-digest"] = octets(m.precursor_digest)
    if m.vendor_data is not None:
        fields["vendor-data"] = octets(m.vendor_data)
    return {name: str(value) for name, value in fields.items()}


def octets(data: bytes) -> str:
    """Text when it is UTF-8, else hexadecimal, as the peer prints octet strings."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.hex()
