"""``fotabuild keys check|rotate``: the key of a project."""

from __future__ import annotations

import argparse

from fotabuild.cli.options import Subparsers, add_config, add_signing, read_config
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus, KeyRotationError, VerificationError, printable


def register(subparsers: Subparsers) -> None:
    """Add the command and its verbs."""
    parser = subparsers.add_parser("keys", help="check or replace the key of a project")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    check = verbs.add_parser(
        "check",
        help="check key and certificate",
        description="Signs test data and prints one line for each check: do key and certificate "
        "belong together, are they on P-256, who can read the key, does the device have room for "
        "the certificate, and when does it end.",
    )
    add_config(check)
    add_signing(check)
    check.set_defaults(run=run_check)
    rotate = verbs.add_parser(
        "rotate",
        help="replace the key; devices in the field refuse what the new one signs",
        description="Makes a new key and certificate and keeps the old ones beside them. Devices "
        "never change the certificate that they were provisioned with, so this locks out all that "
        "hold the old one. It is refused while the configuration names releases in the field.",
    )
    rotate.add_argument(
        "--lock-out-devices",
        action="store_true",
        help="yes, devices with the old certificate shall refuse everything signed from now on",
    )
    add_config(rotate)
    add_signing(rotate)
    rotate.set_defaults(run=run_rotate)


def run_check(args: argparse.Namespace, output: Output) -> int:
    """Check and print each result."""
    from fotabuild.keys.check import check_keys

    report = check_keys(read_config(args))
    results = [
        {
            "name": result.name,
            "verdict": result.verdict.value,
            "detail": result.detail,
            "remedy": result.remedy,
        }
        for result in report.results
    ]
    lines = [f"{r.verdict.value:<8} {r.name:<18} {r.detail}" for r in report.results]
    lines += [f"{'':<8} {r.name:<18} to do: {r.remedy}" for r in report.results if r.remedy]
    text = "\n".join(printable(line) for line in lines)
    output.result({"sound": report.accepted, "results": results}, text)
    if report.accepted:
        return ExitStatus.OK
    names = ", ".join(result.name for result in report.failures)
    error = VerificationError(f"key and certificate are not sound: {names}")
    output.fail(error)
    return error.exit_status


def run_rotate(args: argparse.Namespace, output: Output) -> int:
    """Replace the key."""
    from fotabuild.keys.rotation import CONSEQUENCE, rotate_key

    config = read_config(args)
    try:
        rotation = rotate_key(config, lock_out_devices=args.lock_out_devices)
    except KeyRotationError:
        output.say(CONSEQUENCE)
        raise
    output.warn(CONSEQUENCE)
    output.say(f"the old key is kept: {rotation.old_key} (never delete it while devices need it)")
    files = {
        "key": str(rotation.key),
        "certificate": str(rotation.certificate),
        "old-key": str(rotation.old_key),
        "old-certificate": str(rotation.old_certificate),
    }
    output.result({"files": files}, "\n".join(files.values()))
    return ExitStatus.OK
