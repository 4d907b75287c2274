"""The one way to sign: a :class:`Signer`, opened by the name of its key."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fotabuild.errors import SigningError

SIGNATURE_SIZE = 64
TOKEN_SCHEME = "pkcs11"  # noqa: S105
KMS_SCHEME = "awskms"
DEFAULT_TOOL_SECONDS = 60


class Signer(Protocol):
    """A P-256 key that signs; the key itself never leaves it."""

    def public_key(self) -> bytes:
        """Return the public key, 65 bytes, an uncompressed point."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the raw 64-byte r and s of ECDSA-SHA256 over ``data``."""
        ...

    def sign_digest(self, digest: bytes, data: bytes | None = None) -> bytes:
        """Return the raw 64-byte r and s of ECDSA over a SHA-256 that was computed before.

        Args:
            digest: the SHA-256.
            data: what it is the SHA-256 of, if that is at hand; some signers hash themselves.
        """
        ...


#: Where the access key of an update service usually is; no signing tool needs that.
ACCESS_KEY_VARIABLE = "FOTABUILD_ACCESS_KEY"


@dataclass(frozen=True, kw_only=True)
class KeyAccess:
    """How a key is reached. Holds names and sources of secrets, never a secret.

    Attributes:
        passphrase: source of the passphrase or PIN, see ``read_secret``.
        tool: external program that signs; the key's name is then opaque to us. An absolute path,
            or a name to be looked up on PATH.
        tool_seconds: how long that program may run.
        show_tool: whether what it prints is passed on to stderr.
        withheld: variables of the environment that it does not get: secrets of others.
    """

    passphrase: str | None = None
    tool: str | None = None
    tool_seconds: int = DEFAULT_TOOL_SECONDS
    show_tool: bool = False
    withheld: tuple[str, ...] = (ACCESS_KEY_VARIABLE,)


#: A key that needs nothing to be reached.
PLAIN_ACCESS = KeyAccess()


def open_signer(
    uri: str, access: KeyAccess = PLAIN_ACCESS, certificate_key: bytes | None = None
) -> Signer:
    """Open the signer that ``uri`` names. It verifies each of its signatures before it returns it.

    Args:
        uri: a path or ``file:`` URI of a PEM private key, a ``pkcs11:`` or ``awskms:`` URI, or
            with a signing tool whatever that tool takes.
        access: how the key is reached.
        certificate_key: public key of the update certificate, 65 bytes. A signing tool needs it,
            and so does a token that does not hold the public key.

    Raises:
        SigningError: unknown scheme, or the key cannot be used.
        FileError: the key file cannot be read.
    """
    from fotabuild.signing.checked import CheckedSigner

    return CheckedSigner(_open_backend(uri, access, certificate_key))


def _open_backend(uri: str, access: KeyAccess, certificate_key: bytes | None) -> Signer:
    if access.tool is not None:
        from fotabuild.signing.tool import ToolSigner

        if certificate_key is None:
            raise SigningError(
                "a signing tool needs the update certificate, to verify what it returns",
                field="credentials.certificate",
                remedy="give the certificate",
            )
        return ToolSigner(
            access.tool,
            uri,
            certificate_key,
            seconds=access.tool_seconds,
            show=access.show_tool,
            withheld=access.withheld,
        )
    path = key_file(uri)
    if path is not None:
        from fotabuild.signing.pem import PemSigner

        return PemSigner.open(path, access.passphrase)
    scheme = uri.partition(":")[0]
    if scheme == TOKEN_SCHEME:
        from fotabuild.signing.token import TokenSigner

        return TokenSigner.open(uri, access.passphrase, certificate_key)
    if scheme == KMS_SCHEME:
        from fotabuild.signing.kms import KmsSigner

        return KmsSigner.open(uri)
    raise SigningError(
        f"no signer for keys of the kind {scheme + ':'!r}",
        remedy="give the path of a PEM file, a pkcs11: or awskms: URI, or set "
        "credentials.signing-tool",
    )


def require_key(uri: str, access: KeyAccess) -> None:
    """Refuse a key that is plainly not there: a missing file or program. Nothing is read or run.

    Args:
        uri: as for :func:`open_signer`; empty where nothing is signed.
        access: likewise.

    Raises:
        FileError: the key file is missing or no file to read.
        SigningToolError: there is no such signing tool.
    """
    if not uri:
        return
    path = key_file(uri, access)
    if access.tool is not None:
        from fotabuild.signing.tool import find_tool

        find_tool(access.tool)
    elif path is not None:
        from fotabuild.files.reading import check_file
        from fotabuild.limits import READ_LIMITS

        check_file(path, READ_LIMITS.key, "private key", pipes=True)


def can_open_again(uri: str, access: KeyAccess) -> bool:
    """Return whether a key can be opened more than once: what came through a pipe is gone."""
    from fotabuild.files.reading import is_pipe

    path = key_file(uri, access)
    try:
        return path is None or not is_pipe(path.stat().st_mode)
    except (OSError, ValueError):
        return True  # Opening it tells what is wrong.


def key_file(uri: str, access: KeyAccess = PLAIN_ACCESS) -> Path | None:
    """Return the file that a key's name stands for, or None when the key does not live in one."""
    if access.tool is not None or not uri:
        return None
    scheme, separator, rest = uri.partition(":")
    if separator and scheme == "file":
        return Path(rest[2:] if rest.startswith("///") else rest)
    # One letter before the colon is a drive, not a scheme.
    if separator and len(scheme) > 1 and scheme.replace("+", "").replace("-", "").isalnum():
        return None
    return Path(uri)


def tool_file(access: KeyAccess) -> Path | None:
    """Return the file of a signing tool, or None when it is looked up on PATH or there is none."""
    return Path(access.tool) if access.tool and names_folder(access.tool) else None


def program_path(name: str, folder: Path) -> str:
    """Return the absolute path of a program in ``folder``, or ``name`` for a look-up on PATH.

    A name with a folder in it stands for that very file; a bare one may be either.
    """
    path = Path(os.path.normpath(folder / name))
    return str(path) if names_folder(name) or path.is_file() else name


def names_folder(program: str) -> bool:
    """Return whether the name of a program has a folder in it: such ones are not on PATH."""
    return any(separator in program for separator in (os.sep, os.altsep) if separator)
