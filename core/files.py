"""Reading with limits, and writing so that a final name always stands for a complete file."""

from __future__ import annotations

import contextlib
import contextvars
import errno
import functools
import importlib
import os
import select
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from fotabuild.errors import FileError, OutputConflictError

try:
    import fcntl
except ImportError:  # Windows has no advisory locks.
    fcntl = None  # type: ignore[assignment]

_CHUNK = 1 << 20
# Python's own SHA-256 takes longer for more bytes than OpenSSL takes to load.
_SHORT = 1 << 17
_BINARY = getattr(os, "O_BINARY", 0)
# The first of January 9000: certificates and calendars end with the year 9999.
_LATEST_TIME = 221_845_392_000
#: How long a pipe may take to be written and closed, where pipes are read at all.
PIPE_SECONDS = 60.0


def sha256(data: bytes) -> bytes:
    """Return the 32-byte SHA-256 of ``data``."""
    if len(data) > _SHORT or "hashlib" in sys.modules:
        import hashlib

        return hashlib.sha256(data).digest()
    digest: bytes = _sha256_without_openssl()(data).digest()
    return digest


@functools.cache
def _sha256_without_openssl() -> Callable[[bytes], Any]:
    """Return Python's own SHA-256, as the module random does: OpenSSL takes long to load."""
    for name in ("_sha2", "_sha256"):  # Since and before Python 3.12.
        with contextlib.suppress(ImportError):
            return importlib.import_module(name).sha256  # type: ignore[no-any-return]
    import hashlib

    return hashlib.sha256


def build_time(environ: Mapping[str, str] = os.environ) -> int:
    """Return the date to write where a format demands one, in seconds since 1970.

    ``SOURCE_DATE_EPOCH`` wins over the clock, see reproducible-builds.org.
    """
    text = environ.get("SOURCE_DATE_EPOCH")
    if text is None:
        return int(time.time())
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text) < _LATEST_TIME):
        raise FileError(
            "SOURCE_DATE_EPOCH is not a number of seconds before the year 9000",
            remedy="correct or unset it",
        )
    return int(text)


def read_file(path: Path, limit: int, what: str, *, pipes: bool = False) -> bytes:
    """Read a whole regular file of at most ``limit`` bytes.

    Args:
        path: the file.
        limit: largest accepted size in bytes; nothing is read from a larger file.
        what: what the file is to the reader, for the message ("private key").
        pipes: also read a pipe or terminal, such as ``/dev/stdin`` or the ``<(...)`` of shells,
            for at most :data:`PIPE_SECONDS`. What is in a pipe can be read once.

    Raises:
        FileError: missing, unreadable, not a regular file, or too large.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as stream:
            info = os.fstat(stream.fileno())
            if pipes and is_pipe(info.st_mode) and hasattr(select, "poll"):
                data = _read_pipe(stream.fileno(), limit + 1)
                if not data:
                    raise FileError(
                        f"this {what} is an empty pipe: what was in it can be read once", file=path
                    )
            elif not stat.S_ISREG(info.st_mode):
                raise FileError(f"this {what} is not a regular file", file=path)
            elif info.st_size > limit:
                raise FileError(
                    f"this {what} has {info.st_size} bytes, the limit is {limit}", file=path
                )
            else:
                # As many bytes as there are, and one: asking for the limit would reserve it.
                data = stream.read(info.st_size + 1)
                while info.st_size < len(data) <= limit and (more := stream.read(_CHUNK)):
                    data += more  # It grew, or it is one of those whose size nobody knows.
    except OSError as error:
        raise FileError(f"cannot read the {what}: {error.strerror or error}", file=path) from None
    except ValueError:
        raise FileError(f"cannot read the {what}: no file has such a name", file=path) from None
    if len(data) > limit:
        raise FileError(f"this {what} grew beyond the limit of {limit} bytes", file=path)
    return data


def is_pipe(mode: int) -> bool:
    """Return whether a file of this mode is one that ``read_file`` reads as a pipe."""
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _read_pipe(descriptor: int, size: int) -> bytes:
    """Read until the writers are done or ``size`` bytes are there; ``descriptor`` does not block.

    Raises:
        TimeoutError: nobody wrote, or a writer keeps the pipe open.
    """
    end = time.monotonic() + PIPE_SECONDS
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    data = bytearray()
    while len(data) < size:
        # A pipe that nobody has opened for writing yet is not at its end.
        if not poll.poll(max(0, end - time.monotonic()) * 1000):
            raise TimeoutError(f"nothing came through this pipe for {PIPE_SECONDS:g} seconds")
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(descriptor, size - len(data))
            if not chunk:
                break
            data += chunk
    return bytes(data)


def _open_at_once(path: str, flags: int) -> int:
    """Open a file; a pipe without a writer must not make us wait for one."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


