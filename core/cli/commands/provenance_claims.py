"""What options and the statement that is there already say about the origin of a build."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.options import utf8_text
from fotabuild.cli.output import Output
from fotabuild.cli.release_folder import Scene
from fotabuild.errors import UsageError

if TYPE_CHECKING:
    from fotabuild.provenance.claims import Claims
    from fotabuild.provenance.earlier import EarlierStatement
    from fotabuild.provenance.statement import Material

_COMMIT = re.compile("[0-9a-f]{40}([0-9a-f]{24})?")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


def add_claims(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--builder-id", type=utf8_text, metavar="URI", help="who ran the build")
    parser.add_argument(
        "--invocation-id", type=utf8_text, metavar="TEXT", help="what the CI system calls this run"
    )
    parser.add_argument(
        "--source",
        type=utf8_text,
        metavar="URI",
        help="where the sources can be had, without names and passwords",
    )
    parser.add_argument("--source-commit", metavar="HEX", help="their commit in git")
    parser.add_argument(
        "--material",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a file that the build read; may be repeated",
    )


def find_claims(args: argparse.Namespace, output: Output, scene: Scene, file: Path) -> Claims:
    """Return what is said of the build: by the options, else by the statement in ``file``.

    The earlier statement counts only where all that it is about is still there, and no build was
    added: what another build was made from is for people to say.

    Raises:
        UsageError: an option cannot be used, or gives a secret away.
        ReleaseFolderError: the earlier statement says what nobody says now.
    """
    from fotabuild.errors import ReleaseFolderError
    from fotabuild.provenance.claims import Claims

    given = Claims(args.builder_id, args.invocation_id, _sources(args), _files(args))
    _refuse_secrets(given)
    _refuse_no_uri("--builder-id", args.builder_id)
    _refuse_no_uri("--source", args.source)
    earlier = _earlier(output, scene, file)
    if earlier is None or not (options := given.lacking(earlier.claims)):
        return given
    names = ", ".join(options)
    if earlier.doubt:
        raise ReleaseFolderError(
            f"what this statement says for {names} need not be true any more: {earlier.doubt}",
            file=file,
            remedy=f"give {names} for the files as they are, or remove the statement",
        )
    claims = given.completed(earlier.claims)
    _refuse_secrets(claims)
    output.say(f"kept of the statement before: {names}")
    return claims


def _earlier(output: Output, scene: Scene, file: Path) -> EarlierStatement | None:
    from fotabuild.errors import ProvenanceError
    from fotabuild.files.names import same_file
    from fotabuild.files.reading import read_file
    from fotabuild.limits import READ_LIMITS
    from fotabuild.provenance.earlier import read_earlier
    from fotabuild.report.artifact import BUILT_KINDS

    covered = [item for item in scene.folder.artifacts if item.is_covered]
    if not file.exists() or any(same_file(item.path, file) for item in covered):
        return None
    data = read_file(file, READ_LIMITS.provenance, "statement")
    try:
        present = {item.name: item.digest for item in covered}
        built = [item.name for item in covered if item.kind in BUILT_KINDS]
        return read_earlier(data, scene.device.public_key, present, built)
    except ProvenanceError:
        output.warn(f"{file.name} is no statement, nothing of it is kept")
        return None


def _refuse_no_uri(option: str, text: str | None) -> None:
    if text is not None and not _URI.fullmatch(text):
        # Not repeated: it may be a password of a form that we do not know.
        raise UsageError(f"{option} needs a URI, such as git+https://acme.com/fw")


def _refuse_secrets(claims: Claims) -> None:
    from fotabuild.provenance.public_text import find_secret

    for option, text in _texts(claims):
        secret = find_secret(text)
        if secret is not None:
            # The text itself would be the next one to be copied somewhere.
            raise UsageError(
                f"{option} holds {secret}; a signed statement is for everybody and cannot be "
                "called back",
                remedy=f"give {option} without it",
            )


def _texts(claims: Claims) -> Iterator[tuple[str, str]]:
    yield "--builder-id", claims.builder or ""
    yield "--invocation-id", claims.invocation or ""
    for option, materials in (("--source", claims.sources), ("--material", claims.files)):
        for material in materials:
            yield option, material.uri
            yield option, material.name


def _sources(args: argparse.Namespace) -> tuple[Material, ...]:
    from fotabuild.provenance.statement import COMMIT, Material

    if (args.source is None) != (args.source_commit is None):
        raise UsageError("--source and --source-commit go together")
    if args.source is None:
        return ()
    if not _COMMIT.fullmatch(args.source_commit):
        raise UsageError("--source-commit needs the 40 or 64 hexadecimal digits of a commit")
    return (Material({COMMIT: args.source_commit}, "sources", args.source),)


def _files(args: argparse.Namespace) -> tuple[Material, ...]:
    from fotabuild.digest import sha256
    from fotabuild.files.reading import read_file
    from fotabuild.limits import READ_LIMITS
    from fotabuild.provenance.statement import Material

    for path in args.material:
        try:
            path.name.encode()
        except UnicodeEncodeError:
            raise UsageError("--material: the name of this file is not UTF-8") from None
    return tuple(
        Material(
            {"sha256": sha256(read_file(path, READ_LIMITS.image, "material")).hex()}, path.name
        )
        for path in sorted(args.material, key=lambda path: path.name)
    )
