"""The vectors of SUIT manifests, and short ways to make and read envelopes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fotabuild.formats.suit.description import Description
from fotabuild.formats.suit.description_reader import read_description
from fotabuild.formats.suit.envelope import create_envelope
from fotabuild.formats.suit.names import Profile
from fotabuild.signing.cose_verify import VerificationKey, load_secret, load_verification_key

from ..conftest import VECTORS

SUIT = VECTORS / "suit"
INDEX: dict[str, Any] = json.loads((SUIT / "index.json").read_text())
KEYS = SUIT / "keys"
P256 = KEYS / "es256-ietf-draft-example.pem"
P384, P521, ED25519 = (KEYS / f"{n}-test.pem" for n in ("es384", "es512", "ed25519"))
HSS, HMAC = KEYS / "hsslms-test.prv", KEYS / "hmac256-test.key"
VENDOR, CLASS = "0637e301-e05d-505b-8267-486f5677de9b", "a269d48e-6987-5cc6-becc-22065907d317"
OTHER_CLASS = "ad0ead40-2afd-5569-8909-98f7125da617"
APP = (SUIT / "payloads/app.bin").read_bytes()
RADIO = (SUIT / "payloads/radio.bin").read_bytes()
GZIP = (SUIT / "payloads/app.bin.gz").read_bytes()
BOTH = list(Profile)


def read_payload(name: str) -> bytes:
    return (SUIT / name).read_bytes()


def describe(
    value: Mapping[str, object] | bytes,
    payloads: Callable[[str], bytes] = read_payload,
    *,
    allow_unknown: bool = False,
) -> Description:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return read_description(data, payloads, allow_unknown=allow_unknown)


def make(
    value: Mapping[str, object] | bytes,
    profile: Profile = Profile.CURRENT,
    *,
    severable: bool = False,
) -> bytes:
    return create_envelope(describe(value), profile, severable=severable).data


def public_keys() -> list[VerificationKey]:
    names = [f"{path.stem}.pub.pem" for path in (P256, P384, P521, ED25519)]
    return [load_verification_key((KEYS / n).read_bytes()) for n in (*names, "hsslms-test.pub")]


def all_keys() -> list[VerificationKey]:
    return [*public_keys(), load_secret(HMAC.read_bytes())]


def component(**changes: object) -> dict[str, object]:
    """Return a component that is complete; names with underscores become keys with dashes."""
    values: dict[str, object] = {
        "install-id": ["00"],
        "file": "payloads/app.bin",
        "uri": "http://fw.acme.example/app.bin",
        "vendor-id": VENDOR,
        "class-id": CLASS,
    }
    values |= {key.replace("_", "-"): value for key, value in changes.items()}
    return {key: value for key, value in values.items() if value is not None}


def manifest(*components: dict[str, object], **changes: object) -> dict[str, object]:
    """Return a description of components, one plain one if none is given."""
    return {
        "manifest-version": 1,
        "manifest-sequence-number": 7,
        "components": list(components or (component(),)),
    } | {key.replace("_", "-"): value for key, value in changes.items()}


def sha(data: bytes, name: str = "sha256") -> dict[str, str]:
    """Return a digest as the input has it."""
    import hashlib

    return {"algorithm-id": name, "digest-bytes": hashlib.new(name, data).hexdigest()}


def vector(path: str | Path) -> bytes:
    data = Path(SUIT, path).read_bytes()
    return bytes.fromhex(data.decode()) if str(path).endswith(".hex") else data
