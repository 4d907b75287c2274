"""From the settings of a project to the description of its SUIT manifest, without the images."""

from __future__ import annotations

import json
from pathlib import Path

from fotabuild.config.loader import LoadedConfig
from fotabuild.config.model import Suit, SuitComponent
from fotabuild.errors import ConfigError, SuitInputError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.suit.json_node import Node
from fotabuild.formats.suit.names import MANIFEST_VERSION
from fotabuild.formats.suit.node_values import component_id
from fotabuild.plan.url import expand_url

_SPELLINGS = ("hex", "base64", "text")
_DISTINCT = ("{file}", "{digest}")


def suit_template(
    config: LoadedConfig, payload: Path, version: FirmwareVersion, *, component: str
) -> str:
    """Return the description in the form of ``suit-tool``, without ``file``.

    Args:
        config: the project.
        payload: the image of the build.
        version: its version.
        component: what stands for ``{component}`` in URIs.

    Raises:
        ConfigError: a URI is missing, or a component id is wrong.
    """
    suit = config.project.suit
    number = sequence_number(version) if suit.sequence_number is None else suit.sequence_number
    values: dict[str, object] = {
        "manifest-version": MANIFEST_VERSION,
        "manifest-sequence-number": number,
        "severable": suit.severable,
        **_texts(config, version, about_component=False),
    }
    if suit.reference_uri is not None:
        values["reference-uri"] = suit.reference_uri
    names = {"version": str(version), "component": component}
    first = _component(config, suit, "suit", payload, names)
    values["components"] = [
        first | _texts(config, version, about_component=True),
        *(
            _component(config, extra, f"suit.components[{place}]", Path(extra.file), names)
            for place, extra in enumerate(suit.components)
        ),
    ]
    return json.dumps(values, sort_keys=True)


def sequence_number(version: FirmwareVersion) -> int:
    """Return the number of a version: 1.2.3 gives 1002003, which 31 bits can hold."""
    return (version.major * 1000 + version.minor) * 1000 + version.patch


def _component(
    config: LoadedConfig,
    settings: Suit | SuitComponent,
    field: str,
    payload: Path,
    names: dict[str, str],
) -> dict[str, object]:
    values: dict[str, object] = {
        "install-id": _location(config, settings.component_id, f"{field}.component-id"),
        "vendor-id": str(config.identity.vendor_id),
        "class-id": str(config.identity.class_id),
        "bootable": settings.bootable,
    }
    if settings.download_id is not None:
        values["install-on-download"] = False
        values["download-id"] = _location(config, settings.download_id, f"{field}.download-id")
    if settings.load_id is not None:
        values["loadable"] = True
        values["load-id"] = _location(config, settings.load_id, f"{field}.load-id")
    if config.project.suit.integrate:
        return values | {"integrate": True, "uri": f"#{payload.name}"}
    return values | {"uri": _uri(config, settings, field, {**names, "file": payload.name})}


def _uri(
    config: LoadedConfig, settings: Suit | SuitComponent, field: str, names: dict[str, str]
) -> str:
    if settings.uri is not None:
        return expand_url(settings.uri, names, f"{field}.uri")
    url = config.project.payload.url
    if url is None:
        raise ConfigError(
            "this setting is needed and missing",
            file=config.file,
            field="payload.url",
            remedy="give it, or set suit.integrate: true to put the image into the manifest",
        )
    if settings is not config.project.suit and not any(name in url for name in _DISTINCT):
        raise ConfigError(
            "payload.url has neither {file} nor {digest}, so that all images would have one URI",
            file=config.file,
            field=f"{field}.uri",
            remedy="give the URI of this image",
        )
    return expand_url(url, names)


def _location(config: LoadedConfig, parts: tuple[str, ...], field: str) -> list[object]:
    """Return a component id as in the JSON of suit-tool; ``text:main`` says how it is spelled."""
    values: list[object] = []
    for part in parts:
        spelling, separator, rest = part.partition(":")
        values.append({spelling: rest} if separator and spelling in _SPELLINGS else part)
    try:
        component_id(Node(values, field, []))
    except SuitInputError as error:
        raise ConfigError(
            error.problem, file=config.file, field=error.field, remedy=error.remedy
        ) from None
    return values


def _texts(
    config: LoadedConfig, version: FirmwareVersion, *, about_component: bool
) -> dict[str, str]:
    """Return the texts of the manifest, or those about the image."""
    project = config.project
    text = project.suit.text
    if text is None:
        return {}
    found = {
        "vendor-name": text.vendor_name,
        "vendor-domain": text.vendor_domain or project.vendor.domain,
        "model-name": text.model_name or project.device.model_name,
        "model-info": text.model_info,
        "component-description": text.component_description,
        "component-version": text.component_version or str(version),
        "version-required": text.version_required,
    }
    if not about_component:
        found = {
            "text-language": text.language,
            "manifest-description": text.manifest_description,
            "update-description": text.update_description,
        }
    return {name: value for name, value in found.items() if value is not None}
