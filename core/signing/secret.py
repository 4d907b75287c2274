"""Passphrases and PINs: from a variable, a file descriptor or a terminal, never from arguments.

No message holds a secret, nor the text of a source that is none: it may be a secret that was given
where its source belongs.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from fotabuild.errors import FileError, SecretError
from fotabuild.files.reading import read_file, read_pipe
from fotabuild.limits import READ_LIMITS

_FORMS = "env:NAME, fd:NUMBER or prompt"
_ENVIRONMENT, _DESCRIPTOR, _PROMPT, _FILE = "env:", "fd:", "prompt", "file:"
_TERMINAL = "/dev/tty"
# A pipe can be read once and people want to be asked once; a build needs the secret for every
# manifest. Only these two kinds are kept, for as long as the process lives.
_kept: dict[str, bytes] = {}
_lock = threading.Lock()


def read_secret(source: str, what: str) -> bytes:
    """Return a secret.

    Args:
        source: ``env:NAME``, ``fd:NUMBER`` or ``prompt``.
        what: what is asked for, for people ("passphrase of update.key.pem").

    Raises:
        SecretError: another form, or there is nothing at the source.
    """
    if source.startswith(_ENVIRONMENT):
        value = os.environ.get(source.removeprefix(_ENVIRONMENT))
        if value is None:
            raise SecretError(f"no {what}: the environment variable that should hold it is not set")
        if not value:
            raise SecretError(f"no {what}: the environment variable that should hold it is empty")
        return os.fsencode(value)
    number = source.removeprefix(_DESCRIPTOR)
    is_descriptor = source != number and number.isascii() and number.isdigit() and len(number) < 5
    if not is_descriptor and source != _PROMPT:
        raise SecretError(f"no {what}: this is not a source of secrets", remedy=f"write {_FORMS}")
    with _lock:
        if source not in _kept:
            _kept[source] = _from_descriptor(int(number), what) if is_descriptor else _ask(what)
        return _kept[source]


def read_pin(source: str, what: str) -> bytes:
    """Return a secret as a PIN source of RFC 7512 names it: also a path or ``file:`` URI.

    Raises:
        SecretError: as :func:`read_secret`, or the file cannot be read.
    """
    if source == _PROMPT or source.startswith((_ENVIRONMENT, _DESCRIPTOR)):
        return read_secret(source, what)
    if source.startswith("|"):
        raise SecretError(
            f"no {what}: programs as PIN sources are not run",
            remedy=f"write the path of a file, {_FORMS}",
        )
    path = source.removeprefix(_FILE)
    if path != source and path.startswith("//"):
        host, _, rest = path[2:].partition("/")
        if host not in ("", "localhost"):
            raise SecretError(f"no {what}: its file is on another machine")
        path = f"/{rest}"
    try:
        return _line(read_file(Path(path), READ_LIMITS.secret, "PIN source"))
    except FileError as error:
        # Without the name of the file, which may be the PIN itself.
        raise SecretError(f"no {what}: {error.problem}") from None


def forget_secret(source: str | None) -> None:
    """Ask again next time: the secret was wrong."""
    with _lock:
        _kept.pop(source or "", None)


def _from_descriptor(number: int, what: str) -> bytes:
    try:
        # Its first line: whoever wrote that may keep the pipe open.
        line, end, _ = read_pipe(number, READ_LIMITS.secret + 1, line=True).partition(b"\n")
    except OSError as error:
        raise SecretError(
            f"no {what}: cannot read file descriptor {number}: {error.strerror or error}"
        ) from None
    if not line + end or len(line) > READ_LIMITS.secret:
        size = "too much" if line else "nothing"
        raise SecretError(f"no {what}: there is {size} in file descriptor {number}")
    return _line(line + end)


def _ask(what: str) -> bytes:
    """Ask on the terminal itself: stdin and stdout belong to the build."""
    import getpass

    if os.name == "posix":
        try:
            os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
        except OSError:
            raise SecretError(
                f"no {what}: there is no terminal to ask on", remedy="write env:NAME or fd:NUMBER"
            ) from None
    try:
        return os.fsencode(getpass.getpass(f"{what[:1].upper()}{what[1:]}: "))
    except EOFError:
        raise SecretError(f"no {what}: none was typed") from None


def _line(data: bytes) -> bytes:
    """Strip the end of the line that editors and echo write."""
    return data.removesuffix(b"\n").removesuffix(b"\r")
