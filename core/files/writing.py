"""Files that appear together, each complete, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from fotabuild.errors import FileError, OutputConflictError
from fotabuild.files.folders import alone_in, sync_folders
from fotabuild.files.names import refuse_overwrite, same_file

_CHUNK = 1 << 20
_BINARY = getattr(os, "O_BINARY", 0)
# How long others may rename files of one set: that takes no time.
_RENAMES_SECONDS = 120.0


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
            sync_folders({output.path.parent for _, output in staged})
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
    try:  # Around the opening, too: whoever interrupts may do it just after.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode)
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
    if len(staged) < 2:
        return contextlib.nullcontext()
    return alone_in(staged[0][1].path.parent, _RENAMES_SECONDS)
