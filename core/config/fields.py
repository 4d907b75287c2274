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
        section: the part of the model that it is in.
        attribute: its name there.
        description: one sentence for people.
        path: how relative paths in it are resolved; None for other values.
        is_list: whether it holds several values, separated by commas in text.
    """

    name: str
    section: type[msgspec.Struct]
    attribute: str
    description: str
    path: PathKind | None
    is_list: bool

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").replace("-", "_").upper()

    @property
    def type(self) -> Any:
        """Its type, for conversion from text."""
        # Looked up when text is there: for all fields it takes as long as to read a small file.
        fields = msgspec.structs.fields(self.section)
        return next(field.type for field in fields if field.name == self.attribute)


@functools.cache
def project_fields() -> tuple[Field, ...]:
    """Return all leaves that text can set, in the order of the model."""
    project = msgspec.inspect.type_info(Project)
    assert isinstance(project, msgspec.inspect.StructType)
    return tuple(_leaves(project, ""))


def _leaves(section: msgspec.inspect.StructType, prefix: str) -> list[Field]:
    leaves: list[Field] = []
    for field in section.fields:
        name = f"{prefix}{field.encode_name}"
        place = section.cls, field.name
        kind, extra, description = _unwrap(field.type)
        if isinstance(kind, msgspec.inspect.StructType):
            leaves += _leaves(kind, f"{name}.")
        elif isinstance(kind, msgspec.inspect.VarTupleType):
            item, _, _ = _unwrap(kind.item_type)
            if isinstance(item, msgspec.inspect.EnumType | msgspec.inspect.StrType):
                leaves.append(Field(name, *place, description, None, True))
        elif not isinstance(kind, msgspec.inspect.UnionType):  # Text cannot say which of them.
            leaves.append(Field(name, *place, description, extra.get("path"), False))
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
