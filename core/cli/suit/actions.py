"""What the SUIT commands do, without saying so to anyone."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fotabuild.cli.suit.create import Order, create, render
from fotabuild.cli.suit.keys import KeyForm, KeyType, PublicForm, generate, load_public, public_key
from fotabuild.cli.suit.options import key_id_of, view_of
from fotabuild.cli.suit.payloads import Payloads
from fotabuild.cli.suit.streams import read_envelope, write_output
from fotabuild.cli.suit.view import STREAM
from fotabuild.errors import in_file
from fotabuild.formats.suit.names import Profile
from fotabuild.signing.cose_algorithm import CoseAlgorithm
from fotabuild.signing.signer import KeyAccess, program_path

Warn = Callable[[str], None]


def run_create(
    args: argparse.Namespace, warn: Warn, *, here_first: bool, dry_run: bool = False
) -> None:
    """Make an unsigned manifest and write it.

    Args:
        args: parsed options of ``add_create``.
        warn: told what may not be meant so.
        here_first: whether payloads are looked for in the working directory first.
        dry_run: whether everything is checked and nothing is written.

    Raises:
        FotabuildError: nothing was written.
    """
    order = _order(args)
    folder = Path() if order.input == STREAM else order.input.parent
    payloads = Payloads(folder, here_first=here_first, warn=warn)
    created = create(order, payloads)
    for warning in created.warnings:
        warn(warning)
    pieces = render(created.data, view_of(args))
    inputs = (order.input, *payloads.read_paths)
    write_output(args.output_file, pieces, inputs=inputs, dry_run=dry_run)


def run_sign(args: argparse.Namespace) -> str:
    """Add a signature and write the manifest; return the name of the algorithm.

    Raises:
        FotabuildError: nothing was written.
    """
    from fotabuild.files.names import refuse_overwrite
    from fotabuild.formats.suit.decoder import decode_envelope
    from fotabuild.formats.suit.splicing import sign_envelope
    from fotabuild.signing.cose_access import open_key
    from fotabuild.signing.signer import key_file

    access = _access(args)
    inputs = [
        path
        for path in (args.manifest, key_file(args.key, access), args.certificate)
        if path is not None and path != STREAM
    ]
    if args.output_file != STREAM:
        # Before a key that changes with every signature is used.
        refuse_overwrite(args.output_file, inputs)
    data = read_envelope(args.manifest)
    with in_file(args.manifest):
        envelope = decode_envelope(data)
    signer = open_key(
        args.key,
        access,
        certificate=args.certificate,
        algorithm=None if args.alg is None else CoseAlgorithm(args.alg),
        older_ids=envelope.profile is Profile.DRAFT_09,
    )
    with in_file(args.manifest):
        signed = sign_envelope(data, signer, key_id_of(args.key_id))
        decode_envelope(signed)
    write_output(args.output_file, [signed], inputs=inputs)
    return signer.algorithm.value


def run_parse(args: argparse.Namespace) -> Iterator[bytes]:
    """Return what is printed of a manifest, in pieces.

    Raises:
        FotabuildError: it is none.
    """
    data = read_envelope(args.manifest)
    with in_file(args.manifest):
        return render(data, view_of(args))


def parsed_values(args: argparse.Namespace) -> Mapping[str, Any]:
    """Return a manifest as values of JSON.

    Raises:
        FotabuildError: it is none.
    """
    from fotabuild.formats.suit.decoder import decode_envelope
    from fotabuild.formats.suit.json_view import to_json

    data = read_envelope(args.manifest)
    with in_file(args.manifest):
        return to_json(decode_envelope(data))


def run_keygen(args: argparse.Namespace) -> None:
    """Make a private key and write it, for its owner only; never over another one.

    Raises:
        FotabuildError: nothing was written.
    """
    from fotabuild.signing.secret import read_secret

    passphrase = args.passphrase and read_secret(args.passphrase, "passphrase of the new key")
    data = generate(
        KeyType(args.type), KeyForm(args.format), levels=args.levels, passphrase=passphrase
    )
    write_output(args.output_file, [data], private=True, replace=False)


def run_pubkey(args: argparse.Namespace) -> bytes:
    """Return the public half of a key; with an output, write it too.

    Raises:
        FotabuildError: nothing was written.
    """
    from fotabuild.signing.signer import key_file

    access = _access(args)
    data = public_key(
        load_public(args.key, access), None if args.format is None else PublicForm(args.format)
    )
    if args.output_file not in (None, STREAM):
        path = key_file(args.key, access)
        write_output(args.output_file, [data], inputs=[] if path is None else [path])
    return data


def run_sever(args: argparse.Namespace) -> tuple[str, ...]:
    """Remove severed elements and write the manifest; return the names of those removed.

    Raises:
        FotabuildError: nothing was written.
    """
    from fotabuild.formats.suit.decoder import decode_envelope
    from fotabuild.formats.suit.splicing import element_by_name, sever

    elements = None if args.all else [element_by_name(name) for name in args.element]
    data = read_envelope(args.manifest)
    with in_file(args.manifest):
        severed = sever(data, elements)
        gone = decode_envelope(data).severed.keys() - decode_envelope(severed).severed.keys()
    write_output(args.output_file, [severed], inputs=[args.manifest])
    return tuple(sorted(element.value for element in gone))


def _order(args: argparse.Namespace) -> Order:
    return Order(
        input=args.input_file,
        profile=Profile(args.profile),
        severable=args.severable,
        components=tuple(args.add_component),
        integrate=args.integrate,
        compression_parameter=args.compression_parameter,
        allow_unknown=args.allow_unknown,
    )


def _access(args: argparse.Namespace) -> KeyAccess:
    tool = args.signing_tool and program_path(args.signing_tool, Path.cwd())
    return KeyAccess(passphrase=args.passphrase, tool=tool)
