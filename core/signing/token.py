"""Keys in PKCS#11 tokens: smart cards, hardware security modules, SoftHSM.

Whether somebody is logged in to a token is a matter of the whole process, and steps may run in
parallel threads. So one thread at a time opens a session, logs in, works and closes it: nothing is
left open between two signatures, and a token that was away in between is simply opened again.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from fotabuild.digest import sha256
from fotabuild.errors import SecretError, TokenError
from fotabuild.signing.secret import forget_secret, read_pin
from fotabuild.signing.token_uri import TokenUri

if TYPE_CHECKING:
    import pkcs11

MODULE_VARIABLE = "PKCS11_MODULE_PATH"
# DER: the OCTET STRING header before an uncompressed point, and the OID of P-256.
_POINT_HEADER = b"\x04\x41"
_P256 = bytes.fromhex("06082a8648ce3d030107")
_POINT_SIZE = 65
_lock = threading.RLock()
# Tokens lock themselves after a few wrong PINs, and a build opens a signer for every manifest.
_refused_pins: set[bytes] = set()
_Result = TypeVar("_Result")


class TokenSigner:
    """A P-256 key in a token, which never leaves it.

    Args:
        uri: which key.
        source: where its PIN comes from.
        pin: its PIN; None for a token without a login.
        certificate_key: public key of the update certificate, for tokens that hold none.
    """

    def __init__(
        self, uri: TokenUri, source: str | None, pin: str | None, certificate_key: bytes | None
    ) -> None:
        self._uri = uri
        self._source = source
        self._pin = pin
        self._public_key = self._with_session(lambda s: self._find_point(s, certificate_key))

    @classmethod
    def open(cls, uri: str, passphrase: str | None, certificate_key: bytes | None) -> TokenSigner:
        """Find the key that a ``pkcs11:`` URI names.

        Raises:
            TokenError: no module, no such token or key, more than one, or not on P-256.
            SecretError: the PIN is missing or wrong.
        """
        parsed = TokenUri.parse(uri)
        source = parsed.pin_source or passphrase
        pin = None
        if source is not None:
            try:
                pin = read_pin(source, f"PIN of token {parsed.token or '(any)'}").decode()
            except UnicodeDecodeError:
                raise SecretError("the PIN is not UTF-8 text") from None
        return cls(parsed, source, pin, certificate_key)

    def public_key(self) -> bytes:
        """Return the public key, 65 bytes, an uncompressed point."""
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """Return the raw 64-byte r and s of ECDSA-SHA256 over ``data``."""
        return self.sign_digest(sha256(data))

    def sign_digest(self, digest: bytes, data: bytes | None = None) -> bytes:  # noqa: ARG002
        """Return the raw 64-byte r and s of ECDSA over a SHA-256; tokens need not hash."""
        from pkcs11 import Mechanism

        def sign(session: pkcs11.Session) -> bytes:
            key: Any = self._find_key(session)
            return bytes(key.sign(digest, mechanism=Mechanism.ECDSA))

        return self._with_session(sign)

    def _with_session(self, work: Callable[[pkcs11.Session], _Result]) -> _Result:
        """Do some work in a session of its own; a token that was away is tried once more."""
        pkcs11 = _binding()
        lost = (
            pkcs11.SessionHandleInvalid,
            pkcs11.SessionClosed,
            pkcs11.DeviceRemoved,
            pkcs11.TokenNotPresent,
            pkcs11.UserNotLoggedIn,
            pkcs11.ObjectHandleInvalid,
            pkcs11.KeyHandleInvalid,
        )
        with _lock, self._explained():
            if self._pin_mark() in _refused_pins:
                raise SecretError(f"the PIN of {self._name()} is wrong")
            try:
                with self._session() as session:
                    return work(session)
            except lost:
                with self._session() as session:
                    return work(session)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        pkcs11 = _binding()
        try:
            yield
        except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange):
            _refused_pins.add(self._pin_mark())
            forget_secret(self._source)
            raise SecretError(f"the PIN of {self._name()} is wrong") from None
        except pkcs11.PinLocked:
            raise SecretError(f"the PIN of {self._name()} is locked") from None
        except pkcs11.PKCS11Error as error:
            text = f"{type(error).__name__} {error}".strip()
            raise TokenError(f"{self._name()} reports {text}") from None

    @contextlib.contextmanager
    def _session(self) -> Iterator[pkcs11.Session]:
        token = self._find_token()
        session = token.open(user_pin=self._pin) if self._pin is not None else token.open()
        try:
            yield session
        finally:
            # Of a session that was lost nothing is left to close.
            with contextlib.suppress(_binding().PKCS11Error):
                session.close()

    def _find_token(self) -> Any:
        uri = self._uri
        from pkcs11 import TokenFlag

        found = _load(uri.module).get_tokens(token_label=uri.token)
        # Modules list empty slots too.
        tokens = [
            token
            for token in found
            if token.flags & TokenFlag.TOKEN_INITIALIZED
            and uri.serial in (None, _text(token.serial))
            and uri.manufacturer in (None, _text(token.manufacturer_id))
            and uri.model in (None, _text(token.model))
        ]
        if len(tokens) == 1:
            return tokens[0]
        if tokens:
            raise TokenError(
                f"{len(tokens)} tokens fit this URI",
                remedy="add token=LABEL or serial=NUMBER to it",
            )
        raise TokenError(
            f"there is no {self._name()}", remedy="is it plugged in, and its label right?"
        )

    def _find(self, session: pkcs11.Session, kind: Any) -> list[Any]:
        from pkcs11 import Attribute

        wanted: dict[Any, Any] = {Attribute.CLASS: kind}
        if self._uri.label is not None:
            wanted[Attribute.LABEL] = self._uri.label
        if self._uri.key_id is not None:
            wanted[Attribute.ID] = self._uri.key_id
        return list(session.get_objects(wanted))

    def _find_key(self, session: pkcs11.Session) -> Any:
        """Return the one private key that fits, if it is on P-256."""
        from pkcs11 import Attribute, KeyType, ObjectClass

        keys = self._find(session, ObjectClass.PRIVATE_KEY)
        if len(keys) > 1:
            raise TokenError(
                f"{len(keys)} private keys in {self._name()} fit this URI",
                remedy="add id=%.. to it",
            )
        if not keys:
            hidden = "" if self._pin is not None else "; without a PIN most tokens show none"
            raise TokenError(f"{self._name()} holds no such private key{hidden}")
        key = keys[0]
        if key.key_type != KeyType.EC or bytes(key[Attribute.EC_PARAMS]) != _P256:
            raise TokenError("this key is not on P-256", remedy="devices accept P-256 only")
        return key

    def _find_point(self, session: pkcs11.Session, certificate_key: bytes | None) -> bytes:
        from pkcs11 import Attribute, ObjectClass

        self._find_key(session)
        points = {
            bytes(key[Attribute.EC_POINT]) for key in self._find(session, ObjectClass.PUBLIC_KEY)
        }
        if len(points) == 1:
            point = points.pop()
            # Some tokens leave out the header.
            return point if len(point) == _POINT_SIZE else point.removeprefix(_POINT_HEADER)
        if certificate_key is None:
            raise TokenError(
                f"{self._name()} does not hold the public key",
                field="credentials.certificate",
                remedy="give the update certificate",
            )
        return certificate_key

    def _pin_mark(self) -> bytes:
        """Return what tells this PIN for this token from others, without being either."""
        uri = self._uri
        return sha256(repr((uri.module, uri.token, uri.serial, self._pin)).encode())

    def _name(self) -> str:
        return f"token {self._uri.token!r}" if self._uri.token else "token"


def _text(value: str | bytes) -> str:
    """Return a field of a token, which is padded to its full width in the token."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return text.rstrip(" \0")


def _binding() -> Any:
    try:
        import pkcs11
    except ImportError:
        raise TokenError(
            "keys in tokens need the package python-pkcs11",
            remedy="pip install 'fotabuild[pkcs11]'",
        ) from None
    return pkcs11


def _load(module: str | None) -> Any:
    pkcs11 = _binding()
    path = module or os.environ.get(MODULE_VARIABLE)
    if not path:
        raise TokenError(
            "which PKCS#11 library speaks to the token is not said",
            remedy=f"add ?module-path=/usr/lib/...so to the URI, or set {MODULE_VARIABLE}",
        )
    try:
        return pkcs11.lib(path)
    except (pkcs11.PKCS11Error, OSError, RuntimeError):
        raise TokenError("this PKCS#11 library cannot be loaded", file=path) from None