# Folders whose flush was put off, where somebody put it off.
_unflushed: contextvars.ContextVar[set[Path] | None] = contextvars.ContextVar(
    "_unflushed", default=None
)


class _Output(NamedTuple):
    path: Path
    data: bytes
    private: bool
    keep_unchanged: bool
    describes: bool
    only_new: bool


class OutputSet:
    """Files that appear together, each complete, or not at all.

    Every file is written under a temporary name beside its place, flushed to the disk and read
    back. Only when all are, they are renamed in the order in which they were added. Before the
    first rename, outdated files that describe another one (a side file its patch) are removed, so
    that a killed build never leaves a new file with an old description.

    Args:
        inputs: files that were read to make the outputs; none of them may be overwritten.
    """

    def __init__(self, inputs: Iterable[Path] = ()) -> None:
        self._inputs = tuple(inputs)
        self._outputs: list[_Output] = []

    def add(
        self,
        path: Path,
        data: bytes,
        *,
        private: bool = False,
        keep_unchanged: bool = False,
        describes: bool = False,
        only_new: bool = False,
    ) -> None:
        """Plan to write ``data`` to ``path``; a symbolic link there is followed.

        Args:
            path: the final name; missing folders are made.
            data: the whole, already verified content.
            private: create the file with mode 0600.
            keep_unchanged: leave an existing file of the same content alone, with its date.
            describes: the file describes those added before it and must never outlive them.
            only_new: never replace a file, not even one that appears meanwhile.

        Raises:
            OutputConflictError: the path is an input, another output, or not a regular file.
            FileError: no file can have this name.
        """
        if "\0" in str(path):
            raise FileError("cannot write: no file has such a name", file=path)
        refuse_overwrite(path, self._inputs)
        for output in self._outputs:
            if same_file(path, output.path):
                raise OutputConflictError(
                    "two outputs have the same name", file=path, remedy="choose another name"
                )
        mode = _mode(path)
        if mode is not None and stat.S_ISDIR(mode):
            raise OutputConflictError("this output is a folder", file=path)
        if mode is not None and not stat.S_ISREG(mode):
            raise OutputConflictError("this output is not a regular file", file=path)
        with contextlib.suppress(OSError):  # An impossible name: commit() will be told.
            if path.is_symlink():
                path = Path(os.path.realpath(path))
        self._outputs.append(_Output(path, data, private, keep_unchanged, describes, only_new))

    def check(self) -> None:
        """Refuse what :meth:`commit` would, as far as that shows without writing.

        Raises:
            FileError: as :meth:`commit`.
        """
        for output in self._outputs:
            try:
                with contextlib.suppress(FileNotFoundError):
                    output.path.lstat()
                folder = next(each for each in output.path.absolute().parents if each.is_dir())
                if not os.access(folder, os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            except NotADirectoryError:
                raise _no_folder(output.path) from None
            except OSError as error:
                raise FileError(
                    f"cannot write: {error.strerror or error}", file=output.path
                ) from None

    def commit(self) -> None:
        """Write, flush, read back and rename all files.

        Raises:
            FileError: a file cannot be written; no final name was touched, unless a rename itself
                failed half-way, and then every renamed file is complete.
        """
        staged: list[tuple[Path, _Output]] = []
        path: Path | None = None
        try:
            for output in self._outputs:
                path = output.path
                if not (output.keep_unchanged and _has_content(output.path, output.data)):
                    staged.append((_stage(output), output))
            with _one_set(staged):
                for _, output in staged:
                    path = output.path
                    _remove_stale(output)
                for temporary, output in staged:
                    path = output.path
                    (os.link if output.only_new else os.replace)(temporary, path)
            _sync_folders({output.path.parent for _, output in staged})
        except FileExistsError:
            raise OutputConflictError(
                "this file was made meanwhile, and is not overwritten", file=path
            ) from None
        except OSError as error:
            raise FileError(f"cannot write: {error.strerror or error}", file=path) from None
        finally:
            for temporary, _ in staged:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def renames_flushed_together() -> Iterator[None]:
    """Flush each folder once at the end, instead of after every output inside.

    A build renames a dozen files in one folder, and flushing it takes longer than making some of
    them. A loss of power in between can undo renames, and with them the files' newest content, but
    never shows a file that is not whole.
    """
    folders: set[Path] = set()
    token = _unflushed.set(folders)
    try:
        yield
    finally:
        _unflushed.reset(token)
        _sync_folders(folders)


def _sync_folders(folders: set[Path]) -> None:
    later = _unflushed.get()
    if later is not None:
        later |= folders
        return
    for folder in sorted(folders):
        sync_folder(folder)


def write_file(
    path: Path,
    data: bytes,
    *,
    inputs: Iterable[Path] = (),
    private: bool = False,
    keep_unchanged: bool = False,
) -> None:
    """Write a single file as an :class:`OutputSet` does."""
    outputs = OutputSet(inputs)
    outputs.add(path, data, private=private, keep_unchanged=keep_unchanged)
    outputs.commit()


def refuse_overwrite(output: Path, kept: Iterable[Path]) -> None:
    """Refuse an output that is one of the files that must be kept.

    Raises:
        OutputConflictError: it is, perhaps under another name.
    """
    for other in kept:
        if same_file(output, other):
            raise OutputConflictError(
                "this output would overwrite an input", file=output, remedy="choose another name"
            )


def same_file(one: Path, other: Path) -> bool:
    """Return whether two names stand for one file, there or not."""
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        with contextlib.suppress(ValueError):
            return os.path.realpath(one) == os.path.realpath(other)
        return one == other


def relative_name(path: Path, folder: Path) -> str:
    """Return how a file is called from ``folder``, with slashes; for texts that lie there."""
    path, folder = path.absolute(), folder.absolute()
    if path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    try:
        # The real folder: ".." goes up from there.
        return Path(os.path.relpath(path, os.path.realpath(folder))).as_posix()
    except ValueError:  # On another drive.
        return path.as_posix()


def _remove_stale(output: _Output) -> None:
    """Remove a description of another file; the same one may be what another build reads now."""
    if output.describes and not _has_content(output.path, output.data):
        output.path.unlink(missing_ok=True)


def _no_folder(path: Path) -> FileError:
    return FileError("cannot write: a file stands where the folder should be", file=path)


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except OSError:  # Nothing there, or a name that commit() will be told is impossible.
        return None


def _has_content(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _stage(output: _Output) -> Path:
    """Write one output under a temporary name, flush it, read it back; return that name."""
    folder = output.path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise _no_folder(output.path) from None
    temporary = folder / f".{output.path.name[:50]}.{os.urandom(6).hex()}.tmp"
    mode = 0o600 if output.private else 0o666
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode)
    try:
        try:
            view = memoryview(output.data)
            while view:
                view = view[os.write(descriptor, view[:_CHUNK]) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if not _has_content(temporary, output.data):
            raise FileError("what was written reads back differently", file=output.path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _one_set(staged: Sequence[tuple[Path, _Output]]) -> AbstractContextManager[None]:
    """Keep other builds from renaming files that belong together at the same time."""
    return alone_in(staged[0][1].path.parent) if len(staged) > 1 else contextlib.nullcontext()


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until nobody else is inside the same call for ``folder``, and keep others out.

    Not to be entered twice: a set of several outputs in that folder must be committed outside.
    Where there is no such folder, or the system has no locks, nobody is kept out.
    """
    with contextlib.ExitStack() as stack:
        if fcntl is not None:
            with contextlib.suppress(OSError):
                descriptor = os.open(folder, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                # Ends with the descriptor, also when the process is killed.
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def sync_folder(folder: Path) -> None:
    """Make renames durable. Not every system lets a folder be opened; then nothing is lost."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
