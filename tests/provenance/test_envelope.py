"""Envelopes are those of DSSE: an independent library signs and verifies the same."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError as ForeignError
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

from fotabuild.errors import ProvenanceError
from fotabuild.provenance.envelope import PAYLOAD_TYPE, key_id, pre_authentication, seal, unseal
from fotabuild.signing.signer import Signer, open_signer

from ..formats.golden import KEY
from ..formats.strategies import QUICK

OTHER_KEY = KEY.with_name("TEST-ONLY-other.key.pem")


@pytest.fixture(scope="module")
def signer() -> Signer:
    return open_signer(str(KEY))


def foreign_key(path: Path = KEY) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def foreign_public(path: Path = KEY) -> SSlibKey:
    public = foreign_key(path).public_key()
    name = key_id(open_signer(str(path)).public_key())
    return SSlibKey.from_crypto(public, name, "ecdsa-sha2-nistp256")


def test_another_library_verifies_ours(signer: Signer) -> None:
    envelope = Envelope.from_dict(json.loads(seal(b"{}", signer)))
    accepted = envelope.verify([foreign_public()], 1)
    assert list(accepted) == [key_id(signer.public_key())]
    assert envelope.payload == b"{}"


def test_another_library_refuses_ours_with_another_key(signer: Signer) -> None:
    envelope = Envelope.from_dict(json.loads(seal(b"{}", signer)))
    with pytest.raises(ForeignError):
        envelope.verify([foreign_public(OTHER_KEY)], 1)


def test_we_verify_what_another_library_signed(signer: Signer) -> None:
    envelope = Envelope(b'{"a":1}', PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(foreign_key(), foreign_public()))
    data = json.dumps(envelope.to_dict()).encode()
    assert unseal(data, signer.public_key()) == b'{"a":1}'


@QUICK
@given(st.binary(max_size=300))
def test_both_sign_the_same_bytes(payload: bytes) -> None:
    assert pre_authentication(payload) == Envelope(payload, PAYLOAD_TYPE, {}).pae()


@QUICK
@given(payload=st.binary(max_size=200))
def test_what_is_sealed_comes_back_and_the_same_again(signer: Signer, payload: bytes) -> None:
    data = seal(payload, signer)
    assert data == seal(payload, signer)
    assert unseal(data, signer.public_key()) == payload


def test_any_of_several_signatures_is_enough(signer: Signer) -> None:
    values = json.loads(seal(b"x", signer))
    other = json.loads(seal(b"x", open_signer(str(OTHER_KEY))))
    values["signatures"].insert(0, other["signatures"][0])
    values["signatures"].append({"sig": "", "unknown": 1})
    data = json.dumps(values).encode()
    assert unseal(data, signer.public_key()) == b"x"


def test_the_other_alphabet_of_base64_is_read(signer: Signer) -> None:
    values = json.loads(seal(b"\xff\xfe\xfd>>>???", signer))
    for holder, name in ((values, "payload"), (values["signatures"][0], "sig")):
        holder[name] = holder[name].replace("+", "-").replace("/", "_")
    assert unseal(json.dumps(values).encode(), signer.public_key()) == b"\xff\xfe\xfd>>>???"


def _changed(signer: Signer, **changes: Any) -> bytes:
    return json.dumps({**json.loads(seal(b"{}", signer)), **changes}).encode()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"payload": base64.b64encode(b"{ }").decode()}, "no signature"),
        ({"payload": "!"}, "payload: this is not base64"),
        ({"payload": 5}, "not a signed statement"),
        ({"payloadType": "text/plain"}, "payloadType"),
        ({"signatures": []}, "no signature"),
        ({"signatures": [{"sig": "AAAA"}]}, "no signature"),
        ({"signatures": [{"sig": "*"}]}, "not base64"),
        ({"signatures": [{"sig": ""}] * 17}, "more than 16"),
        ({"signatures": {}}, "not a signed statement"),
    ],
    ids=str,
)
def test_what_is_no_signed_statement_is_refused(
    signer: Signer, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ProvenanceError, match=complaint):
        unseal(_changed(signer, **changes), signer.public_key())


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff\xff", b"[" * 100_000, b'{"payload":"'])
def test_what_is_no_envelope_is_refused(signer: Signer, data: bytes) -> None:
    with pytest.raises(ProvenanceError):
        unseal(data, signer.public_key())


def test_another_key_is_refused(signer: Signer) -> None:
    with pytest.raises(ProvenanceError, match="no signature of the update key"):
        unseal(seal(b"{}", signer), open_signer(str(OTHER_KEY)).public_key())


def test_no_manifest_can_be_taken_for_a_statement() -> None:
    """What is signed of a manifest begins with the tag of a SEQUENCE."""
    assert pre_authentication(b"")[:1] != b"\x30"
