"""``fotabuild encrypt``: an encrypted payload with its key and its manifest."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.options import Subparsers, add_config, add_signing, read_config
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "encrypt",
        help="encrypt a payload and make its manifest",
        description="Encrypts an image or package with a new random AES-128 key, signs its "
        "manifest, and decrypts it as a device does before anything is written. The key goes to "
        "the service or the factory, which delivers it behind the manifest.",
    )
    parser.add_argument("payload", type=Path, help="the plain image or package")
    parser.add_argument(
        "-v", "--fw-version", required=True, metavar="VERSION", help="version after the update"
    )
    parser.add_argument(
        "--format",
        choices=("encrypted-raw", "encrypted-combined"),
        default="encrypted-raw",
        help="what the payload is (default: %(default)s)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the encrypted payload"
    )
    parser.add_argument(
        "--key-output", type=Path, metavar="FILE", help="the key (default: the output with .key)"
    )
    parser.add_argument(
        "--manifest-output",
        type=Path,
        metavar="FILE",
        help="the manifest (default: the output with .manifest)",
    )
    parser.add_argument(
        "--key-element",
        action="store_true",
        help="write the key as the element that stands behind a delivered manifest, 18 bytes, "
        "instead of its 16 bytes",
    )
    parser.add_argument(
        "--replace-key", action="store_true", help="overwrite a key file that is there"
    )
    parser.add_argument(
        "--url", metavar="URL", help="where devices download it (default: payload.url)"
    )
    parser.add_argument(
        "--component", metavar="NAME", help="what it updates (default: the project's component)"
    )
    add_config(parser)
    add_signing(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Encrypt, sign, check, write."""
    from fotabuild.config.kept_files import refuse_to_replace
    from fotabuild.digest import sha256
    from fotabuild.formats.firmware_version import FirmwareVersion
    from fotabuild.formats.payload_format import PayloadFormat
    from fotabuild.plan.make import StepMaker
    from fotabuild.steps.encrypt import EncryptedFile, EncryptionOutputs, write_encrypted
    from fotabuild.steps.manifest import EncryptedPayload

    config = read_config(args, payload__url=args.url, component=args.component)
    target: Path = args.output
    outputs = EncryptionOutputs(
        encrypted=target,
        key=args.key_output or target.with_name(f"{target.name}.key"),
        key_as_element=args.key_element,
        replace_key=args.replace_key,
    )
    refuse_to_replace(config, (outputs.encrypted, outputs.key))
    version = FirmwareVersion.parse(args.fw_version)
    file = EncryptedFile.make(args.payload)
    digest = sha256(file.data)
    step = StepMaker(config).manifest(
        args.payload,
        PayloadFormat(args.format),
        version,
        args.manifest_output or target.with_name(f"{target.name}.manifest"),
        encrypted=EncryptedPayload(digest, len(file.data)),
        download=target,
    )
    for warning in write_encrypted(file, step, outputs):
        output.warn(warning)
    output.say(f"the key {outputs.key} decrypts this payload: keep it as secret as the image")
    values = {
        "encrypted": str(target),
        "key": str(outputs.key),
        "manifest": str(step.output),
        "digest": digest.hex(),
        "size": len(file.data),
    }
    files = (str(target), str(outputs.key), str(step.output))
    output.result({"encryption": values}, "\n".join(files))
    return ExitStatus.OK
