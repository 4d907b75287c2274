"""From the input of the older tools to the settings of a project.

What the command line cannot say about devices (``device.*``), or where a passphrase or certificate
comes from (``credentials.*``), may stand in ``FOTABUILD_*`` variables as for ``fotabuild`` itself.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from fotabuild.cli.dropin.log import Log
from fotabuild.config.input_paths import InputPaths
from fotabuild.config.loader import LoadedConfig, load_config
from fotabuild.config.manifest_input import ManifestInput
from fotabuild.errors import ConfigError, FormatError
from fotabuild.files.reading import read_file
from fotabuild.formats.combined_package import decode_package
from fotabuild.formats.identity import parse_uuid
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.limits import READ_LIMITS

# These devices are not described anywhere: they may have every ability and room for vendor data.
# Weaker than the environment.
_DEVICE = {
    "device.features": "delta,combined,encrypted",
    "device.limits.vendor-data-size": READ_LIMITS.vendor_data,
}


def to_config(
    values: ManifestInput,
    paths: InputPaths,
    log: Log,
    key: str,
    certificate: Path | None = None,
) -> LoadedConfig:
    """Return the settings for one manifest.

    Args:
        values: the input.
        paths: finds the files that it names.
        log: told what is worth knowing.
        key: a key file relative to the working directory, the URI of another key, or what a
            signing tool calls its key.
        certificate: the update certificate, where one is given.
    """
    vendor, device, payload = values.vendor, values.device, values.payload
    tool = None if values.signing_tool is None else paths.program(values.signing_tool)
    if tool is None:
        log.debug("no external signing tool")
    options: dict[str, object | None] = {
        "vendor.domain": vendor.domain,
        "vendor.vendor-id": _uuid("vendor.vendor-id", vendor.vendor_id),
        "device.model-name": device.model_name,
        "device.class-id": _uuid("device.class-id", device.class_id),
        "priority": values.priority,
        "component": values.component,
        "sign-image": values.sign_image,
        # Braces mean nothing in these URLs.
        "payload.url": payload.url.replace("{", "{{").replace("}", "}}"),
        "payload.file-path": str(paths.find(payload.file_path)),
        "payload.format": payload.format.value,
        "credentials.key": key if tool else _key(key),
        "credentials.signing-tool": tool,
        "credentials.certificate": certificate and str(certificate.absolute()),
    }
    if vendor.custom_data_path is not None:
        options["vendor.custom-data-path"] = str(paths.find(vendor.custom_data_path))
        log.warning("vendor data: only devices whose client was built for it take any")
    if payload.encrypted is not None:
        options["payload.encrypted.digest"] = payload.encrypted.digest
        options["payload.encrypted.size"] = payload.encrypted.size
    config = load_config(
        None,
        options={name: value for name, value in options.items() if value is not None},
        build_system={**_DEVICE, **_package_size(options)},
    )
    credentials = config.project.credentials
    if credentials.signing_tool is not None and credentials.certificate is None:
        raise ConfigError(
            "what a signing tool returns is verified, and there is no certificate for that",
            field="signing-tool",
            remedy="name the update certificate in FOTABUILD_CREDENTIALS_CERTIFICATE",
        )
    log.info(f"Vendor-ID: {config.identity.vendor_id.hex}")
    log.info(f"Class-ID: {config.identity.class_id.hex}")
    return config


def _key(text: str) -> str:
    """Return the path of a key file, which may have a colon in its name, or the URI as it is."""
    with contextlib.suppress(OSError, ValueError):
        if Path(text).exists():
            return str(Path(text).absolute())
    return text if ":" in text[2:] else str(Path(text).absolute())


def _uuid(name: str, text: str | None) -> str | None:
    """Return an id in its usual form; inputs may hold URNs."""
    if text is None:
        return None
    try:
        return str(parse_uuid(text))
    except FormatError as error:
        raise ConfigError(error.problem, field=name, remedy=error.remedy) from None


def _package_size(options: dict[str, object | None]) -> dict[str, object]:
    """Return how many images a package holds: devices take exactly one number, unknown here."""
    if options["payload.format"] != PayloadFormat.COMBINED.value:
        return {}
    package = read_file(Path(str(options["payload.file-path"])), READ_LIMITS.package, "payload")
    try:
        return {"device.limits.sub-components": len(decode_package(package))}
    except FormatError:  # The step will tell.
        return {}
