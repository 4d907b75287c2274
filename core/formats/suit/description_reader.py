"""From the JSON of ``suit-tool`` to a :class:`Description` (suit specification, section 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fotabuild.errors import FormatError
from fotabuild.formats.suit.component_reader import read_component
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.description import Description, NeededManifest
from fotabuild.formats.suit.description_checks import check_components
from fotabuild.formats.suit.json_node import Node, parse_json
from fotabuild.formats.suit.names import (
    MANIFEST_VERSION,
    PRIVATE_MAX,
    DigestAlgorithm,
    ManifestText,
)
from fotabuild.formats.suit.node_values import (
    check_language,
    component_id,
    digest_algorithm,
    texts,
)
from fotabuild.limits import READ_LIMITS

_INPUT_TEXTS = (ManifestText.MANIFEST_DESCRIPTION.value, ManifestText.UPDATE_DESCRIPTION.value)
_KEYS = (
    "manifest-version",
    "manifest-sequence-number",
    "components",
    "severable",
    "digest-algorithm",
    "dependencies",
    "reference-uri",
    "include-json",
    "description",
    "text-language",
    "compression-parameter",
    *_INPUT_TEXTS,
)


def read_description(
    data: bytes, read_payload: Callable[[str], bytes], *, allow_unknown: bool = False
) -> Description:
    """Read the JSON input of ``suit-tool``, with the additions of section 1.

    Args:
        data: the JSON text.
        read_payload: returns the content of the file that ``file`` names.
        allow_unknown: whether unknown keys give a warning instead of an error.

    Raises:
        SuitInputError: anything is wrong; the message names the path.
        FotabuildError: whatever ``read_payload`` raises.
    """
    node = parse_json(data)
    node.only(_KEYS, allow_unknown=allow_unknown)
    version = node.need("manifest-version")
    if version.integer() != MANIFEST_VERSION:
        version.fail(f"version {str(version.value)[:40]} is not {MANIFEST_VERSION}")
    language = "en"
    if (given := node.get("text-language")) is not None:
        language = given.text()
        check_language(given, language)
    sequence_number = node.need("manifest-sequence-number").unsigned()
    components_node = node.need("components")
    components = tuple(
        read_component(entry, read_payload, language, allow_unknown=allow_unknown)
        for entry in components_node.list(READ_LIMITS.suit_components)
    )
    check_components(components)
    reference = node.get("reference-uri")
    severable = node.get("severable")
    algorithm = node.get("digest-algorithm")
    found_texts = texts(node, ManifestText, language)
    if (include := node.get("include-json")) is not None and include.flag():
        found_texts.setdefault(language, {})[ManifestText.JSON_SOURCE] = data.decode("utf-8-sig")
    return Description(
        sequence_number=sequence_number,
        components=components,
        severable=False if severable is None else severable.flag(),
        digest_algorithm=DigestAlgorithm.SHA256
        if algorithm is None
        else digest_algorithm(algorithm),
        reference_uri=None if reference is None else reference.text(),
        compression_parameter=_compression_parameter(node.get("compression-parameter")),
        dependencies=_dependencies(node.get("dependencies"), read_payload),
        texts=found_texts,
        warnings=tuple(dict.fromkeys(node.warnings)),
    )


def with_component(
    description: Description, entry: Node, read_payload: Callable[[str], bytes]
) -> Description:
    """Return the description with one more component, such as that of the option ``-c``.

    Raises:
        SuitInputError: the entry is wrong, or does not go with the others.
    """
    component = read_component(entry, read_payload, "en", allow_unknown=False)
    components = (*description.components, component)
    check_components(components)
    return replace(
        description,
        components=components,
        warnings=tuple(dict.fromkeys((*description.warnings, *entry.warnings))),
    )


def _compression_parameter(node: Node | None) -> int | None:
    if node is None:
        return None
    value = node.integer()
    if not -(2**63) <= value <= PRIVATE_MAX:
        node.fail(f"{str(value)[:40]} is not a private label", f"give {PRIVATE_MAX} or less")
    return value


def _dependencies(
    node: Node | None, read_payload: Callable[[str], bytes]
) -> tuple[NeededManifest, ...]:
    if node is None:
        return ()
    return tuple(_dependency(entry, read_payload) for entry in node.list(16))


def _dependency(node: Node, read_payload: Callable[[str], bytes]) -> NeededManifest:
    node.only(("file", "uri", "install-id", "integrate", "src-file", "key-file"))
    for key in ("src-file", "key-file"):
        if (given := node.get(key)) is not None:
            given.fail("a needed manifest is not made here", "create and sign it first")
    file = node.need("file")
    data = read_payload(file.text())
    try:
        child = decode_envelope(data)
    except FormatError as error:
        file.fail(f"not a SUIT envelope: {error}")
    uri, install_id = node.get("uri"), node.get("install-id")
    integrate = (given := node.get("integrate")) is not None and given.flag()
    if integrate and (uri is None or not uri.text().startswith("#")):
        node.need("integrate").fail("an integrated manifest needs a uri such as '#name'")
    return NeededManifest(
        envelope=data,
        manifest_digest=child.digest,
        install_id=None if install_id is None else component_id(install_id),
        uri=None if uri is None else uri.text(),
        integrate=integrate,
    )
