"""``fotabuild provenance create|sbom``: say where artifacts come from, and sign it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.commands.provenance_claims import add_claims, find_claims
from fotabuild.cli.options import (
    Subparsers,
    add_config,
    add_dry_run,
    add_signing,
    read_config,
    utf8_text,
)
from fotabuild.cli.output import Output, counted
from fotabuild.cli.release_folder import Scene, add_folder, read_scene
from fotabuild.errors import ConfigError, ExitStatus, UsageError, VerificationError

if TYPE_CHECKING:
    from fotabuild.provenance.claims import Claims
    from fotabuild.provenance.statement import Statement

_DEFAULT_STATEMENT = "provenance.intoto.json"
_DEFAULT_SBOM = "sbom.cdx.json"


def register(subparsers: Subparsers) -> None:
    """Add the command and its verbs."""
    parser = subparsers.add_parser("provenance", help="say where artifacts come from, and sign it")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    create = verbs.add_parser(
        "create",
        help="make a signed statement on the origin of a folder of artifacts",
        description="Checks the folder as 'verify' does and states its files and their digests, "
        "what they were made from and by whom: SLSA provenance v1 in an in-toto statement, signed "
        "with the update key. Statements and the folder's report.html and report.json are left "
        "out.",
    )
    add_folder(create)
    create.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help=f"the statement (default: {_DEFAULT_STATEMENT} in the folder)",
    )
    add_claims(create)
    add_signing(create)
    add_dry_run(create)
    create.set_defaults(run=run_create)
    sbom = verbs.add_parser(
        "sbom",
        help="make a bill of materials of a firmware",
        description="Makes a CycloneDX 1.6 document of a list of parts.",
    )
    sbom.add_argument("parts", type=Path, help="the list of parts, a YAML file")
    sbom.add_argument(
        "-p", "--image", type=Path, required=True, metavar="IMAGE", help="the flat image"
    )
    sbom.add_argument("-v", "--fw-version", required=True, metavar="VERSION", help="its version")
    sbom.add_argument(
        "--name", type=utf8_text, help="what the firmware is called (default: the model, or image)"
    )
    sbom.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help=f"the document (default: {_DEFAULT_SBOM} beside the image)",
    )
    add_config(sbom)
    sbom.set_defaults(run=run_sbom)


def run_create(args: argparse.Namespace, output: Output) -> int:
    """Check the folder, state, sign, verify, write."""
    from fotabuild.config.kept_files import key_access, refuse_to_replace
    from fotabuild.errors import KeyMismatchError, ProvenanceError, ReleaseFolderError
    from fotabuild.files.names import same_file
    from fotabuild.files.writing import write_file
    from fotabuild.limits import READ_LIMITS
    from fotabuild.provenance.envelope import seal, unseal
    from fotabuild.provenance.statement import read_subjects
    from fotabuild.report.artifact import ArtifactKind
    from fotabuild.signing.signer import open_signer, require_key

    if args.no_config:
        raise UsageError("a statement is about a project: --no-config is of no use here")
    file = args.output or args.folder / _DEFAULT_STATEMENT
    scene = read_scene(args)
    if scene.config is None:
        raise ConfigError("a statement is about a project", remedy="give --config")
    refuse_to_replace(scene.config, [file])
    credentials = scene.config.project.credentials
    if credentials.key is None:
        raise ConfigError("this setting is needed and missing", field="credentials.key")
    others = [
        item
        for item in scene.folder.of_kind(ArtifactKind.PROVENANCE)
        if not same_file(item.path, file)
    ]
    if others and not args.several_statements:
        raise ReleaseFolderError(
            "there is a statement on the origin here already",
            file=others[0].path,
            remedy="remove it, or give --several-statements if the folder holds several releases",
        )
    claims = find_claims(args, output, scene, file)
    statement = _statement(args, scene, claims)
    if scene.device.public_key is None:
        raise ProvenanceError(
            "only keys on P-256 sign statements",
            file=scene.config.project.credentials.certificate,
            remedy="give --key and --certificate of one that is",
        )
    access = key_access(credentials)
    if args.dry_run:
        require_key(credentials.key, access)
        output.say(f"would make {file.name}")
        output.result({"dry-run": True, "file": str(file)}, str(file))
        return ExitStatus.OK
    signer = open_signer(credentials.key, access, scene.device.public_key)
    if signer.public_key() != scene.device.public_key:
        raise KeyMismatchError(
            "this certificate is not of the private key that signs",
            field="credentials.certificate",
            remedy="nobody could verify the statement: give the certificate's own key",
        )
    data = seal(statement.encode(), signer)
    # As 'verify' will read it.
    read = read_subjects(unseal(data, signer.public_key()))
    if read != statement.subjects or len(data) > READ_LIMITS.provenance:
        raise ProvenanceError(
            f"a statement on {len(read)} files of these names would be too long", file=file
        )
    write_file(file, data, inputs=[a.path for a in scene.folder.artifacts if a.is_covered])
    output.say(f"provenance {file.name}: {len(data)} bytes")
    output.result({"dry-run": False, "file": str(file), "size": len(data)}, str(file))
    return ExitStatus.OK


def _statement(args: argparse.Namespace, scene: Scene, claims: Claims) -> Statement:
    from fotabuild import __version__
    from fotabuild.provenance.statement import (
        INSTALLED_IMAGE,
        UNKNOWN_BUILDER,
        Material,
        Statement,
    )
    from fotabuild.report.folder import ReleaseFolder
    from fotabuild.report.verification import FolderVerifier

    assert scene.config is not None
    covered = tuple(item for item in scene.folder.artifacts if item.is_covered)
    found = FolderVerifier(
        ReleaseFolder(scene.folder.path, covered), scene.device, scene.precursors
    ).run()
    if not found.accepted:
        raise VerificationError(
            f"checks failed: {', '.join(found.failures[:20])}",
            file=args.folder,
            remedy="see 'fotabuild verify'",
        )
    fields = [item.fields for item in found.files if item.fields]
    suit = [item.suit.version for item in found.files if item.suit is not None]
    digests = {item["precursor-digest"] for item in fields if item.get("precursor-digest")}
    materials = [Material({"sha256": digest}, INSTALLED_IMAGE) for digest in sorted(digests)]
    versions = {item["payload-version"] for item in fields if "payload-version" in item}
    return Statement(
        subjects={item.name: item.digest for item in covered},
        parameters={
            "vendor-id": str(scene.config.identity.vendor_id),
            "class-id": str(scene.config.identity.class_id),
            "component": scene.config.project.component,
            "versions": sorted({*versions, *suit}),
        },
        materials=(*claims.sources, *claims.files, *materials),
        builder=claims.builder or UNKNOWN_BUILDER,
        version=__version__,
        invocation=claims.invocation,
    )


def run_sbom(args: argparse.Namespace, output: Output) -> int:
    """Read the list and write the document."""
    from fotabuild.config.kept_files import refuse_to_replace
    from fotabuild.digest import sha256
    from fotabuild.files.reading import read_file
    from fotabuild.files.writing import write_file
    from fotabuild.formats.firmware_version import FirmwareVersion
    from fotabuild.limits import READ_LIMITS
    from fotabuild.provenance.parts import read_parts
    from fotabuild.provenance.sbom import make_sbom

    config = read_config(args)
    file = args.output or args.image.parent / _DEFAULT_SBOM
    refuse_to_replace(config, [file])
    version = FirmwareVersion.parse(args.fw_version)
    image = read_file(args.image, READ_LIMITS.image, "image")
    name = args.name or config.project.device.model_name or args.image.stem
    parts = read_parts(args.parts)
    data = make_sbom(name, str(version), sha256(image), parts)
    write_file(file, data, inputs=[args.parts, args.image])
    output.say(f"sbom      {file.name}: {counted(len(parts), 'part')}")
    output.result({"file": str(file), "parts": len(parts)}, str(file))
    return ExitStatus.OK
