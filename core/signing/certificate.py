"""Update certificates: a container for the public key that devices are provisioned with."""

from __future__ import annotations

import datetime
from pathlib import Path

from fotabuild.digest import sha256
from fotabuild.errors import KeyMismatchError, SigningError
from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS

# cryptography is imported where it is used: reading a build description reads no certificate, and
# the import is slow.
VALIDITY_DAYS = 7300
_KEY_IDENTIFIER_SIZE = 20
_PEM_MARK = b"-----BEGIN CERTIFICATE-----"


def read_certificate(path: Path, *, pipes: bool = False) -> bytes:
    """Read a certificate file, DER or PEM; return its DER.

    Args:
        path: the file.
        pipes: whether it may be a pipe, see ``read_file``.

    Raises:
        SigningError: the file holds no certificate, or something follows it.
        FileError: the file cannot be read.
    """
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding

    data = read_file(path, READ_LIMITS.key, "update certificate", pipes=pipes)
    try:
        if _PEM_MARK in data:
            certificates = x509.load_pem_x509_certificates(data)
        else:
            certificates = [x509.load_der_x509_certificate(data)]
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise SigningError(
            "this is not an X.509 certificate", file=path, remedy="give a DER or PEM certificate"
        ) from None
    if len(certificates) != 1:
        raise SigningError(
            f"this file holds {len(certificates)} certificates",
            file=path,
            remedy="give the update certificate alone",
        )
    return certificates[0].public_bytes(Encoding.DER)


def in_form_of(file: bytes, certificate: bytes) -> bytes:
    """Return a DER certificate in the form, DER or PEM, of a certificate file."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    if _PEM_MARK not in file:
        return certificate
    return x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)


def public_key_of(certificate: bytes) -> bytes:
    """Return the public key in a DER certificate, 65 bytes, an uncompressed point.

    Raises:
        SigningError: the certificate does not hold a P-256 key.
    """
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise SigningError("the certificate holds no usable public key") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SigningError(
            "the certificate does not hold a P-256 key", remedy="devices accept P-256 only"
        )
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def require_pair(certificate_key: bytes, public_key: bytes, certificate: Path | None) -> None:
    """Refuse a certificate that is not of the private key.

    Args:
        certificate_key: the public key in the certificate.
        public_key: the one that belongs to the private key.
        certificate: the certificate's file, for the message.

    Raises:
        KeyMismatchError: they differ.
    """
    if certificate_key != public_key:
        raise KeyMismatchError(
            "this certificate is not of the private key that signs",
            file=certificate,
            remedy="devices with this certificate would refuse every update: give the "
            "certificate's own key",
        )


def validity_of(certificate: bytes) -> tuple[datetime.datetime, datetime.datetime]:
    """Return start and end of the validity of a DER certificate. Devices do not look at them."""
    from cryptography import x509

    parsed = x509.load_der_x509_certificate(certificate)
    return parsed.not_valid_before_utc, parsed.not_valid_after_utc


def make_self_signed(private_key_pem: bytes, not_before: int, serial: int | None = None) -> bytes:
    """Return a self-signed certificate (update-resources-c, section 2), DER.

    Args:
        private_key_pem: the P-256 key whose public part it carries.
        not_before: start of its validity, seconds since 1970. Devices do not look at dates.
        serial: serial number, a random one by default.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = serialization.load_pem_private_key(private_key_pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SigningError("an update certificate needs an EC key")
    public = key.public_key()
    start = datetime.datetime.fromtimestamp(not_before, datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    public_der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    usage = {
        "content_commitment": False,
        "key_encipherment": False,
        "data_encipherment": False,
        "key_agreement": False,
        "key_cert_sign": False,
        "crl_sign": False,
        "encipher_only": False,
        "decipher_only": False,
    }
    extensions: tuple[x509.ExtensionType, ...] = (
        x509.KeyUsage(digital_signature=True, **usage),
        x509.SubjectAlternativeName([x509.DNSName("localhost")]),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]),
        x509.SubjectKeyIdentifier(sha256(public_der)[:_KEY_IDENTIFIER_SIZE]),
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number() if serial is None else serial)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=VALIDITY_DAYS))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    certificate = builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    return certificate.public_bytes(Encoding.DER)
