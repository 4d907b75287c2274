"""``fotabuild device init``: make a simulated device."""

from __future__ import annotations

import argparse
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fotabuild.cli.options import Subparsers, add_config, find_config, read_config
from fotabuild.cli.output import Output
from fotabuild.errors import ConfigError, ExitStatus, FormatError, UsageError, in_file

if TYPE_CHECKING:
    from fotabuild.config.loader import LoadedConfig
    from fotabuild.simulation.folder import DeviceFolder
    from fotabuild.simulation.settings import DeviceSettings


def register(verbs: Subparsers) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "init",
        help="make a simulated device",
        description="Makes a folder that is a device: its identity, the certificate whose updates "
        "it accepts, and the image and version that it runs.",
    )
    add_folder(parser)
    parser.add_argument("--image", type=Path, required=True, help="the image that it runs")
    parser.add_argument(
        "-v",
        "--fw-version",
        required=True,
        metavar="VERSION",
        help="version of that image: 1.2.3, or the number that a v1 manifest gave to it",
    )
    parser.add_argument(
        "--resources",
        type=Path,
        metavar="C",
        help="take identity and certificate from this update_default_resources.c instead of the "
        "configuration",
    )
    parser.add_argument("--component", metavar="NAME", help="the component that it updates")
    parser.add_argument(
        "--manifest",
        choices=("v3", "v1"),
        help="it reads manifests of this schema only (default: those of formats)",
    )
    parser.add_argument(
        "--name", metavar="NAME", help="endpoint name on the server (default: random)"
    )
    add_config(parser)
    parser.set_defaults(run=run)


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Add the device's folder."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the device")


def run(args: argparse.Namespace, output: Output) -> int:
    """Make the device."""
    from fotabuild.files.reading import read_file
    from fotabuild.limits import READ_LIMITS
    from fotabuild.signing.certificate import public_key_of
    from fotabuild.simulation.folder import DeviceFolder

    version = _version(args.fw_version)
    settings, certificate = _identity(args)
    public_key_of(certificate)
    image = read_file(args.image, READ_LIMITS.image, "image")
    if not image:
        raise FormatError("the image is empty", file=args.image)
    folder = DeviceFolder.create(args.folder, settings, certificate, image, version)
    output.say(f"device {settings.endpoint_name} runs {version}")
    output.result(describe(folder), "\n".join(str(path) for path in folder.files()))
    return ExitStatus.OK


def _version(text: str) -> str:
    from fotabuild.formats.firmware_version import FirmwareVersion

    if text.isascii() and text.isdigit() and 0 < int(text[:20]) < 1 << 63:
        return str(int(text))
    return str(FirmwareVersion.parse(text))


def _identity(args: argparse.Namespace) -> tuple[DeviceSettings, bytes]:
    """Return what the device is, and its certificate."""
    from fotabuild.signing.certificate import read_certificate
    from fotabuild.simulation.settings import ENDPOINT_PATTERN, DeviceSettings

    values: dict[str, Any] = {}
    certificate: bytes | None = None
    config = _configuration(args)
    if config is not None:
        project = config.project
        values = {
            "vendor_id": config.identity.vendor_id.hex,
            "class_id": config.identity.class_id.hex,
            "features": project.device.features,
            "limits": project.device.limits,
            "component": project.component,
            # Simulated devices read no SUIT, whatever else a build makes.
            "schemas": tuple(int(one.value[1:]) for one in project.formats if one.value != "suit"),
            "client": project.device.client,
        }
        configured = project.credentials.certificate
        if configured is not None and args.resources is None:
            certificate = read_certificate(Path(configured))
    if args.resources is not None:
        identity, certificate = _resources(args.resources)
        values |= identity
    if certificate is None:
        raise ConfigError(
            "the device needs an update certificate",
            remedy="give --resources, or credentials.certificate in the configuration",
        )
    if args.manifest is not None:
        values["schemas"] = (int(args.manifest[1:]),)
    if values.get("schemas") == ():
        raise ConfigError(
            "simulated devices read manifests of v1 and v3, and this project makes SUIT only",
            field="formats",
            remedy="add v3 there, or give --manifest",
        )
    if args.component is not None:
        values["component"] = args.component
    name = args.name or f"device-{secrets.token_hex(4)}"
    if not re.fullmatch(ENDPOINT_PATTERN, name):
        raise UsageError(f"--name takes letters, digits, '_', '.' and '-', not {name[:70]!r}")
    return DeviceSettings(endpoint_name=name, **values), certificate


def _configuration(args: argparse.Namespace) -> LoadedConfig | None:
    """Return the configuration; next to update resources there need not be one."""
    if args.resources is not None and args.config is None:
        try:
            find_config()
        except ConfigError:
            return None
    return read_config(args)


def _resources(path: Path) -> tuple[dict[str, str], bytes]:
    from fotabuild.files.reading import read_file
    from fotabuild.formats.update_resources import decode_arrays
    from fotabuild.limits import READ_LIMITS

    with in_file(path):
        arrays = decode_arrays(read_file(path, READ_LIMITS.config, "update resources"))
        try:
            identity = {
                "vendor_id": arrays["arm_uc_vendor_id"].hex(),
                "class_id": arrays["arm_uc_class_id"].hex(),
            }
            certificate = arrays["arm_uc_default_certificate"]
        except KeyError as error:
            raise FormatError("not defined here", field=str(error).strip("'")) from None
        for name, text in identity.items():
            if len(text) != 32:
                raise FormatError(f"{len(text) // 2} bytes instead of 16", field=f"arm_uc_{name}")
    return identity, certificate


def describe(folder: DeviceFolder) -> dict[str, Any]:
    """Return a device as JSON-like values; its token is not among them."""
    settings, state = folder.settings(), folder.state()
    return {
        "endpoint-name": settings.endpoint_name,
        "vendor-id": settings.vendor_id,
        "class-id": settings.class_id,
        "component": settings.component,
        "features": ",".join(sorted(feature.value for feature in settings.features)),
        "version": state.version,
        "digest": state.digest,
        "size": state.size,
        "image": str(folder.image(state.digest)),
    }
