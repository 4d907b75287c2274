"""``fotabuild device``: simulated devices that update from a server."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fotabuild.cli.commands import device_init
from fotabuild.cli.commands.device_init import add_folder, describe
from fotabuild.cli.options import Subparsers
from fotabuild.cli.output import Output, counted
from fotabuild.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from fotabuild.simulation.server import UpdateServer
    from fotabuild.simulation.update import Outcome

_TOKEN_LIMIT = 4096
_MAX_TIMEOUT = 7 * 24 * 3600


def register(subparsers: Subparsers) -> None:
    """Add the command with its verbs."""
    parser = subparsers.add_parser("device", help="run simulated devices")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    device_init.register(verbs)
    _add_run(verbs)
    _add_show(verbs)
    _add_fleet(verbs)


def _add_run(verbs: Subparsers) -> None:
    parser = verbs.add_parser(
        "run",
        help="let a simulated device update from a server",
        description="Registers the device, waits for updates, checks, downloads and installs them "
        "as the real client does, and reports. Runs until interrupted.",
    )
    add_folder(parser)
    _add_server(parser)
    parser.add_argument(
        "--once", action="store_true", help="end after one update, with status 1 if it failed"
    )
    parser.set_defaults(run=run_run)


def _add_show(verbs: Subparsers) -> None:
    parser = verbs.add_parser(
        "show",
        help="print what a simulated device is and runs",
        description="Prints identity, installed version and image of a device.",
    )
    add_folder(parser)
    parser.set_defaults(run=run_show)


def _add_fleet(verbs: Subparsers) -> None:
    parser = verbs.add_parser(
        "fleet",
        help="let many simulated devices do one update each",
        description="Runs many devices like the one in the folder, each with a number behind its "
        "name, until each of them did one update. Without --keep they leave the server then.",
    )
    add_folder(parser)
    _add_server(parser)
    parser.add_argument(
        "--count", type=int, required=True, metavar="N", help="number of devices, up to 10000"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        help="keep their folders here, and go on with them next time (default: forget them)",
    )
    parser.set_defaults(run=run_fleet)


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--server", required=True, metavar="URL", help="update server, as 'fotabuild serve' prints"
    )
    parser.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="end after this time (default: never)"
    )
    parser.add_argument(
        "--enrolment-token-file",
        metavar="FILE",
        help="file with the token that the server wants to see of new devices; '-' is stdin",
    )
    parser.add_argument(
        "--ca-file", type=Path, metavar="PEM", help="certificates to trust for https"
    )
    parser.add_argument(
        "--allow-insecure-http",
        action="store_true",
        help="send the device's token over http to other machines",
    )


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,3})?", text) or float(text) > _MAX_TIMEOUT:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds up to {_MAX_TIMEOUT}")
    return float(text)


def run_show(args: argparse.Namespace, output: Output) -> int:
    """Print the device."""
    from fotabuild.simulation.folder import DeviceFolder

    values = describe(DeviceFolder(args.folder))
    output.result(values, "\n".join(f"{name}: {value}" for name, value in values.items()))
    return ExitStatus.OK


def run_run(args: argparse.Namespace, output: Output) -> int:
    """Run one device."""
    from fotabuild.simulation.device import SimulatedDevice
    from fotabuild.simulation.folder import DeviceFolder

    folder = DeviceFolder(args.folder)
    device = SimulatedDevice(
        folder, _server(args, 1), enrolment_token=_enrolment_token(args), tell=output.say
    )
    outcomes = device.run(once=args.once, timeout=args.timeout)
    values = {"version": folder.state().version, "updates": [_outcome(one) for one in outcomes]}
    output.result(values, "\n".join(_line(one) for one in outcomes))
    if not args.once:
        return ExitStatus.OK
    if not outcomes:
        output.say("no update came in time")
        return ExitStatus.TIMED_OUT
    return ExitStatus.OK if outcomes[-1].succeeded else ExitStatus.FAILED


def run_fleet(args: argparse.Namespace, output: Output) -> int:
    """Run many devices."""
    from fotabuild.simulation.fleet import LARGEST_FLEET, run_fleet
    from fotabuild.simulation.folder import DeviceFolder

    if not 1 <= args.count <= LARGEST_FLEET:
        raise UsageError(f"--count takes 1 to {LARGEST_FLEET}")
    template = DeviceFolder(args.folder)
    template.boot()
    server, token = _server(args, args.count), _enrolment_token(args)
    with contextlib.ExitStack() as stack:
        if args.keep is None:
            workplace = stack.enter_context(
                tempfile.TemporaryDirectory(
                    prefix="fotabuild-fleet-", dir=args.folder.parent, ignore_cleanup_errors=True
                )
            )
        else:
            args.keep.mkdir(parents=True, exist_ok=True)
            workplace = args.keep
        result = run_fleet(
            template,
            Path(workplace),
            server,
            args.count,
            timeout=args.timeout,
            enrolment_token=token,
            temporary=args.keep is None,
            tell=output.say,
        )
    if result.idle:
        output.say(f"{counted(result.idle, 'device')}: no update came in time")
    for text, count in result.errors.most_common(5):
        output.warn(f"{counted(count, 'device')}: {text}")
    values = {
        "devices": result.count,
        "updated": result.updated,
        "idle": result.idle,
        "seconds": round(result.seconds, 1),
        "events": dict(result.events),
        "errors": dict(result.errors.most_common(20)),
    }
    events = [f"{event}: {count}" for event, count in sorted(result.events.items())]
    output.result(values, "\n".join([f"updated: {result.updated} of {result.count}", *events]))
    if result.idle == result.count:
        return ExitStatus.TIMED_OUT
    return ExitStatus.OK if result.succeeded else ExitStatus.FAILED


def _server(args: argparse.Namespace, connections: int) -> UpdateServer:
    from fotabuild.simulation.network import checked_server, make_pool
    from fotabuild.simulation.server import UpdateServer

    url = checked_server(args.server, allow_http=args.allow_insecure_http)
    return UpdateServer(url, make_pool(connections, args.ca_file))


def _enrolment_token(args: argparse.Namespace) -> str | None:
    from fotabuild.files.reading import read_file

    name = args.enrolment_token_file
    if name is None:
        return None
    if name == "-":
        data = sys.stdin.buffer.read(_TOKEN_LIMIT + 1)
    else:
        data = read_file(Path(name), _TOKEN_LIMIT, "enrolment token")
    token = data.decode("ascii", "replace").strip()
    if not re.fullmatch("[!-~]{1,1024}", token):
        raise UsageError("--enrolment-token-file holds no token: one line of plain characters")
    return token


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "campaign": outcome.campaign,
        "event": outcome.event,
        "version-before": outcome.version_before,
        "version": outcome.version,
        "payload": outcome.payload,
        "problem": outcome.problem,
    }


def _line(outcome: Outcome) -> str:
    ending = outcome.problem or outcome.payload
    return f"{outcome.version_before} -> {outcome.version} {outcome.event} {ending}".rstrip()
