"""``fotabuild suit create|parse|sign|keygen|pubkey|sever|verify``: SUIT manifests by hand."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.acceptance import print_report
from fotabuild.cli.options import Subparsers, add_dry_run
from fotabuild.cli.output import Output
from fotabuild.cli.suit.options import (
    add_create,
    add_keygen,
    add_manifest,
    add_parse,
    add_pubkey,
    add_sever,
    add_sign,
    view_of,
)
from fotabuild.cli.suit.view import STREAM, View
from fotabuild.errors import ExitStatus, UsageError, in_file
from fotabuild.formats.suit.names import Profile


def register(subparsers: Subparsers) -> None:
    """Add the command and its verbs."""
    parser = subparsers.add_parser("suit", help="make, read, sign or verify a SUIT manifest")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    create = verbs.add_parser(
        "create",
        help="make an unsigned manifest from the JSON of suit-tool",
        description="Compiles a description into a manifest and runs it on virtual devices before "
        "it is written. Payloads are those beside the description. 'fotabuild build' makes and "
        "signs the manifest of a project in one go, with suit among its formats.",
    )
    add_create(create, Profile.CURRENT)
    add_dry_run(create)
    create.set_defaults(run=run_create)
    parse = verbs.add_parser(
        "parse",
        help="say what a device will do; no signature is verified",
        description="Reads a manifest strictly and prints, step by step, what a device does with "
        "it; or the manifest in diagnostic notation, JSON or hexadecimal.",
    )
    add_parse(parse, View.EXPLANATION)
    parse.set_defaults(run=run_parse)
    _register_signatures(verbs)
    sever = verbs.add_parser(
        "sever",
        help="remove what a device needs no more; signatures remain valid",
        description="Removes severed elements from a manifest after comparing them with their "
        "digests, which stay.",
    )
    add_sever(sever)
    sever.set_defaults(run=run_sever)


def _register_signatures(verbs: Subparsers) -> None:
    sign = verbs.add_parser(
        "sign",
        help="add a signature",
        description="Checks the digests of a manifest and adds a signature to those that it has. "
        "The key is a file (PEM, DER, also encrypted; HSS/LMS, whose file advances; a 32-byte "
        "secret), in a token, in AWS KMS or behind a signing tool.",
    )
    add_sign(sign)
    sign.set_defaults(run=run_sign)
    verify = verbs.add_parser(
        "verify",
        help="check digests and signatures as a device does",
        description="Prints one line for each check: the digest of the manifest, those of severed "
        "elements and of payloads in it, and every signature.",
    )
    add_manifest(verify)
    verify.add_argument(
        "-k",
        "--public-key",
        type=Path,
        action="append",
        default=[],
        metavar="KEY",
        help="public key or certificate that the device trusts; may be repeated",
    )
    verify.add_argument(
        "--secret",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="secret of HMAC-256 that the device shares: 32 bytes, or 64 hexadecimal digits",
    )
    verify.add_argument(
        "--any",
        action="store_true",
        help="one signature of these keys is enough; others are skipped",
    )
    verify.set_defaults(run=run_verify)
    keygen = verbs.add_parser(
        "keygen",
        help="make a private key",
        description="Writes a new private key, readable by its owner only, and never over a file "
        "that is there.",
    )
    keygen.add_argument(
        "-o", "--output-file", type=Path, required=True, metavar="FILE", help="the private key"
    )
    add_keygen(keygen)
    keygen.set_defaults(run=run_keygen)
    pubkey = verbs.add_parser(
        "pubkey",
        help="print the public half of a key",
        description="Prints or writes the public half of a key, also as a C array for firmware.",
    )
    add_pubkey(pubkey)
    pubkey.set_defaults(run=run_pubkey)


def run_create(args: argparse.Namespace, output: Output) -> int:
    """Make a manifest."""
    from fotabuild.cli.suit import actions

    _check_stdout(args, output)
    actions.run_create(args, output.warn, here_first=False, dry_run=args.dry_run)
    if args.dry_run:
        output.say(f"would make suit:{args.output_file.name}")
    return _made(args, output, {"dry-run": args.dry_run, "profile": args.profile})


def run_parse(args: argparse.Namespace, output: Output) -> int:
    """Print a manifest."""
    from fotabuild.cli.suit import actions
    from fotabuild.cli.suit.streams import write_output

    note = "note: no signature was verified; use 'fotabuild suit verify'"
    if output.as_json:
        values = actions.parsed_values(args)
        output.say(note)
        output.result({"suit": values}, "")
        return ExitStatus.OK
    pieces = actions.run_parse(args)
    output.say(note)
    if view_of(args) is View.EXPLANATION:
        # For people, whose terminal may lack a character.
        output.result({}, b"".join(pieces).decode().removesuffix("\n"))
    else:
        write_output(STREAM, pieces)
    return ExitStatus.OK


def run_sign(args: argparse.Namespace, output: Output) -> int:
    """Add a signature."""
    from fotabuild.cli.suit import actions

    _check_stdout(args, output)
    algorithm = actions.run_sign(args)
    output.say(f"signed with {algorithm}")
    return _made(args, output, {"algorithm": algorithm})


def run_keygen(args: argparse.Namespace, output: Output) -> int:
    """Make a key."""
    from fotabuild.cli.suit import actions

    if args.output_file == STREAM:
        raise UsageError(
            "a private key is not printed here", remedy="give a file that is not there yet"
        )
    actions.run_keygen(args)
    return _made(args, output, {"type": args.type})


def run_pubkey(args: argparse.Namespace, output: Output) -> int:
    """Print or write a public key."""
    from fotabuild.cli.suit import actions
    from fotabuild.cli.suit.streams import write_output

    data = actions.run_pubkey(args)
    if args.output_file not in (None, STREAM):
        return _made(args, output, {})
    if output.as_json:
        try:
            text = data.decode("ascii")
        except UnicodeDecodeError:
            text = data.hex()
        output.result({"public-key": text}, "")
    else:
        write_output(STREAM, [data])
    return ExitStatus.OK


def run_sever(args: argparse.Namespace, output: Output) -> int:
    """Remove severed elements."""
    from fotabuild.cli.suit import actions

    _check_stdout(args, output)
    removed = actions.run_sever(args)
    output.say(f"removed: {', '.join(removed) or 'nothing'}")
    return _made(args, output, {"removed": list(removed)})


def run_verify(args: argparse.Namespace, output: Output) -> int:
    """Check a manifest and print each result."""
    from fotabuild.cli.suit.streams import read_envelope
    from fotabuild.device.suit_acceptance import accept_envelope
    from fotabuild.files.reading import read_file
    from fotabuild.limits import READ_LIMITS
    from fotabuild.signing.cose_verify import load_secret, load_verification_key
    from fotabuild.signing.key_file import warn_if_open

    if not args.public_key and not args.secret:
        raise UsageError("no key is given", remedy="give --public-key, or --secret")
    keys = []
    for path in args.public_key:
        with in_file(path):
            keys.append(load_verification_key(read_file(path, READ_LIMITS.key, "public key")))
    for path in args.secret:
        with in_file(path):
            keys.append(load_secret(read_file(path, READ_LIMITS.key, "secret")))
        warn_if_open(path, "secret")
    report = accept_envelope(read_envelope(args.manifest), keys, require_all=not args.any)
    return print_report(report, args.manifest, output)


def _check_stdout(args: argparse.Namespace, output: Output) -> None:
    if output.as_json and args.output_file == STREAM:
        raise UsageError("--json and -o - both want stdout", remedy="give a file")


def _made(args: argparse.Namespace, output: Output, values: dict[str, object]) -> int:
    """Print the name of the output, unless that is stdout."""
    if args.output_file == STREAM:
        return ExitStatus.OK
    name = str(args.output_file)
    output.result({"output": name, **values}, name)
    return ExitStatus.OK
