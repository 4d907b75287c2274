"""Signatures: every kind of key, every algorithm, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from fotabuild.device.suit_acceptance import accept_envelope, verify_envelope
from fotabuild.errors import CoseKeyError, FileError, SigningError, VerificationError
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.names import Profile
from fotabuild.formats.suit.splicing import sign_envelope
from fotabuild.signing.cose import (
    CoseSigner,
    from_private_key,
    from_secret,
    from_signer,
    open_cose_signer,
)
from fotabuild.signing.cose_algorithm import CoseAlgorithm, KeyKind, algorithm_for
from fotabuild.signing.cose_verify import load_secret, load_verification_key
from fotabuild.signing.pem import PemSigner

from .golden import (
    ED25519,
    HMAC,
    KEYS,
    P256,
    P384,
    P521,
    all_keys,
    make,
    manifest,
    public_keys,
    vector,
)

PEM_KEYS = [P256, P384, P521, ED25519]
EC = {path: load_pem_private_key(path.read_bytes(), None) for path in PEM_KEYS}
SECRET = bytes.fromhex(HMAC.read_text())


def public(path: Path) -> bytes:
    return path.with_suffix(".pub.pem").read_bytes()


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("algorithm", [a for a in CoseAlgorithm if a is not CoseAlgorithm.HSS_LMS])
def test_every_algorithm_signs_and_verifies(algorithm: CoseAlgorithm, profile: Profile) -> None:
    path = {KeyKind.P256: P256, KeyKind.P384: P384, KeyKind.P521: P521, KeyKind.ED25519: ED25519}
    if algorithm.kind is KeyKind.HMAC:
        signer, key = from_secret(SECRET), load_secret(HMAC.read_bytes())
    else:
        signer = open_cose_signer(str(path[algorithm.kind]), algorithm=algorithm)
        key = load_verification_key(public(path[algorithm.kind]))
    unsigned = make(manifest(), profile)
    data = sign_envelope(unsigned, signer)
    assert data == sign_envelope(unsigned, signer), "signatures are deterministic"
    (block,) = verify_envelope(data, [key]).blocks
    assert block.algorithm == algorithm.number
    assert (block.payload is not None) is (profile is Profile.DRAFT_09)
    others = [k for k in all_keys() if k.kind is not key.kind]
    assert not accept_envelope(data, others).accepted


@pytest.mark.parametrize(
    ("path", "usual", "older"),
    [(P256, -9, -7), (P384, -51, -35), (P521, -52, -36), (ED25519, -19, -8)],
    ids=["P-256", "P-384", "P-521", "Ed25519"],
)
def test_usual_algorithms(path: Path, usual: int, older: int) -> None:
    assert open_cose_signer(str(path)).algorithm_number == usual
    assert open_cose_signer(f"file:{path}", older_ids=True).algorithm_number == older


@pytest.mark.parametrize("name", ["signed-ed25519", "mac0-hmac256"])
def test_deterministic_signatures_are_those_of_the_vectors(name: str) -> None:
    signer = from_secret(SECRET) if "hmac" in name else open_cose_signer(str(ED25519))
    unsigned = vector("current/02-fetch-install.unsigned.suit")
    assert sign_envelope(unsigned, signer) == vector(f"current/02-fetch-install.{name}.suit")


def test_draft_09_ed25519_has_the_bytes_of_suit_tool() -> None:
    signer = open_cose_signer(str(ED25519), older_ids=True)
    unsigned = vector("draft-09/02-fetch-install.unsigned.suit")
    wanted = vector("draft-09/02-fetch-install.signed-ed25519.suit")
    assert sign_envelope(unsigned, signer) == wanted


def test_signers_of_the_core_sign_manifests() -> None:
    """Tokens and external tools have this protocol; here stands a key in memory for them."""
    signer = from_signer(PemSigner.open(P256))
    data = sign_envelope(make(manifest()), signer)
    assert data == sign_envelope(make(manifest()), open_cose_signer(str(P256)))
    opened: list[str] = []

    def open_other(uri: str) -> PemSigner:
        opened.append(uri)
        return PemSigner.open(P256)

    other = open_cose_signer("pkcs11:object=update", open_other=open_other, older_ids=True)
    assert (opened, other.algorithm) == (["pkcs11:object=update"], CoseAlgorithm.ES256)
    verify_envelope(sign_envelope(make(manifest()), other), public_keys())


def test_a_wrong_signature_is_never_released() -> None:
    good = open_cose_signer(str(P256))
    bad = CoseSigner(good.algorithm, good.key, lambda data: bytes(64))
    with pytest.raises(SigningError, match="not a signature of its key"):
        sign_envelope(make(manifest()), bad)
    other = from_private_key(ec.derive_private_key(5, ec.SECP256R1()))
    with pytest.raises(SigningError, match="not a signature of its key"):
        sign_envelope(make(manifest()), CoseSigner(good.algorithm, good.key, other.make))


@pytest.mark.parametrize("path", PEM_KEYS, ids=lambda path: path.stem)
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER], ids=["PEM", "DER"])
@pytest.mark.parametrize("secret", [None, b"correct horse"], ids=["plain", "encrypted"])
def test_encodings_of_private_keys(
    path: Path, encoding: Encoding, secret: bytes | None, tmp_path: Path
) -> None:
    protection = NoEncryption() if secret is None else BestAvailableEncryption(secret)
    file = tmp_path / "key"
    file.write_bytes(EC[path].private_bytes(encoding, PrivateFormat.PKCS8, protection))
    signer = open_cose_signer(str(file), passphrase=lambda: secret or b"")
    assert signer.key.public_bytes == load_verification_key(public(path)).public_bytes
    if secret is None:
        return
    with pytest.raises(CoseKeyError, match="is encrypted; give its"):
        open_cose_signer(str(file))
    with pytest.raises(CoseKeyError, match="does not open") as caught:
        open_cose_signer(str(file), passphrase=lambda: b"wrong horse")
    assert "horse" not in str(caught.value)
    assert caught.value.code == "FB0610"


@pytest.mark.parametrize("path", PEM_KEYS, ids=lambda path: path.stem)
def test_encodings_of_public_keys(path: Path) -> None:
    key = EC[path].public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert load_verification_key(der).public_bytes == der
    assert load_verification_key(public(path)).public_bytes == der


def test_certificates_hold_public_keys() -> None:
    import datetime

    from cryptography.hazmat.primitives import hashes

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    key = EC[P256]
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    certificate = (x509.CertificateBuilder(name, name, key.public_key(), 1, day, day)).sign(
        key, hashes.SHA256()
    )
    for encoding in (Encoding.PEM, Encoding.DER):
        loaded = load_verification_key(certificate.public_bytes(encoding))
        verify_envelope(vector("current/02-fetch-install.signed.suit"), [loaded])


UNUSABLE: dict[str, Any] = {
    "RSA": rsa.generate_private_key(65537, 2048),
    "Ed448": ed448.Ed448PrivateKey.generate(),
    "secp256k1": ec.derive_private_key(7, ec.SECP256K1()),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_keys_of_other_kinds_are_refused(name: str, tmp_path: Path) -> None:
    key = UNUSABLE[name]
    file = tmp_path / "key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(CoseKeyError, match=name):
        open_cose_signer(str(file))
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(CoseKeyError, match=name):
        load_verification_key(der)


@pytest.mark.parametrize("data", [b"", b"x", bytes(31), bytes(33), b"-----BEGIN x", bytes(9)])
def test_what_is_no_key_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(CoseKeyError, match="no public key"):
        load_verification_key(data)
    file = tmp_path / "key"
    file.write_bytes(data)
    with pytest.raises(CoseKeyError, match="no private key"):
        open_cose_signer(str(file))


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot read the private key"):
        open_cose_signer(str(tmp_path / "none.pem"))


def test_secrets_have_32_bytes() -> None:
    for size in (0, 31, 33):
        with pytest.raises(CoseKeyError, match="32 bytes"):
            from_secret(bytes(size))


@pytest.mark.parametrize("kind", list(KeyKind))
def test_algorithms_are_for_one_kind_of_key(kind: KeyKind) -> None:
    for algorithm in CoseAlgorithm:
        if algorithm.kind is kind:
            assert algorithm_for(kind, algorithm) is algorithm
        else:
            with pytest.raises(CoseKeyError, match=r"is for keys of the kind .*; use "):
                algorithm_for(kind, algorithm)


def test_a_block_must_fit_the_key() -> None:
    """An algorithm of another kind of key, or a code that claims to be a signature."""
    key = load_verification_key(public(P256))
    with pytest.raises(VerificationError, match="ES384 is not for a key of the kind P-256"):
        key.verify(-35, b"", bytes(64))
    with pytest.raises(VerificationError, match="COSE algorithm -99 is not for"):
        key.verify(-99, b"", bytes(64))
    for size in (0, 63, 65, 96):
        with pytest.raises(VerificationError, match="not of this key"):
            key.verify(-9, b"", bytes(size))

    class Liar:
        algorithm_number, is_mac = 5, False

        def sign(self, data: bytes) -> bytes:
            return from_secret(SECRET).sign(data)

    report = accept_envelope(sign_envelope(make(manifest()), Liar()), all_keys())
    assert "not for this COSE structure" in report.failures[0].detail


def test_several_signatures_are_all_verified_unless_one_is_enough() -> None:
    data = make(manifest())
    for path in (P256, ED25519):
        data = sign_envelope(data, open_cose_signer(str(path)))
    assert [b.algorithm for b in decode_envelope(data).blocks] == [-9, -19]
    assert accept_envelope(data, public_keys()).accepted
    one = [load_verification_key(public(ED25519))]
    assert [f.name for f in accept_envelope(data, one).failures] == ["signature-1"]
    assert accept_envelope(data, one, require_all=False).accepted
    none = accept_envelope(data, [load_verification_key(public(P384))], require_all=False)
    assert [failure.name for failure in none.failures] == ["trusted"]
    assert not accept_envelope(data, []).accepted


def test_keys_do_not_show_their_secrets() -> None:
    for value in (from_secret(SECRET), load_secret(HMAC.read_bytes())):
        assert SECRET.hex() not in repr(value)
        assert repr(SECRET) not in repr(value)
    assert (KEYS / "hmac256-test.key").is_file()
    assert isinstance(EC[ED25519], ed25519.Ed25519PrivateKey)
