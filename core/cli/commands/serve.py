"""``fotabuild serve``: the local update server, and its access keys."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.options import Subparsers, utf8_text
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus, MissingExtraError, UsageError, printable

if TYPE_CHECKING:
    import sqlite3

    from fotabuild.server.access import AccessKey

_DATA = Path(".fotabuild-server")
_ROLES = ("full", "read-only")


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "serve",
        help="run the local update server",
        description="Keeps images, manifests and campaigns in a folder, with the API of Device "
        "Management; devices poll it, people look at its pages. Prints its URL on stdout when it "
        "is ready, and runs until Ctrl-C or SIGTERM. The first start makes an access key and "
        "says in which file it is.",
    )
    _add_data(parser, _DATA)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=_port, default=8000, help="port; 0 takes a free one (default: %(default)s)")
    add("--public-url", metavar="URL", help="how devices reach it (default: host and port)")
    add("--tls-cert", type=Path, metavar="PEM", help="certificate chain; needs --tls-key")
    add("--tls-key", type=Path, metavar="PEM", help="private key of the certificate")
    add("--allow-network", action="store_true", help="allow a --host that others can reach")
    add("--private", action="store_true", help="show pages after a login only, even locally")
    add("--port-file", type=Path, metavar="FILE", help="write the port here when it is ready")
    add(
        "--enrolment-token-file",
        type=Path,
        metavar="FILE",
        help="token that new devices must bring (default with --allow-network: one is made)",
    )
    add("--quota", type=_number, metavar="N", help="device updates that may be made (default: any)")
    add("--rate-limit", type=_number, metavar="N", help="requests a minute and key (default: any)")
    add("--keep-used", action="store_true", help="refuse to delete what a running campaign uses")
    add(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=N",
        help="change a limit, such as --limit images=10; may be repeated",
    )
    parser.set_defaults(run=run)
    _register_keys(parser)


def _register_keys(parser: argparse.ArgumentParser) -> None:
    groups = parser.add_subparsers(dest="group", metavar="[keys]", help="manage access keys")
    keys = groups.add_parser("keys", help="add, list, revoke", description="Manages access keys.")
    verbs = keys.add_subparsers(dest="verb", metavar="VERB", required=True)
    add = verbs.add_parser(
        "add",
        help="make a key and print it, once",
        description="Makes an access key and prints it. Only a hash of it is kept: it cannot be "
        "shown again. A running server knows it at once.",
    )
    _add_data(add)
    add.add_argument(
        "--name", type=utf8_text, default="unnamed", help="what it is for (default: %(default)s)"
    )
    add.add_argument("--role", choices=_ROLES, default=_ROLES[0], help="default: %(default)s")
    add.set_defaults(run=run_keys_add)
    shown = verbs.add_parser(
        "list", help="list the keys", description="Lists the access keys, without their text."
    )
    _add_data(shown)
    shown.set_defaults(run=run_keys_list)
    revoke = verbs.add_parser(
        "revoke",
        help="make a key useless",
        description="Makes an access key useless from now on, also for a running server.",
    )
    _add_data(revoke)
    revoke.add_argument("key", help="identifier or name")
    revoke.set_defaults(run=run_keys_revoke)


def _add_data(parser: argparse.ArgumentParser, default: Path | str = argparse.SUPPRESS) -> None:
    # A default of a verb would replace what stands before the verb.
    text = f"folder of the server's data (default: {_DATA})"
    parser.add_argument("--data", type=Path, default=default, metavar="DIR", help=text)


def run(args: argparse.Namespace, output: Output) -> int:
    """Serve."""
    if (args.tls_cert is None) != (args.tls_key is None):
        raise UsageError("--tls-cert and --tls-key belong together")
    _require_extra()
    from fotabuild.server.command import Wishes, run_server

    wishes = Wishes(
        data=args.data,
        host=args.host,
        port=args.port,
        public_url=args.public_url,
        tls_cert=args.tls_cert,
        tls_key=args.tls_key,
        allow_network=args.allow_network,
        private=args.private,
        enrolment_file=args.enrolment_token_file,
        quota=args.quota,
        rate_limit=args.rate_limit,
        keep_used=args.keep_used,
        limits=tuple(args.limit),
    )

    def ready(url: str, key_file: Path | None, port: int) -> None:
        if args.port_file is not None:
            from fotabuild.files.writing import write_file

            write_file(args.port_file, f"{port}\n".encode())
        values = {"url": url, "port": port, "access-key-file": key_file and str(key_file)}
        output.result(values, url)
        sys.stdout.flush()

    return run_server(wishes, output.say, output.warn, ready, quiet=output.quiet)


def run_keys_add(args: argparse.Namespace, output: Output) -> int:
    """Make a key."""
    from fotabuild.server.access import Role, add_key
    from fotabuild.server.clock import SystemClock
    from fotabuild.server.limits import ServerLimits

    with _database(args.data) as connection:
        key, token = add_key(
            connection, args.name, Role(args.role), SystemClock().now(), ServerLimits()
        )
    output.result({"id": key.id, "name": key.name, "role": key.role.value, "key": token}, token)
    output.say(f"identifier {key.id}, {key.role.value}; the key is not shown again")
    return ExitStatus.OK


def run_keys_list(args: argparse.Namespace, output: Output) -> int:
    """List the keys."""
    from fotabuild.server.access import list_keys

    with _database(args.data) as connection:
        keys = list_keys(connection)
    lines = [
        f"{key.id}  {key.role.value:<9}  {_state(key):<7}  {printable(key.name)}" for key in keys
    ]
    output.result({"keys": [_values(key) for key in keys]}, "\n".join(lines))
    return ExitStatus.OK


def run_keys_revoke(args: argparse.Namespace, output: Output) -> int:
    """Revoke a key."""
    from fotabuild.server.access import revoke_key
    from fotabuild.server.clock import SystemClock

    with _database(args.data) as connection:
        key = revoke_key(connection, args.key, SystemClock().now())
    output.result({"id": key.id, "name": key.name}, key.id)
    output.say(f"{key.name}: revoked")
    return ExitStatus.OK


def _values(key: AccessKey) -> dict[str, object]:
    from fotabuild.server.clock import to_text

    return {
        "id": key.id,
        "name": key.name,
        "role": key.role.value,
        "created-at": to_text(key.created_at),
        "revoked-at": to_text(key.revoked_at),
    }


def _state(key: AccessKey) -> str:
    return "good" if key.revoked_at is None else "revoked"


def _database(path: Path) -> _Transaction:
    from fotabuild.server.data_folder import database_of
    from fotabuild.server.database import connect

    return _Transaction(connect(database_of(path)))


class _Transaction:
    """A connection for one change: committed at the end, undone after an error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")
        self._connection.close()


def _require_extra() -> None:
    try:
        import jinja2
        import python_multipart
        import starlette
        import uvicorn
    except ImportError as error:
        raise MissingExtraError(
            f"the server needs the package {error.name}",
            remedy="install it with: pip install 'fotabuild[server]'",
        ) from None
    del jinja2, python_multipart, starlette, uvicorn


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to 65535")
    return int(text)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return int(text)
