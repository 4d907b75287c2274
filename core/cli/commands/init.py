"""``fotabuild init``: make key, certificate and a starting configuration."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.options import Subparsers
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus, UsageError


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "init",
        help="make a key, a certificate and a starting fotabuild.yaml",
        description="Writes keys/update.key.pem (readable by its owner only), keys/update.cert.der "
        "and fotabuild.yaml. A key and certificate that are already there are checked and kept; a "
        "fotabuild.yaml that is already there is an error.",
    )
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path(), help="the project (default: here)"
    )
    vendor = parser.add_mutually_exclusive_group()
    vendor.add_argument("--vendor-domain", metavar="DOMAIN", help="derive the vendor id from it")
    vendor.add_argument("--vendor-id", metavar="UUID", help="the vendor id (default: random)")
    device = parser.add_mutually_exclusive_group()
    device.add_argument("--model-name", metavar="NAME", help="derive the class id from it")
    device.add_argument("--class-id", metavar="UUID", help="the class id (default: random)")
    parser.add_argument(
        "--url", metavar="URL", help="payload URL, such as https://updates.acme.com/{file}"
    )
    parser.add_argument(
        "--key", type=Path, metavar="KEY", help="use this private key instead of a new one"
    )
    parser.add_argument(
        "--update-certificate",
        type=Path,
        metavar="CERT",
        help="certificate of that key (default: make a self-signed one)",
    )
    parser.add_argument(
        "--replace-key",
        action="store_true",
        help="overwrite key and certificate in keys/; devices that hold the old certificate will "
        "refuse everything signed with the new key",
    )
    parser.add_argument(
        "--credentials-only",
        action="store_true",
        help="make no fotabuild.yaml, just what is missing of key and certificate",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Create the project."""
    from fotabuild.credentials import NewProject, create_project

    if args.key is not None and args.replace_key:
        raise UsageError("--key and --replace-key exclude each other")
    if args.update_certificate is not None and args.key is None:
        raise UsageError("--update-certificate needs --key")
    vendor = _pair("domain", args.vendor_domain) or _pair("vendor-id", args.vendor_id)
    device = _pair("model-name", args.model_name) or _pair("class-id", args.class_id)
    project = NewProject(
        folder=args.folder,
        vendor=vendor,
        device=device,
        url=args.url or NewProject.url,
        key=args.key,
        certificate=args.update_certificate,
        replace_key=args.replace_key,
        credentials_only=args.credentials_only,
    )
    files = create_project(project)
    output.say(f"private key: {files['key']} (keep it secret and out of version control)")
    values = {role: str(path) for role, path in files.items()}
    output.result({"files": values}, "\n".join(values.values()))
    return ExitStatus.OK


def _pair(name: str, value: str | None) -> tuple[str, str] | None:
    return None if value is None else (name, value)
