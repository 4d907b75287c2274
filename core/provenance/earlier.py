"""The statement that a new one is about to replace: what it knows must not be lost in silence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import msgspec

from fotabuild.errors import ProvenanceError
from fotabuild.provenance.claims import Claims
from fotabuild.provenance.envelope import unseal, unverified
from fotabuild.provenance.statement import (
    COMMIT,
    INSTALLED_IMAGE,
    UNKNOWN_BUILDER,
    Material,
    read_subjects,
)


@dataclass(frozen=True)
class EarlierStatement:
    """A statement that another one is about to replace.

    Attributes:
        claims: what it says.
        doubt: why that may be true of other files than those that are here now; empty if it is not.
    """

    claims: Claims
    doubt: str = ""


def read_earlier(
    data: bytes,
    public_key: bytes | None,
    present: Mapping[str, bytes],
    built: Collection[str] = (),
) -> EarlierStatement:
    """Read the statement that is there.

    Args:
        data: the signed statement.
        public_key: that of the update key; None for one that signs no statements.
        present: SHA-256 of the files that are there now, by name.
        built: those of them that only builds make. Other files may have come since.

    Raises:
        ProvenanceError: this is no statement.
    """
    claims = _read_claims(unverified(data))
    try:
        if public_key is None:
            raise ProvenanceError("only keys on P-256 sign statements")
        subjects = read_subjects(unseal(data, public_key))
    except ProvenanceError:
        return EarlierStatement(claims, "it is no statement of the update key")
    for name, digest in subjects.items():
        if name not in present:
            return EarlierStatement(claims, f"{name} is no longer here")
        if present[name] != digest:
            return EarlierStatement(claims, f"{name} is another one now")
    for name in sorted(built):
        if name not in subjects:
            return EarlierStatement(claims, f"{name} was built since")
    return EarlierStatement(claims)


class _Builder(msgspec.Struct, frozen=True):
    id: str


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    invocation_id: str | None = None


class _Run(msgspec.Struct, frozen=True):
    builder: _Builder
    metadata: _Metadata = _Metadata()


class _Dependency(msgspec.Struct, frozen=True):
    digest: dict[str, str]
    name: str = ""
    uri: str = ""


class _Definition(msgspec.Struct, frozen=True, rename="camel"):
    resolved_dependencies: tuple[_Dependency, ...] = ()


class _Predicate(msgspec.Struct, frozen=True, rename="camel"):
    build_definition: _Definition
    run_details: _Run


class _Statement(msgspec.Struct, frozen=True):
    predicate: _Predicate


def _read_claims(payload: bytes) -> Claims:
    try:
        found = msgspec.json.decode(payload, type=_Statement).predicate
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise ProvenanceError(f"this is not a statement on an origin: {error}") from None
    run, builder = found.run_details, found.run_details.builder.id
    materials = [
        Material(item.digest, item.name, item.uri)
        for item in found.build_definition.resolved_dependencies
        if item.name != INSTALLED_IMAGE
    ]
    return Claims(
        builder=None if builder == UNKNOWN_BUILDER else builder,
        invocation=run.metadata.invocation_id,
        sources=tuple(item for item in materials if COMMIT in item.digests),
        files=tuple(item for item in materials if COMMIT not in item.digests),
    )
