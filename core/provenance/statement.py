"""What is stated: an in-toto Statement v1 with a predicate of SLSA Provenance v1.

Nothing in it depends on time, folder or user, so the same artifacts give the same statement.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fotabuild.errors import ProvenanceError
from fotabuild.limits import READ_LIMITS

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:fotabuild:build:v1"
#: The builder of who runs ``fotabuild`` by hand and says nothing about it.
UNKNOWN_BUILDER = "urn:fotabuild:builder:unspecified"
#: The digest of a material that is sources, and the name of one that is not said but found.
COMMIT, INSTALLED_IMAGE = "gitCommit", "installed image"
_DIGEST_DIGITS = 64
_LONGEST_NAME = 4096


@dataclass(frozen=True)
class Material:
    """Something that the build read.

    Attributes:
        digests: by name of the algorithm, hexadecimal: ``sha256``, ``gitCommit``.
        name: what people call it.
        uri: where it can be had.
    """

    digests: Mapping[str, str]
    name: str = ""
    uri: str = ""

    def to_values(self) -> dict[str, Any]:
        """Return a ResourceDescriptor of in-toto."""
        values: dict[str, Any] = {"digest": dict(self.digests)}
        values |= {"name": self.name} if self.name else {}
        return values | ({"uri": self.uri} if self.uri else {})


@dataclass(frozen=True)
class Statement:
    """Which artifacts there are, and how they were made.

    Attributes:
        subjects: SHA-256 by name: the path in the folder, with slashes.
        parameters: what the build was asked for, as JSON-like values.
        materials: what it read.
        builder: URI of who ran it.
        version: release of fotabuild.
        invocation: name of the run, as its CI system calls it.
    """

    subjects: Mapping[str, bytes]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    materials: tuple[Material, ...] = ()
    builder: str = UNKNOWN_BUILDER
    version: str = ""
    invocation: str | None = None

    def encode(self) -> bytes:
        """Return the JSON, sorted and without spaces."""
        details: dict[str, Any] = {
            "builder": {"id": self.builder, "version": {"fotabuild": self.version}}
        }
        if self.invocation is not None:
            details["metadata"] = {"invocationId": self.invocation}
        values = {
            "_type": STATEMENT_TYPE,
            "subject": [
                {"name": name, "digest": {"sha256": digest.hex()}}
                for name, digest in sorted(self.subjects.items())
            ],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "buildDefinition": {
                    "buildType": BUILD_TYPE,
                    "externalParameters": dict(self.parameters),
                    "resolvedDependencies": [material.to_values() for material in self.materials],
                },
                "runDetails": details,
            },
        }
        return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()


class _Subject(msgspec.Struct, frozen=True):
    name: str
    digest: dict[str, str]


class _Statement(msgspec.Struct, frozen=True):
    type: str = msgspec.field(name="_type")
    predicate_type: str = msgspec.field(name="predicateType")
    subject: list[_Subject]


def read_subjects(data: bytes) -> dict[str, bytes]:
    """Return the subjects of a verified statement: SHA-256 by name.

    Raises:
        ProvenanceError: no statement of these types, or a subject that cannot be used.
    """
    try:
        found = msgspec.json.decode(data, type=_Statement)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise ProvenanceError(f"this is not an in-toto statement: {error}") from None
    for name, value, expected in (
        ("_type", found.type, STATEMENT_TYPE),
        ("predicateType", found.predicate_type, PREDICATE_TYPE),
    ):
        if value != expected:
            raise ProvenanceError(f"{value[:80]!r} where {expected!r} is expected", field=name)
    if not 0 < len(found.subject) <= READ_LIMITS.release_files:
        raise ProvenanceError(f"{len(found.subject)} subjects", field="subject")
    subjects: dict[str, bytes] = {}
    for index, subject in enumerate(found.subject):
        where = f"subject[{index}]"
        if not 0 < len(subject.name) <= _LONGEST_NAME or subject.name in subjects:
            raise ProvenanceError("this name is empty, too long, or there twice", field=where)
        text = subject.digest.get("sha256", "")
        try:
            digest = bytes.fromhex(text) if len(text) == _DIGEST_DIGITS else b""
        except ValueError:
            digest = b""
        if 2 * len(digest) != _DIGEST_DIGITS:
            raise ProvenanceError("there is no SHA-256 here", field=f"{where}.digest.sha256")
        subjects[subject.name] = digest
    return subjects
