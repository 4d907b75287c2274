"""``pkcs11:`` URIs: what is understood, and what is refused without showing it."""

from __future__ import annotations

import pytest

from fotabuild.errors import TokenError
from fotabuild.signing.token_uri import TokenUri


def test_all_attributes() -> None:
    uri = TokenUri.parse(
        "pkcs11:token=Our%20Token;manufacturer=We;model=M1;serial=12%3B34;object=update%2Fkey;id=%00%ff;type=private"
        "?module-path=/usr/lib/a%26b.so&pin-source=file:/run/pin"
    )
    assert uri == TokenUri(
        token="Our Token",
        manufacturer="We",
        model="M1",
        serial="12;34",
        label="update/key",
        key_id=b"\0\xff",
        module="/usr/lib/a&b.so",
        pin_source="file:/run/pin",
    )


def test_one_of_object_and_id_is_enough() -> None:
    assert TokenUri.parse("pkcs11:object=a") == TokenUri(label="a")
    assert TokenUri.parse("pkcs11:id=%01") == TokenUri(key_id=b"\1")


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("file:object=a", "not a pkcs11: URI"),
        ("pkcs11:", "names no key"),
        ("pkcs11:token=a", "names no key"),
        ("pkcs11:object=a;type=public", "not of a private key"),
        ("pkcs11:object=a;type=cert", "not of a private key"),
        ("pkcs11:object=a;object=b", "stands twice"),
        ("pkcs11:object=", "empty or has a broken escape"),
        ("pkcs11:object=%4", "empty or has a broken escape"),
        ("pkcs11:object=%zz", "empty or has a broken escape"),
        ("pkcs11:object=%ff", "not UTF-8"),
        ("pkcs11:object", "not understood"),
        ("pkcs11:object=a;pin-source=x", "not understood"),
        ("pkcs11:object=a;canary", "not understood"),
        ("pkcs11:object=a?x-canary=canary", "not understood"),
        ("pkcs11:object=a?pin-value=canary", "PIN in the key's URI"),
        ("pkcs11:object=a?PIN-VALUE=canary", "PIN in the key's URI"),
        ("pkcs11:object=a?pin%2dvalue=canary", "PIN in the key's URI"),
        ("pkcs11:object=a;pin-value=canary", "PIN in the key's URI"),
    ],
)
def test_refused(uri: str, problem: str) -> None:
    with pytest.raises(TokenError, match=problem) as caught:
        TokenUri.parse(uri)
    assert "canary" not in str(caught.value)


def test_a_standard_attribute_that_is_not_understood_is_named() -> None:
    with pytest.raises(TokenError, match="slot-id: an attribute that is not understood"):
        TokenUri.parse("pkcs11:object=a;slot-id=3")
