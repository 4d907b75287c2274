"""YAML with limits, line numbers and without surprises: no duplicate keys, no aliases, no tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from fotabuild.errors import YamlError
from fotabuild.limits import READ_LIMITS

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ALLOWED_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "binary", "map", "seq")
)
# The only tag that texts may write: side files of patches hold digests so.
_BINARY_TAG = "tag:yaml.org,2002:binary"
# Enough for any setting; longer numbers cost more than linear time to read and to print.
_MAX_NUMBER_LENGTH = 64


@dataclass(frozen=True)
class YamlDocument:
    """A parsed document.

    Attributes:
        values: the top-level mapping.
        lines: one-based line of each value by path, ``$`` for the document, then ``$.a.b[0]``.
    """

    values: Mapping[str, Any]
    lines: Mapping[str, int]


def read_yaml(
    data: bytes, *, if_empty: str = "start with the output of 'fotabuild init'"
) -> YamlDocument:
    """Read one YAML or JSON document whose top level is a mapping.

    Args:
        data: the text.
        if_empty: what to do about an empty file.

    Raises:
        YamlError: too large, not UTF-8, a syntax error, a duplicate key, an alias or tag, too deep.
    """
    if len(data) > READ_LIMITS.config:
        raise YamlError(f"{len(data)} bytes of YAML, the limit is {READ_LIMITS.config}")
    try:
        loader = _LOADER(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise YamlError("this is not UTF-8 text", offset=error.start) from None
    except yaml.YAMLError as error:
        raise _syntax_error(error) from None
    try:
        _check_events(data)
        node = loader.get_single_node()
        if node is None:
            raise YamlError("the file is empty", remedy=if_empty)
        walker = _Walker(loader)
        values = walker.value(node, "$")
    except yaml.YAMLError as error:
        raise _syntax_error(error) from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise YamlError(f"a value cannot be read: {error}") from None
    finally:
        loader.dispose()
    if not isinstance(values, dict):
        raise YamlError("the top level is not a mapping of keys to values", line=1)
    return YamlDocument(values, walker.lines)


def _syntax_error(error: yaml.YAMLError) -> YamlError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
    return YamlError(f"YAML syntax: {problem}", line=None if mark is None else mark.line + 1)


def _check_events(data: bytes) -> None:
    """Look at the flat event stream first: composing nodes recurses and expands aliases.

    Written tags show only here. They would let any text pass for a number or a truth value, and
    pyyaml fails on such text without a YAMLError.
    """
    depth = 0
    for count, event in enumerate(yaml.parse(data.decode("utf-8-sig"), Loader=_LOADER)):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlError("anchors and aliases are not used here", line=line)
        tag = getattr(event, "tag", None)
        if tag and not (tag == _BINARY_TAG and isinstance(event, yaml.ScalarEvent)):
            tag = tag.replace("tag:yaml.org,2002:", "!!")[:60]
            raise YamlError(f"the tag {tag!r} is not used here", line=line, remedy="remove it")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > READ_LIMITS.yaml_depth:
            raise YamlError(f"nested deeper than {READ_LIMITS.yaml_depth} levels", line=line)
        if count > READ_LIMITS.yaml_nodes:
            raise YamlError(f"more than {READ_LIMITS.yaml_nodes} values", line=line)


class _Walker:
    def __init__(self, constructor: Any) -> None:
        self._constructor = constructor
        self.lines: dict[str, int] = {}

    def value(self, node: yaml.Node, path: str) -> Any:
        line = _line(node)
        self.lines.setdefault(path, line)
        if node.tag not in _ALLOWED_TAGS:
            kind = node.tag.rpartition(":")[2]
            raise YamlError(
                f"a value of the YAML type {kind[:40]!r} is not used here",
                field=_field(path),
                line=line,
                remedy="put the text in quotes",
            )
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, f"{path}[{i}]") for i, item in enumerate(node.value)]
        if "\0" in node.value:
            raise YamlError("a text with a NUL character", field=_field(path), line=line)
        if node.tag.endswith((":int", ":float")) and len(node.value) > _MAX_NUMBER_LENGTH:
            raise YamlError(
                f"a number of {len(node.value)} characters", field=_field(path), line=line
            )
        return self._constructor.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = _line(key_node)
            if not isinstance(key_node, yaml.ScalarNode) or not key_node.tag.endswith(":str"):
                raise YamlError("this key is not plain text", field=_field(path), line=line)
            key = str(key_node.value)
            name = f"{path}.{key}"
            if key in mapping:
                raise YamlError(
                    f"the key {key!r} stands twice, first on line {self.lines[name]}",
                    field=_field(name),
                    line=line,
                    remedy="remove one",
                )
            self.lines[name] = line
            mapping[key] = self.value(value_node, name)
        return mapping


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1 if node.start_mark else 1


def _field(path: str) -> str | None:
    return path.removeprefix("$").removeprefix(".") or None
