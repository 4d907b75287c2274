"""Others agree: the CDDL schema by cddl-verifier, and the signatures by the library cwt."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from cddl_verifier import Validator
from cwt import COSE, COSEKey

from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.model import CoseBlock
from fotabuild.formats.suit.splicing import sever, sign_envelope
from fotabuild.signing.cose import CoseSigner, from_secret, open_cose_signer
from fotabuild.signing.cose_algorithm import CoseAlgorithm

from .golden import (
    ED25519,
    HMAC,
    INDEX,
    P256,
    P384,
    P521,
    SUIT,
    component,
    make,
    manifest,
    vector,
)

SCHEMA = Validator(SUIT / "current/suit-current.cddl")
INPUTS = {case["id"]: vector(case["input"]) for case in INDEX["current"]}
PRIVATE_PARAMETER = manifest(
    component(compression_info="gzip"), compression_parameter=-70000, text_language="de"
)


def check_schema(data: bytes) -> None:
    result = SCHEMA.validate(data, root_type="envelope", require_deterministic=True)
    assert result.valid, [(d.path_text, d.message) for d in result.diagnostics]


def blocks(data: bytes) -> list[bytes]:
    """Return the encoded COSE structures, found by another library than ours."""
    envelope = cbor2.loads(data)
    values = envelope.value if isinstance(envelope, cbor2.CBORTag) else envelope
    return list(cbor2.loads(values[2])[1:])


def cwt_key(path: Any, algorithm: str, kid: bytes = b"") -> Any:
    return COSEKey.from_pem(path.with_suffix(".pub.pem").read_text(), alg=algorithm, kid=kid)


@pytest.mark.parametrize("name", INPUTS)
def test_every_output_follows_the_schema_and_verifies_elsewhere(name: str) -> None:
    unsigned = make(INPUTS[name])
    signed = sign_envelope(unsigned, open_cose_signer(str(P256)))
    for data in (unsigned, signed, sever(signed)):
        check_schema(data)
    digest = decode_envelope(signed).digest_bytes
    (block,) = blocks(signed)
    assert COSE.new().decode(block, cwt_key(P256, "ESP256"), detached_payload=digest) == digest


def test_a_private_compression_parameter_follows_the_schema() -> None:
    check_schema(make(PRIVATE_PARAMETER))


def test_the_schema_refuses_something() -> None:
    result = SCHEMA.validate(
        make(manifest()).replace(b"\x14\x58", b"\x11\x58", 1),
        root_type="envelope",
        require_deterministic=True,
    )
    assert not result.valid


@pytest.mark.parametrize(
    ("path", "algorithm"),
    [
        (P256, CoseAlgorithm.ESP256),
        (P256, CoseAlgorithm.ES256),
        (P384, CoseAlgorithm.ESP384),
        (P384, CoseAlgorithm.ES384),
        (P521, CoseAlgorithm.ESP512),
        (P521, CoseAlgorithm.ES512),
        (ED25519, CoseAlgorithm.ED25519),
        (ED25519, CoseAlgorithm.EDDSA),
    ],
    ids=lambda value: getattr(value, "value", ""),
)
def test_every_algorithm_verifies_elsewhere(path: Any, algorithm: CoseAlgorithm) -> None:
    signer = open_cose_signer(str(path), algorithm=algorithm)
    data = sign_envelope(make(manifest()), signer, key_id=b"key 1")
    digest = decode_envelope(data).digest_bytes
    (block,) = blocks(data)
    key = cwt_key(path, algorithm.value, b"key 1")
    assert COSE.new().decode(block, key, detached_payload=digest) == digest
    with pytest.raises(Exception, match=r"(?i)verif"):
        COSE.new().decode(block, key, detached_payload=digest[:-1] + b"\x00")
    check_schema(data)


def test_an_authentication_code_verifies_elsewhere() -> None:
    secret = bytes.fromhex(HMAC.read_text())
    data = sign_envelope(make(manifest()), from_secret(secret))
    digest = decode_envelope(data).digest_bytes
    (block,) = blocks(data)
    key = COSEKey.from_symmetric_key(secret, alg="HS256")
    assert COSE.new().decode(block, key, detached_payload=digest) == digest


def test_the_mark_that_we_write_is_what_we_read() -> None:
    signers: list[CoseSigner] = [open_cose_signer(str(path)) for path in (P256, ED25519)]
    data = make(manifest())
    for signer in signers:
        data = sign_envelope(data, signer, key_id=b"k")
    found: tuple[CoseBlock, ...] = decode_envelope(data).blocks
    assert [block.algorithm for block in found] == [-9, -19]
    assert [block.key_id for block in found] == [b"k", b"k"]
    assert [block.payload for block in found] == [None, None]
    check_schema(data)
