"""``config.md``, from the model of ``fotabuild.yaml``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from fotabuild.config.fields import project_fields
from fotabuild.config.model import PathKind, Project, SecretSource, Uuid, VersionText

from .markdown import NOTE, sentence, table

_COLUMNS = ("setting", "environment variable", "type", "default", "meaning")
_INTRODUCTION = """\
# Configuration

`fotabuild.yaml` says once what a firmware project is. `fotabuild init` writes a starting one.
Commands look for it in the current folder and the folders above; `--config FILE` names another.

- **Precedence**, strongest first: option of the command line (`--set NAME=VALUE`, and options such
  as `--key`), environment variable, build system (`FOTASETTINGS` in SCons), `fotabuild.yaml`,
  default. `fotabuild config` prints every setting and where its value came from. An empty
  environment variable counts as not set.
- **Paths** in the file start at the folder of the file; paths in options and variables start at the
  current folder.
- **Strict**: unknown keys, keys that stand twice, wrong types, YAML anchors, aliases and tags are
  errors that name file and line. JSON is accepted, as it is YAML.
- **Names and ids**: the vendor id of a `domain` is its UUID version 5 in the DNS name space, the
  class id of a `model-name` is its UUID version 5 in the name space of the vendor id. A name from a
  stronger source replaces the id of a weaker one, and the other way round.
- **Lists** in options and variables are separated by commas:
  `FOTABUILD_DEVICE_FEATURES=delta,combined`. Settings without a variable stand in the file only.
- **Editors** check and complete with [fotabuild.schema.json](fotabuild.schema.json), the JSON
  schema that `fotabuild schema` prints.
"""


def page() -> str:
    """Return the page."""
    information = msgspec.inspect.type_info(Project)
    return NOTE + _INTRODUCTION + "".join(_section(information, "", "Top level"))


def _section(section: Any, name: str, title: str) -> Iterator[str]:
    """Yield the section of a struct and those of the structs in it."""
    prefix = f"{name}." if name else ""
    inner = [(field, _structs(field.type)) for field in section.fields]
    yield f"\n## {title}\n\n"
    if name:
        yield f"{sentence(section.cls.__doc__ or '')}\n\n"
    yield table(_COLUMNS, _rows((field for field, structs in inner if not structs), prefix))
    for field, structs in inner:
        for struct, brackets in structs:
            inner_name = f"{prefix}{field.encode_name}{brackets}"
            yield from _section(struct, inner_name, f"`{inner_name}`")


def _rows(fields: Iterable[Any], prefix: str) -> Iterator[tuple[str, ...]]:
    variables = {field.name: f"`{field.variable}`" for field in project_fields()}
    for field in fields:
        name = f"{prefix}{field.encode_name}"
        yield (
            f"`{name}`",
            variables.get(name, "-"),
            _type(field.type),
            _default(field),
            _description(field.type),
        )


def _layers(kind: Any) -> Iterator[Any]:
    """Yield a type, then what is behind its annotations and its ``| None``."""
    while True:
        yield kind
        if isinstance(kind, msgspec.inspect.Metadata):
            kind = kind.type
        elif isinstance(kind, msgspec.inspect.UnionType):
            kind = next(t for t in kind.types if not isinstance(t, msgspec.inspect.NoneType))
        else:
            return


def _bare(kind: Any) -> Any:
    return list(_layers(kind))[-1]


def _structs(kind: Any) -> list[tuple[Any, str]]:
    """Return the structs that a field may hold; with ``[]`` where it holds a list of them."""
    while isinstance(kind, msgspec.inspect.Metadata):
        kind = kind.type
    kinds = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    found = []
    for one in map(_bare, kinds):
        is_list = isinstance(one, msgspec.inspect.VarTupleType)
        item = _bare(one.item_type) if is_list else one
        if isinstance(item, msgspec.inspect.StructType):
            found.append((item, "[]" if is_list else ""))
    return sorted(found, key=lambda pair: pair[1], reverse=True)


def _description(kind: Any) -> str:
    found = (getattr(layer, "extra_json_schema", None) or {} for layer in _layers(kind))
    return next((str(extra["description"]) for extra in found if "description" in extra), "")


def _default(field: Any) -> str:
    if field.required:
        return "required"
    value = msgspec.to_builtins(field.default)
    if isinstance(value, (list, tuple)):
        # In quotes where YAML would read a number.
        texts = (json.dumps(text) if text.isdigit() else text for text in value)
        return f"`[{', '.join(texts)}]`"
    return "-" if value is None else f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _type(kind: Any) -> str:
    path = [layer.extra["path"] for layer in _layers(kind) if getattr(layer, "extra", None)]
    kind = _bare(kind)
    if path:
        return _NAMES_OF_PATHS[path[0]]
    if isinstance(kind, msgspec.inspect.EnumType):
        return ", ".join(f"`{member.value}`" for member in kind.cls)
    if isinstance(kind, msgspec.inspect.VarTupleType):
        return f"list of {_type(kind.item_type)}"
    if isinstance(kind, msgspec.inspect.IntType):
        return f"integer from {kind.ge}" + ("" if kind.le is None else f" to {kind.le}")
    if isinstance(kind, msgspec.inspect.FloatType):
        return f"number from {kind.ge} to {kind.le}"
    if isinstance(kind, msgspec.inspect.BoolType):
        return "`true`, `false`"
    return _NAMES_OF_PATTERNS.get(kind.pattern, "text")


_NAMES_OF_PATHS = {
    PathKind.FILE: "path",
    PathKind.KEY_URI: "path, `file:`, `pkcs11:` or `awskms:` URI",
    PathKind.PROGRAM: "path, or name on PATH",
    PathKind.KEY_PLACE: "`env:`, `file:` or `fd:`",
}
_NAMES_OF_PATTERNS = {
    _bare(msgspec.inspect.type_info(SecretSource)).pattern: "source of a secret",
    _bare(msgspec.inspect.type_info(Uuid)).pattern: "UUID",
    _bare(msgspec.inspect.type_info(VersionText)).pattern: "version",
}
