"""Component ids, digests, UUIDs and texts in the JSON of a description."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable
from typing import TypeVar

from fotabuild.formats.suit.byte_text import Spelling, decode_as, doubt, read_bytes
from fotabuild.formats.suit.json_node import Node
from fotabuild.formats.suit.model import ComponentId, Digest
from fotabuild.formats.suit.names import DigestAlgorithm
from fotabuild.limits import READ_LIMITS

_Named = TypeVar("_Named", bound=enum.Enum)
_ID_PARTS = 64
_INPUT_DIGESTS = ("sha224", "sha256", "sha384", "sha512")


def named(node: Node, names: type[_Named], allowed: Iterable[str] | None = None) -> _Named:
    """Return the member of a closed set that a text names."""
    text = node.text()
    known = [str(each.value) for each in names] if allowed is None else list(allowed)
    if text not in known:
        node.fail(f"unknown name {text[:40]!r}", f"write one of {', '.join(known)}")
    return names(text)


def byte_value(node: Node, *, warn: bool) -> bytes:
    """Return the bytes of a text, or of a map that states how the text is spelled."""
    if isinstance(node.value, dict):
        spellings = [spelling.value for spelling in Spelling]
        node.only(spellings)
        if len(node.keys()) != 1:
            node.fail("one key is expected", f"write one of {', '.join(spellings)}")
        spelling = Spelling(node.keys()[0])
        inner = node.need(spelling.value)
        try:
            return decode_as(inner.text(), spelling)
        except ValueError as error:
            inner.fail(str(error))
    text = node.text()
    if warn and (problem := doubt(text)):
        node.warn(problem)
    return read_bytes(text)[0]


def component_id(node: Node) -> ComponentId:
    """Return a component id: a list of texts."""
    if isinstance(node.value, str):
        node.fail("a component id is a list of texts", f"write [{node.value[:40]!r}]")
    parts = node.list(_ID_PARTS)
    if not parts:
        node.fail("an empty component id")
    location = tuple(byte_value(part, warn=True) for part in parts)
    if sum(len(part) + 1 for part in location) > READ_LIMITS.suit_location_size:
        node.fail(f"a component id of more than {READ_LIMITS.suit_location_size} bytes")
    return location


def digest(node: Node) -> Digest:
    """Return a digest whose length fits its algorithm."""
    node.only(("algorithm-id", "digest-bytes"))
    algorithm = digest_algorithm(node.need("algorithm-id"))
    content = node.need("digest-bytes")
    value = byte_value(content, warn=False)
    if len(value) != algorithm.size:
        content.fail(f"{algorithm.value} has {algorithm.size} bytes, not {len(value)}")
    return Digest(algorithm, value)


def digest_algorithm(node: Node) -> DigestAlgorithm:
    """Return the algorithm that a text names."""
    return named(node, DigestAlgorithm, _INPUT_DIGESTS)


def uuid_value(node: Node) -> uuid.UUID:
    """Return a UUID in any of its usual spellings."""
    text = node.text()
    try:
        return uuid.UUID(text)
    except ValueError:
        node.fail(f"{text[:60]!r} is not a UUID")


def texts(node: Node, names: type[_Named], language: str) -> dict[str, dict[_Named, str]]:
    """Return the texts of the manifest or of a component, by language.

    Args:
        node: the map that holds them, among other things.
        names: the texts that there are.
        language: the language of texts that stand there directly.
    """
    found: dict[str, dict[_Named, str]] = {}
    for name in names:
        direct = node.get(name.value)
        if direct is not None:
            found.setdefault(language, {})[name] = direct.text()
    described = node.get("description")
    if described is None:
        return found
    for tag in described.keys():  # noqa: SIM118
        inner = described.need(tag)
        check_language(inner, tag)
        inner.only(str(name.value) for name in names)
        for key in inner.keys():  # noqa: SIM118
            name = names(key)
            if name in found.get(tag, {}):
                inner.need(key).fail(f"this text is there twice in the language {tag}")
            found.setdefault(tag, {})[name] = inner.need(key).text()
    return found


def check_language(node: Node, tag: str) -> None:
    """Refuse what is no language tag (RFC 5646 in its general form)."""
    first, *rest = tag.split("-")
    fits = first.isascii() and first.isalpha() and len(first) <= 8
    if not fits or not all(p.isascii() and p.isalnum() and len(p) <= 8 for p in rest):
        node.fail(f"{tag[:40]!r} is not a language tag", "write one such as en or de-CH")
