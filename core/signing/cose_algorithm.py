"""Algorithms of COSE signatures and the keys they are for (suit specification, section 7.2)."""

from __future__ import annotations

import enum

from fotabuild.errors import CoseKeyError


class KeyKind(enum.Enum):
    """Kinds of keys, as messages name them."""

    P256 = "P-256"
    P384 = "P-384"
    P521 = "P-521"
    ED25519 = "Ed25519"
    HSS_LMS = "HSS/LMS"
    HMAC = "HMAC-256"


class CoseAlgorithm(enum.Enum):
    """Algorithms, as the option ``--alg`` names them."""

    ESP256 = "ESP256"
    ES256 = "ES256"
    ESP384 = "ESP384"
    ES384 = "ES384"
    ESP512 = "ESP512"
    ES512 = "ES512"
    ED25519 = "Ed25519"
    EDDSA = "EdDSA"
    HSS_LMS = "HSS-LMS"
    HMAC_256 = "HMAC-256"

    @property
    def number(self) -> int:
        """Number in the COSE registry."""
        return _FACTS[self][0]

    @property
    def kind(self) -> KeyKind:
        """Keys that it is for."""
        return _FACTS[self][1]


_FACTS = {
    CoseAlgorithm.ESP256: (-9, KeyKind.P256),
    CoseAlgorithm.ES256: (-7, KeyKind.P256),
    CoseAlgorithm.ESP384: (-51, KeyKind.P384),
    CoseAlgorithm.ES384: (-35, KeyKind.P384),
    CoseAlgorithm.ESP512: (-52, KeyKind.P521),
    CoseAlgorithm.ES512: (-36, KeyKind.P521),
    CoseAlgorithm.ED25519: (-19, KeyKind.ED25519),
    CoseAlgorithm.EDDSA: (-8, KeyKind.ED25519),
    CoseAlgorithm.HSS_LMS: (-46, KeyKind.HSS_LMS),
    CoseAlgorithm.HMAC_256: (5, KeyKind.HMAC),
}
_BY_NUMBER = {algorithm.number: algorithm for algorithm in CoseAlgorithm}


def algorithm_by_number(number: int) -> CoseAlgorithm | None:
    """Return the algorithm of a COSE number, or None when we do not know it."""
    return _BY_NUMBER.get(number)


def algorithm_for(
    kind: KeyKind, name: CoseAlgorithm | None = None, *, older_ids: bool = False
) -> CoseAlgorithm:
    """Return the algorithm to sign with.

    Args:
        kind: the kind of key.
        name: the wished one; None takes the usual one.
        older_ids: whether the usual one is that of devices before RFC 9864 (ES256, not ESP256).

    Raises:
        CoseKeyError: the wished one is for other keys.
    """
    fitting = [algorithm for algorithm in CoseAlgorithm if algorithm.kind is kind]
    if name is None:
        return fitting[-1 if older_ids else 0]
    if name not in fitting:
        raise CoseKeyError(
            f"{name.value} is for keys of the kind {name.kind.value}; this one is {kind.value}",
            remedy=f"use {' or '.join(algorithm.value for algorithm in fitting)}",
        )
    return name
