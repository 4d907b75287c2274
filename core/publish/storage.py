"""Object storage as destination, through fsspec: ``s3:``, ``gs:``, ``az:``, ``sftp:`` ..."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from fotabuild.digest import sha256
from fotabuild.errors import MissingExtraError, StorageError
from fotabuild.publish.events import Copied, Report
from fotabuild.publish.folder import Release, file_names, index_names, make_index, read_artifacts


class StorageDestination:
    """Copies a release to a storage URL, reads every file back, and writes the latest index last.

    Args:
        url: where to; credentials come from where the storage's own library takes them.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    @property
    def place(self) -> str:
        """The URL, without what may be a password."""
        parts = urlsplit(self._url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()

    def names(self, release: Release) -> tuple[str, ...]:
        """Return the URLs that the files of a release get."""
        return tuple(f"{self.place}/{name}" for name in file_names(release))

    def check(self) -> None:
        """Make sure that the storage's library is installed.

        Raises:
            MissingExtraError: it is not.
            StorageError: there is no such kind of storage.
        """
        self._open()

    def publish(self, release: Release, report: Report) -> tuple[str, ...]:
        """Copy; return the URLs of all files.

        Raises:
            FileError: an artifact cannot be read.
            StorageError: the storage refused, or holds something else than what was written.
        """
        contents = read_artifacts(release)
        index = make_index(release, contents)
        files = [
            (artifact.path.name, data)
            for artifact, data in zip(release.artifacts, contents, strict=True)
        ]
        files += [(name, index) for name in index_names(release)]
        system, root = self._open()
        for name, data in files:
            target = f"{root}/{name}"
            changed = self._copy(system, root, target, data)
            report(Copied(f"{self.place}/{name}", len(data), changed))
        return self.names(release)

    def _copy(self, system: Any, root: str, target: str, data: bytes) -> bool:
        """Write a file unless it is there already; return whether it had to be written."""
        try:
            if system.exists(target) and system.cat_file(target) == data:
                return False
            system.makedirs(root, exist_ok=True)
            system.pipe_file(target, data)
            stored = system.cat_file(target)
        except Exception as error:  # Every storage library has errors of its own.
            raise StorageError(
                f"{type(error).__name__}: {error}", file=self.place, remedy="see its own manual"
            ) from None
        if sha256(stored) != sha256(data):
            raise StorageError("what was written reads back differently", file=target)
        return True

    def _open(self) -> tuple[Any, str]:
        try:
            import fsspec
        except ImportError:
            raise MissingExtraError(
                "storage URLs need fsspec", remedy="install 'fotabuild[storage]'"
            ) from None
        try:
            system, root = fsspec.core.url_to_fs(self._url)
        except ImportError as error:
            raise MissingExtraError(
                f"storage of this kind needs a library: {error}", file=self.place
            ) from None
        except Exception as error:  # Every storage library has errors of its own.
            raise StorageError(f"{type(error).__name__}: {error}", file=self.place) from None
        return system, str(root).rstrip("/")
