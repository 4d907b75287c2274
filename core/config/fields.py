"""The leaves of the project model: their dotted names, environment variables and path marks."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import msgspec

from fotabuild.config.model import PathKind, Project

ENVIRONMENT_PREFIX = "FOTABUILD_"


@dataclass(frozen=True)
class Field:
    """A value that can be given by an option or an environment variable.

    Attributes:
        name: dotted key in ``fotabuild.yaml``, such as ``payload.url``.
        type: its type, for conversion from text.
        description: one sentence for people.
        path: how relative paths in it are resolved; None for other values.
        is_list: whether it holds several values, separated by commas in text.
    """

    name: str
    type: Any
    description: str
    path: PathKind | None
    is_list: bool

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").replace("-", "_").upper()


@functools.cache
def project_fields() -> tuple[Field, ...]:
    """Return all leaves that text can set, in the order of the model."""
    return tuple(_leaves(Project, ""))


def _leaves(struct: type[msgspec.Struct], prefix: str) -> list[Field]:
    leaves: list[Field] = []
    information = msgspec.inspect.type_info(struct)
    assert isinstance(information, msgspec.inspect.StructType)
    for field, raw in zip(information.fields, msgspec.structs.fields(struct), strict=True):
        name = f"{prefix}{field.encode_name}"
        kind, extra, description = _unwrap(field.type)
        if isinstance(kind, msgspec.inspect.StructType):
            leaves += _leaves(kind.cls, f"{name}.")
        elif isinstance(kind, msgspec.inspect.VarTupleType):
            item, _, _ = _unwrap(kind.item_type)
            if isinstance(item, msgspec.inspect.EnumType | msgspec.inspect.StrType):
                leaves.append(Field(name, raw.type, description, None, True))
        elif not isinstance(kind, msgspec.inspect.UnionType):  # Text cannot say which of them.
            leaves.append(Field(name, raw.type, description, extra.get("path"), False))
    return leaves


def _unwrap(kind: msgspec.inspect.Type) -> tuple[msgspec.inspect.Type, dict[str, Any], str]:
    """Strip metadata and optionality; return the type, its extra marks and its description."""
    extra: dict[str, Any] = {}
    description = ""
    while True:
        if isinstance(kind, msgspec.inspect.Metadata):
            extra = {**(kind.extra or {}), **extra}
            description = description or (kind.extra_json_schema or {}).get("description", "")
            kind = kind.type
        elif isinstance(kind, msgspec.inspect.UnionType):
            members = [
                member for member in kind.types if not isinstance(member, msgspec.inspect.NoneType)
            ]
            if len(members) != 1:
                return kind, extra, description
            kind = members[0]
        else:
            return kind, extra, description
