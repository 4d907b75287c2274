"""``pkcs11:`` URIs (RFC 7512), as far as a private key needs them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from fotabuild.errors import TokenError
from fotabuild.signing.signer import TOKEN_SCHEME

_PATH = ("token", "manufacturer", "model", "serial", "object", "id", "type")
_QUERY = ("module-path", "pin-source")
# Other names of RFC 7512, which one can write in good faith.
_UNUSED = (
    *("library-manufacturer", "library-description", "library-version", "module-name"),
    *("slot-manufacturer", "slot-description", "slot-id"),
)
_FORBIDDEN = "pin-value"
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, kw_only=True)
class TokenUri:
    """Which key in which token.

    Attributes:
        token: label of the token; None for any.
        manufacturer: who made the token; None for any.
        model: model of the token; None for any.
        serial: serial number of the token; None for any.
        label: label of the key (``object``); None for any.
        key_id: id of the key; None for any.
        module: the PKCS#11 library; None for the one in ``PKCS11_MODULE_PATH``.
        pin_source: where the PIN comes from.
    """

    token: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    label: str | None = None
    key_id: bytes | None = None
    module: str | None = None
    pin_source: str | None = None

    @classmethod
    def parse(cls, uri: str) -> TokenUri:
        """Read a URI.

        Raises:
            TokenError: another scheme, an unknown or doubled attribute, no key named, or a PIN.
                The message never holds a value: it could be a PIN.
        """
        scheme, _, rest = uri.partition(":")
        path, _, query = rest.partition("?")
        if scheme != TOKEN_SCHEME:
            raise TokenError("this is not a pkcs11: URI")
        values = {**_attributes(path, ";", _PATH), **_attributes(query, "&", _QUERY)}
        if values.get("type", b"private") != b"private":
            raise TokenError("this URI is not of a private key", field="type")
        if "object" not in values and "id" not in values:
            raise TokenError(
                "this URI names no key", remedy="write pkcs11:token=...;object=... or ;id=%01"
            )
        key_id = values.pop("id", None)
        text = {name: _text(name, value) for name, value in values.items()}
        return cls(
            token=text.get("token"),
            manufacturer=text.get("manufacturer"),
            model=text.get("model"),
            serial=text.get("serial"),
            label=text.get("object"),
            key_id=key_id,
            module=text.get("module-path"),
            pin_source=text.get("pin-source"),
        )


def _attributes(text: str, separator: str, known: tuple[str, ...]) -> dict[str, bytes]:
    values: dict[str, bytes] = {}
    for part in text.split(separator) if text else ():
        name, equals, value = part.partition("=")
        if unquote_to_bytes(name).lower() == _FORBIDDEN.encode():
            raise TokenError(
                "a PIN in the key's URI can be seen by others",
                field=_FORBIDDEN,
                remedy="write pin-source=FILE, or set credentials.passphrase",
            )
        if name not in known or not equals:
            # Only a name from a list is shown: a PIN may stand where a name belongs.
            raise TokenError(
                "an attribute that is not understood",
                field=name if name in _UNUSED else None,
                remedy=f"known here are {', '.join(known)}",
            )
        if name in values:
            raise TokenError("this attribute stands twice", field=name)
        if _ESCAPE.search(value) or not value:
            raise TokenError("this attribute is empty or has a broken escape", field=name)
        values[name] = unquote_to_bytes(value)
    return values


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise TokenError("this attribute is not UTF-8", field=name) from None
