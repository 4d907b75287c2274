"""``fotabuild inspect``: recognise files and print what is in them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fotabuild.cli.options import Subparsers
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus, FotabuildError, in_file


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "inspect",
        help="recognise files and print what is in them",
        description="Recognises manifests, those of SUIT too, patches, side files, packages, "
        "certificates, update resources, configurations and linked firmware by their bytes; "
        "anything else is taken as a firmware image. Nothing of a private key is printed. The JSON "
        "of one file is what is in it; that of several has a list, 'files', of the same.",
    )
    parser.add_argument("file", type=Path, nargs="+", help="any file; several may be given")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Inspect the files; one that is damaged does not keep the others from being printed."""
    if len(args.file) == 1:
        values, text = _inspect(args.file[0])
        output.result(values, text)
        return ExitStatus.OK
    found, texts = [], []
    status = ExitStatus.OK
    for file in args.file:
        try:
            values, text = _inspect(file)
        except FotabuildError as error:
            output.fail(error)
            status = status or error.exit_status
            values = {"file": str(file), "error": {"code": error.code, "message": str(error)}}
        else:
            texts.append(text)
        found.append(values)
    output.result({"files": found}, "\n".join(texts))
    return status


def _inspect(file: Path) -> tuple[dict[str, Any], str]:
    from fotabuild.files.reading import read_file
    from fotabuild.inspection import inspect_bytes, to_text
    from fotabuild.limits import READ_LIMITS

    data = read_file(file, READ_LIMITS.package, "file")
    with in_file(file):
        found = inspect_bytes(data)
    values = {"file": str(file), "kind": found.kind, "fields": dict(found.fields)}
    return values, f"{file}: {found.kind}\n{to_text(found.fields, '  ')}"
