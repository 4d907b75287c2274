"""Options of ``fotabuild suit`` and ``suit-tool``, and what they mean."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from fotabuild.cli.suit.keys import KeyForm, KeyType, PublicForm
from fotabuild.cli.suit.view import View
from fotabuild.errors import UsageError
from fotabuild.formats.suit.names import PRIVATE_MAX, Profile
from fotabuild.signing.cose_algorithm import CoseAlgorithm

#: The name of ``diag`` in suit-tool.
SUIT_DEBUG = "suit-debug"
_LEVELS = tuple("12345678")
_WRITTEN = (View.SUIT, View.DIAGNOSTIC, View.JSON, View.HEX)
_PRINTED = (View.EXPLANATION, View.DIAGNOSTIC, View.JSON, View.HEX)


def add_create(parser: argparse.ArgumentParser, profile: Profile) -> None:
    """Add the options of ``create``.

    Args:
        parser: its parser.
        profile: the wire format by default.
    """
    parser.add_argument(
        "-i",
        "--input-file",
        type=Path,
        required=True,
        metavar="JSON",
        help="description in the form of suit-tool, - for stdin",
    )
    _add_output(parser, "the manifest, - for stdout")
    parser.add_argument(
        "-f",
        "--format",
        choices=(*(view.value for view in _WRITTEN), SUIT_DEBUG),
        default=View.SUIT.value,
        help="form of the output: SUIT, diagnostic notation (diag, suit-debug), JSON or "
        "hexadecimal (default: %(default)s)",
    )
    parser.add_argument(
        "-s",
        "--severable",
        action="store_true",
        help="let what only the installation needs be removed after signing",
    )
    parser.add_argument(
        "-c",
        "--add-component",
        action="append",
        default=[],
        metavar="COMPONENT",
        help="one more component, as file=PATH,inst=['00'],uri=URI; may be repeated",
    )
    parser.add_argument(
        "--profile",
        choices=[each.value for each in Profile],
        default=profile.value,
        help="wire format: that of now, or that of suit-tool (default: %(default)s)",
    )
    parser.add_argument(
        "--integrate", action="store_true", help="put the payloads into the manifest"
    )
    parser.add_argument(
        "--compression-parameter",
        type=_label,
        metavar="NUMBER",
        help="private label, -256 or less, that says the compression in the profile current",
    )
    parser.add_argument(
        "--allow-unknown", action="store_true", help="warn about unknown keys, do not refuse them"
    )


def view_of(args: argparse.Namespace) -> View:
    """Return the form that the options ask for."""
    return View.DIAGNOSTIC if args.format == SUIT_DEBUG else View(args.format)


def add_sign(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``sign``."""
    add_manifest(parser)
    _add_key(
        parser, "private key: a file, a pkcs11: or awskms: URI, or what the signing tool calls it"
    )
    _add_output(parser, "the signed manifest, - for stdout")
    parser.add_argument(
        "-i",
        "--key-id",
        "--kid",
        metavar="ID",
        help="hint for the device at which key signed; hex:00ff for bytes that are no text",
    )
    parser.add_argument(
        "--alg",
        choices=[algorithm.value for algorithm in CoseAlgorithm],
        metavar="ALGORITHM",
        help="signature algorithm (default: the usual one of key and profile)",
    )
    parser.add_argument(
        "--certificate", type=Path, metavar="CERT", help="certificate that the key must match"
    )
    add_access(parser)


def add_access(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a key is reached."""
    parser.add_argument(
        "--passphrase",
        metavar="SOURCE",
        help="where passphrase or PIN come from: env:NAME, fd:NUMBER or prompt",
    )
    parser.add_argument(
        "--signing-tool", metavar="PROGRAM", help="external program that signs with that key"
    )


def key_id_of(text: str | None) -> bytes | None:
    """Return the bytes of a key id.

    Raises:
        UsageError: what follows ``hex:`` is not hexadecimal.
    """
    if text is None or not text.startswith("hex:"):
        return None if text is None else text.encode("utf-8", "surrogateescape")
    try:
        return bytes.fromhex(text.removeprefix("hex:"))
    except ValueError:
        raise UsageError(f"the key id {text[:40]!r} is not hexadecimal") from None


def add_parse(parser: argparse.ArgumentParser, view: View) -> None:
    """Add the options of ``parse``; ``view`` is what it prints by default."""
    add_manifest(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "-f",
        "--format",
        choices=(*(each.value for each in _PRINTED), SUIT_DEBUG),
        default=view.value,
        help="what is printed: what the device will do (explain), diagnostic notation, JSON or "
        "hexadecimal (default: %(default)s)",
    )
    form.add_argument(
        "-j",
        "--json-output",
        dest="format",
        action="store_const",
        const=View.JSON.value,
        help="the same as --format json",
    )


def add_keygen(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``keygen``, but its output."""
    parser.add_argument(
        "-t",
        "--type",
        choices=[each.value for each in KeyType],
        default=KeyType.P256.value,
        help="what key (default: %(default)s)",
    )
    parser.add_argument(
        "-f",
        "--format",
        choices=[each.value for each in KeyForm],
        default=KeyForm.PEM.value,
        help="form of the private key; those of the type hsslms have their own "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "-l",
        "--levels",
        type=_levels,
        default=2,
        help="levels of an hsslms key: it makes 32 to this power signatures (default: %(default)s)",
    )
    parser.add_argument(
        "--passphrase",
        metavar="SOURCE",
        help="encrypt the key; where the passphrase comes from: env:NAME, fd:NUMBER or prompt",
    )


def add_pubkey(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``pubkey``."""
    _add_key(parser, "the key, private or public")
    parser.add_argument(
        "-f",
        "--format",
        choices=[each.value for each in PublicForm],
        help="its form; uecc and c-hsslms are C arrays (default: pem, or hsslms for such a key)",
    )
    parser.add_argument(
        "-o", "--output-file", type=Path, metavar="FILE", help="the public key (default: stdout)"
    )
    add_access(parser)


def add_sever(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``sever``."""
    add_manifest(parser)
    _add_output(parser, "the smaller manifest, - for stdout")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "-e",
        "--element",
        action="append",
        metavar="ELEMENT",
        help="remove this one: install, payload-fetch (fetch), text, dependency-resolution "
        "(deres), candidate-verification or coswid; may be repeated",
    )
    which.add_argument(
        "-a", "--all", action="store_true", help="remove everything that can be removed"
    )


def add_manifest(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a manifest."""
    parser.add_argument(
        "-m",
        "--manifest",
        type=Path,
        required=True,
        metavar="FILE",
        help="the manifest, - for stdin",
    )


def _add_key(parser: argparse.ArgumentParser, meaning: str) -> None:
    parser.add_argument(
        "-k", "--private-key", "--key", dest="key", required=True, metavar="KEY", help=meaning
    )


def _add_output(parser: argparse.ArgumentParser, meaning: str) -> None:
    parser.add_argument(
        "-o", "--output-file", type=Path, required=True, metavar="FILE", help=meaning
    )


def _levels(text: str) -> int:
    if text not in _LEVELS:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not one of 1 to 8")
    return int(text)


def _label(text: str) -> int:
    with contextlib.suppress(ValueError):
        number = int(text[:40])
        if -(2**63) <= number <= PRIVATE_MAX:
            return number
    raise argparse.ArgumentTypeError(f"{text[:40]!r} is no private label: {PRIVATE_MAX} or less")
