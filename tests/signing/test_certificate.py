"""Update certificates: read, and self-signed ones made as the specification describes them."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from fotabuild.errors import FileError, SigningError
from fotabuild.signing.certificate import make_self_signed, public_key_of, read_certificate
from fotabuild.signing.pem import PemSigner
from fotabuild.signing.verify import load_public_key

from ..formats.golden import CERTIFICATE, KEY, PUBLIC_KEY

GOLDEN = CERTIFICATE.read_bytes()
DATE = 1_700_000_000
MADE = make_self_signed(KEY.read_bytes(), DATE, serial=77)


def test_golden_certificate_holds_the_golden_key() -> None:
    assert read_certificate(CERTIFICATE) == GOLDEN
    assert public_key_of(GOLDEN) == PUBLIC_KEY.read_bytes()


def test_pem_form_is_the_same_certificate(tmp_path: Path) -> None:
    path = tmp_path / "cert.pem"
    path.write_bytes(x509.load_der_x509_certificate(GOLDEN).public_bytes(Encoding.PEM))
    assert read_certificate(path) == GOLDEN


def test_made_certificate_has_the_fields_of_the_specification() -> None:
    certificate = x509.load_der_x509_certificate(MADE)
    golden = x509.load_der_x509_certificate(GOLDEN)
    assert certificate.subject == certificate.issuer == golden.subject
    assert [(a.oid, a.value) for a in certificate.subject] == [(NameOID.COMMON_NAME, "localhost")]
    start = datetime.datetime.fromtimestamp(DATE, datetime.timezone.utc)
    assert certificate.not_valid_before_utc == start
    assert certificate.not_valid_after_utc - start == datetime.timedelta(days=7300)
    assert certificate.serial_number == 77
    assert public_key_of(MADE) == PUBLIC_KEY.read_bytes()
    certificate.verify_directly_issued_by(certificate)


def test_made_certificate_has_the_extensions_of_the_golden_one() -> None:
    made, golden = (x509.load_der_x509_certificate(data).extensions for data in (MADE, GOLDEN))
    assert {(e.oid, e.critical, e.value) for e in made} == {
        (e.oid, e.critical, e.value) for e in golden
    }
    usage = made.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value
    assert list(usage) == [ExtendedKeyUsageOID.CODE_SIGNING]  # type: ignore[call-overload]
    spki = load_public_key(PUBLIC_KEY.read_bytes()).public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    identifier = made.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert identifier.digest == hashlib.sha256(spki).digest()[:20]


def test_same_inputs_give_the_same_certificate_within_the_device_s_limit() -> None:
    assert make_self_signed(KEY.read_bytes(), DATE, serial=77) == MADE
    assert len(MADE) <= 600


def test_serial_numbers_are_random() -> None:
    made = [make_self_signed(KEY.read_bytes(), DATE) for _ in range(2)]
    assert len({x509.load_der_x509_certificate(data).serial_number for data in made}) == 2


def test_no_certificate_without_an_ec_key() -> None:
    key = rsa.generate_private_key(65537, 1024)
    with pytest.raises(SigningError, match="needs an EC key"):
        make_self_signed(_pem(key), DATE)


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "data",
    [b"", b"text", GOLDEN[:-1], GOLDEN + b"\0", KEY.read_bytes(), b"-----BEGIN CERTIFICATE-----"],
    ids=["empty", "text", "cut", "longer", "key", "PEM mark only"],
)
def test_other_files_are_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cert.der"
    path.write_bytes(data)
    with pytest.raises(SigningError, match=r"not an X\.509 certificate"):
        read_certificate(path)


def test_missing_certificate_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot read the update certificate"):
        read_certificate(tmp_path / "none")


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1()], ids=lambda curve: curve.name)
def test_certificate_of_another_curve_is_refused(curve: ec.EllipticCurve) -> None:
    key = ec.derive_private_key(7, curve)
    name = x509.Name([])
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(SigningError, match="does not hold a P-256 key"):
        public_key_of(certificate)


def test_damaged_bytes_hold_no_key() -> None:
    with pytest.raises(SigningError, match="no usable public key"):
        public_key_of(b"\x30\x03\x02\x01\x00")


def test_generated_pair_belongs_together() -> None:
    signer = PemSigner.generate()
    assert public_key_of(make_self_signed(signer.to_pem(), DATE)) == signer.public_key()
