"""Signing with an external program.

It is run as ``TOOL sha256 KEY-ID INPUT OUTPUT`` (input-config, section 4): INPUT holds the data to
be signed, OUTPUT is an empty file for the DER signature.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection
from pathlib import Path

from fotabuild.errors import FileError, SigningToolError
from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.foreign_signature import raw_from_der
from fotabuild.signing.signer import names_folder

_ALGORITHM = "sha256"
_SECONDS_TO_STOP = 2
_STDERR = 2


class ToolSigner:
    """A key that an external program signs with.

    Args:
        tool: absolute path of the program, or a name to be looked up on PATH.
        key: what the program calls the key.
        public_key: the key's other half, from the update certificate.
        seconds: how long it may run.
        show: pass on what it prints; it may print secrets, so nothing is by default.
        withheld: variables of the environment that it does not get.
    """

    def __init__(
        self,
        tool: str,
        key: str,
        public_key: bytes,
        *,
        seconds: int,
        show: bool = False,
        withheld: Collection[str] = (),
    ) -> None:
        self._tool = tool
        self._key = key
        self._public_key = public_key
        self._seconds = seconds
        self._show = show
        self._withheld = withheld

    def public_key(self) -> bytes:
        """Return the public key of the certificate, 65 bytes."""
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """Run the program; return the raw form of its signature, which is not verified here.

        Raises:
            SigningToolError: it cannot be run, fails, takes too long, or writes nothing.
            SignatureError: what it writes is no DER signature.
        """
        try:
            with tempfile.TemporaryDirectory(prefix="fotabuild-sign-") as folder:
                # The folder is ours alone (mode 0700), and so is what is in it.
                source, target = Path(folder, "data"), Path(folder, "signature")
                source.write_bytes(data)
                target.touch(mode=0o600)
                self._run(source, target)
                signature = self._read(target)
        except OSError as error:
            raise SigningToolError(
                f"cannot hand data to the signing tool: {error.strerror or error}", file=self._tool
            ) from None
        if not signature:
            raise self._error("it wrote no signature")
        return raw_from_der(signature)

    def sign_digest(self, digest: bytes, data: bytes | None = None) -> bytes:  # noqa: ARG002
        """Sign ``data``, whose digest this is: the program hashes itself."""
        if data is None:
            raise self._error(
                "it hashes what it signs, and the new image is not at hand",
                "give the image that the patch starts from, so that the new one can be made",
            )
        return self.sign(data)

    def _run(self, source: Path, target: Path) -> None:
        program = find_tool(self._tool)
        stream = _STDERR if self._show else subprocess.DEVNULL
        environment = {k: v for k, v in os.environ.items() if k not in self._withheld}
        try:
            process = subprocess.Popen(  # noqa: S603
                [program, _ALGORITHM, self._key, str(source), str(target)],
                env=environment,
                stdout=stream,
                stderr=stream,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise self._error(f"it cannot be started: {reason}", "is it executable?") from None
        try:
            status = process.wait(self._seconds)
        except subprocess.TimeoutExpired:
            raise self._error(
                f"it did not finish within {self._seconds} seconds",
                "raise credentials.signing-tool-seconds if it needs longer",
            ) from None
        finally:
            _stop(process)
        if status != 0:
            what = f"exit status {status}" if status > 0 else f"signal {-status}"
            raise self._error(
                f"it ended with {what}",
                "set credentials.show-signing-tool: true to see what it says",
            )

    def _read(self, target: Path) -> bytes:
        try:
            return read_file(target, READ_LIMITS.signature, "signature")
        except FileError as error:
            raise self._error(f"its output cannot be used: {error.problem}") from None

    def _error(self, problem: str, remedy: str | None = None) -> SigningToolError:
        return _failed(self._tool, problem, remedy)


def find_tool(tool: str) -> str:
    """Return the program that a signing tool is; it is not run.

    Args:
        tool: absolute path of the program, or a name to be looked up on PATH.

    Raises:
        SigningToolError: there is none.
    """
    if names_folder(tool):
        if not Path(tool).exists():
            reason = os.strerror(errno.ENOENT)
            raise _failed(tool, f"it cannot be started: {reason}", "is it executable?")
        return tool
    program = shutil.which(tool)
    if program is None:
        raise _failed(
            tool,
            "it is neither beside the configuration nor on PATH",
            "give its path, relative to the configuration",
        )
    return program


def _failed(tool: str, problem: str, remedy: str | None = None) -> SigningToolError:
    return SigningToolError(f"the signing tool failed: {problem}", file=tool, remedy=remedy)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a program that still runs, first politely: it may have a token to log out of.

    It shares our process group, so that it can ask for a PIN on the terminal; what it started
    itself is its own matter.
    """
    if process.poll() is not None:
        return
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_SECONDS_TO_STOP)
    process.kill()
    process.wait()
