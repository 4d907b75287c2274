"""The list of a firmware's parts that a project keeps: a YAML file of its own."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fotabuild.config.yaml_reader import read_yaml
from fotabuild.digest import sha256
from fotabuild.errors import PartsListError, YamlError, in_file
from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.provenance.public_text import find_secret

_Text = Annotated[str, Meta(min_length=1, max_length=1000)]
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One part.

    Attributes:
        name: its name.
        version: its version.
        type: what it is, in the words of CycloneDX.
        purl: its package URL.
        license: its licence, an SPDX expression.
        supplier: who it comes from.
        sha256: digest of what was built in; of ``file`` when that is given.
        file: the file that was built in; a relative name starts at the list's folder.
    """

    name: _Text
    version: _Text | None = None
    type: Literal["library", "framework", "operating-system", "firmware", "file", "application"] = (
        "library"
    )
    purl: _Text | None = None
    license: _Text | None = None
    supplier: _Text | None = None
    sha256: _Digest | None = None
    file: _Text | None = None


class _List(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    parts: Annotated[list[Part], Meta(min_length=1, max_length=READ_LIMITS.parts)]


def read_parts(path: Path) -> tuple[Part, ...]:
    """Return the parts in a list, sorted by name and version; files have become digests.

    Raises:
        PartsListError: malformed, with a secret in it, or a part is there twice.
        FileError: the list or the file of a part cannot be read.
    """
    with in_file(path):
        try:
            values = read_yaml(read_file(path, READ_LIMITS.config, "list of parts")).values
            found = msgspec.convert(values, _List).parts
        except (YamlError, msgspec.ValidationError) as error:
            raise PartsListError(
                f"this is no list of parts: {error}", remedy="see provenance.md for its form"
            ) from None
        for part in found:
            _refuse_secrets(part)
        parts = sorted((_with_digest(part, path.parent) for part in found), key=_key)
        for one, other in pairwise(parts):
            if _key(one) == _key(other):
                raise PartsListError("this part is there twice", field=one.name)
    return tuple(parts)


def _refuse_secrets(part: Part) -> None:
    for text in (part.name, part.version, part.purl, part.license, part.supplier):
        secret = find_secret(text or "")
        if secret is not None:
            raise PartsListError(
                f"here stands {secret}, and a bill of materials is for everybody",
                field=part.name if find_secret(part.name) is None else "parts",
                remedy="write it without",
            )


def _key(part: Part) -> tuple[str, str]:
    return part.name, part.version or ""


def _with_digest(part: Part, folder: Path) -> Part:
    if part.file is None:
        return part
    digest = sha256(read_file(folder / part.file, READ_LIMITS.image, "part")).hex()
    if part.sha256 not in (None, digest):
        raise PartsListError(
            f"{part.file} has the SHA-256 {digest}, the list has {part.sha256}", field=part.name
        )
    return msgspec.structs.replace(part, sha256=digest)
