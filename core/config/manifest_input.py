"""The input of manifest-tool 2.x, YAML or JSON (input-config specification), as a typed model.

Stricter than that tool, and never silently: unknown and duplicate keys are refused with their
line, and texts are matched as a whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from fotabuild.config.messages import explain
from fotabuild.config.model import Encrypted, Text
from fotabuild.config.yaml_reader import read_yaml
from fotabuild.errors import ConfigError, in_file
from fotabuild.formats.payload_format import PayloadFormat

# Identity, domain and UUID forms are checked where they are used, with the project's own rules.


class _Section(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"
):
    """Base of all sections."""


class InputVendor(_Section, frozen=True):
    """Who makes the device; give exactly one of domain and vendor-id."""

    domain: Text | None = None
    vendor_id: Text | None = None
    custom_data_path: Annotated[
        Text | None, Meta(description="File that is carried as vendor data.")
    ] = None


class InputDevice(_Section, frozen=True):
    """What the device is; give exactly one of model-name and class-id."""

    model_name: Text | None = None
    class_id: Text | None = None


class InputPayload(_Section, frozen=True):
    """What is described and where devices download it."""

    url: Text
    file_path: Text
    format: PayloadFormat
    encrypted: Annotated[
        Encrypted | None, Meta(description="Needed for the two encrypted formats.")
    ] = None


class ManifestInput(_Section, frozen=True):
    """Input of `manifest-tool create` and `create-v1`."""

    vendor: InputVendor
    device: InputDevice
    payload: InputPayload
    priority: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="Needed for v3; left out of v1 manifests if absent."),
    ] = None
    component: Annotated[Text, Meta(description="Not used for v1.")] = "MAIN"
    sign_image: bool = False
    signing_tool: Annotated[
        Text | None, Meta(description="Program that signs: TOOL sha256 KEY INPUT OUTPUT.")
    ] = None


def read_manifest_input(data: bytes, file: Path | None) -> ManifestInput:
    """Read an input.

    Args:
        data: the text.
        file: its name, for messages.

    Raises:
        ConfigError: with key and line.
    """
    with in_file(file or "stdin"):
        document = read_yaml(data, if_empty="'manifest-tool schema' prints what it may hold")
    values = dict(document.values)
    _whole_number(values, "priority")
    payload = values.get("payload")
    if isinstance(payload, dict) and isinstance(payload.get("encrypted"), dict):
        _whole_number(payload["encrypted"], "size")
    try:
        parsed = msgspec.convert(values, ManifestInput)
        _check(parsed)
    except (msgspec.ValidationError, ConfigError) as error:
        raise explain(error, file or Path("stdin"), document.lines) from None
    return parsed


def _whole_number(values: dict[str, Any], name: str) -> None:
    """Write 1.0 as 1, as JSON schemas understand it."""
    value = values.get(name)
    if isinstance(value, float) and value.is_integer():
        values[name] = int(value)


def _check(values: ManifestInput) -> None:
    vendor, device, payload = values.vendor, values.device, values.payload
    for section, names, given in (
        ("vendor", "domain and vendor-id", (vendor.domain, vendor.vendor_id)),
        ("device", "model-name and class-id", (device.model_name, device.class_id)),
    ):
        if sum(value is not None for value in given) != 1:
            raise ConfigError(f"give exactly one of {names}", field=section)
    if payload.format.encrypted and payload.encrypted is None:
        raise ConfigError(
            f"{payload.format.value} needs digest and size of the encrypted payload",
            field="payload.encrypted",
        )
