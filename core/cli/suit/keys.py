"""New keys, and the public halves of keys in the forms that firmware takes."""

from __future__ import annotations

import contextlib
import enum
from typing import TYPE_CHECKING

from fotabuild.errors import CoseKeyError
from fotabuild.signing.cose_algorithm import KeyKind

if TYPE_CHECKING:
    from fotabuild.signing.cose_verify import VerificationKey
    from fotabuild.signing.signer import KeyAccess

_BYTES_A_LINE = 12


class KeyType(enum.Enum):
    """Keys that can be made, by their names on the command line."""

    P256 = "secp256r1"
    P384 = "secp384r1"
    P521 = "secp521r1"
    ED25519 = "ed25519"
    HSS_LMS = "hsslms"


class KeyForm(enum.Enum):
    """Forms of private keys."""

    PEM = "pem"
    DER = "der"
    HSS_LMS = "c-hss-lms"


class PublicForm(enum.Enum):
    """Forms of public keys."""

    UECC = "uecc"
    PEM = "pem"
    DER = "der"
    HSS_LMS = "hsslms"
    C_HSS_LMS = "c-hsslms"


def load_public(key: str, access: KeyAccess) -> VerificationKey:
    """Return the public half of any key: private or public, in a file or elsewhere.

    Raises:
        SigningError: the key cannot be used.
        FileError: it cannot be read.
    """
    from fotabuild.files.reading import read_file
    from fotabuild.limits import READ_LIMITS
    from fotabuild.signing.cose_access import open_key
    from fotabuild.signing.cose_verify import load_secret, load_verification_key, secret_of
    from fotabuild.signing.hss_lms import is_hss_private_key
    from fotabuild.signing.signer import key_file

    path = key_file(key, access)
    if path is not None:
        data = read_file(path, READ_LIMITS.key, "key")
        if secret_of(data) is not None:
            return load_secret(data)
        if not is_hss_private_key(data):
            with contextlib.suppress(CoseKeyError):
                return load_verification_key(data)
    return open_key(key, access).key


def generate(
    kind: KeyType, form: KeyForm, *, levels: int = 2, passphrase: bytes | None = None
) -> bytes:
    """Return a new private key.

    Args:
        kind: what key.
        form: how it is written; HSS/LMS keys have a form of their own.
        levels: of an HSS/LMS key.
        passphrase: encrypts it, or None.

    Raises:
        CoseKeyError: the form is not for this kind.
        HssLmsError: the extra is missing, or another number of levels.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if kind is KeyType.HSS_LMS:
        from fotabuild.signing.hss_lms import HssLmsKey

        if passphrase is not None:
            raise CoseKeyError(
                "HSS/LMS keys cannot be encrypted: their file changes with every signature",
                remedy="leave the passphrase out, and protect the file",
            )
        return HssLmsKey.generate(levels)[0]
    if form is KeyForm.HSS_LMS:
        raise CoseKeyError(f"the form {form.value} is for HSS/LMS keys", remedy="write pem or der")
    curves: dict[KeyType, ec.EllipticCurve] = {
        KeyType.P256: ec.SECP256R1(),
        KeyType.P384: ec.SECP384R1(),
        KeyType.P521: ec.SECP521R1(),
    }
    key = (
        ed25519.Ed25519PrivateKey.generate()
        if kind is KeyType.ED25519
        else ec.generate_private_key(curves[kind])
    )
    return key.private_bytes(
        serialization.Encoding.PEM if form is KeyForm.PEM else serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()
        if passphrase is None
        else serialization.BestAvailableEncryption(passphrase),
    )


def public_key(key: VerificationKey, form: PublicForm | None) -> bytes:
    """Return a public key in a form; None takes PEM, and for HSS/LMS the serialised key.

    Raises:
        CoseKeyError: the form is not for this kind of key, or it is a shared secret.
    """
    if key.kind is KeyKind.HMAC:
        raise CoseKeyError("a secret of HMAC-256 has no public half")
    own = (PublicForm.HSS_LMS, PublicForm.C_HSS_LMS)
    if key.kind is KeyKind.HSS_LMS:
        if form not in (None, *own):
            raise _misfit(form, key, own)
        is_array = form is PublicForm.C_HSS_LMS
        return _array("hsslms_public_key", key.public_bytes) if is_array else key.public_bytes
    if form in own:
        raise _misfit(form, key, (PublicForm.PEM, PublicForm.DER, PublicForm.UECC))
    if form is PublicForm.DER:
        return key.public_bytes
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    public = serialization.load_der_public_key(key.public_bytes)
    if form is PublicForm.UECC:
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise _misfit(form, key, (PublicForm.PEM, PublicForm.DER))
        # Coordinates have their full length here, also with leading zeros.
        point = public.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return _array("public_key", point[1:])
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _misfit(
    form: PublicForm | None, key: VerificationKey, fitting: tuple[PublicForm, ...]
) -> CoseKeyError:
    name = "pem" if form is None else form.value
    return CoseKeyError(
        f"the form {name} is not for a key of the kind {key.kind.value}",
        remedy=f"write {' or '.join(each.value for each in fitting)}",
    )


def _array(name: str, data: bytes) -> bytes:
    lines = [
        "    " + ", ".join(f"0x{byte:02x}" for byte in data[start : start + _BYTES_A_LINE])
        for start in range(0, len(data), _BYTES_A_LINE)
    ]
    body = ",\n".join(lines)
    return f"const uint8_t {name}[] = {{\n{body}\n}};\n".encode()
