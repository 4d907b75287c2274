"""A store at a URL, through fsspec (extra ``storage``)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from fotabuild.errors import FotabuildError, ReleaseStorageError

_DETAIL = 200


class RemoteStorage:
    """Files below a URL.

    There are no locks: records never change, one writer alone creates a name, and whoever wrote
    the index looks again whether it is complete.
    """

    def __init__(self, url: str) -> None:
        if "@" in urlsplit(url).netloc:
            raise ReleaseStorageError(
                "the URL of a store must not hold a user name or password",
                remedy="give them as the service's own tools take them, such as "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        self._url = url.rstrip("/")
        try:
            import fsspec
        except ImportError:
            raise ReleaseStorageError(
                f"{self._url}: stores at URLs need an extra",
                remedy="pip install 'fotabuild[storage]'",
            ) from None
        with self._explained():
            try:
                self._system, self._root = fsspec.core.url_to_fs(
                    self._url, use_listings_cache=False
                )
            except (ImportError, ValueError) as error:
                raise ReleaseStorageError(
                    f"{self._url}: {error}", remedy="install what fsspec needs for such URLs"
                ) from None

    @property
    def place(self) -> str:
        """The URL."""
        return self._url

    def read(self, name: str, limit: int) -> bytes | None:
        """Return a file, or None if there is none."""
        path = self._path(name)
        with self._explained(name):
            try:
                size = self._system.info(path, refresh=True)["size"]
                if size is not None and size > limit:
                    raise ReleaseStorageError(
                        f"this file of the store has {size} bytes, the limit is {limit}",
                        file=f"{self._url}/{name}",
                    )
                return bytes(self._system.cat_file(path))
            except FileNotFoundError:
                return None

    def read_all(self, names: Iterable[str], limit: int) -> dict[str, bytes]:
        """Return several small files, fetched at once; those that are missing are left out."""
        wanted = {self._path(name): name for name in names}
        if not wanted:
            return {}
        with self._explained():
            found = self._system.cat(list(wanted), on_error="return")
            for content in found.values():
                if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
                    raise content
        files = {wanted[path]: data for path, data in found.items() if isinstance(data, bytes)}
        for name, data in files.items():
            if len(data) > limit:
                raise ReleaseStorageError(
                    f"this file of the store has {len(data)} bytes, the limit is {limit}",
                    file=f"{self._url}/{name}",
                )
        return files

    def write(self, name: str, data: bytes) -> None:
        """Write or replace a file."""
        with self._explained(name):
            self._prepare(name)
            self._system.pipe_file(self._path(name), data)

    def create(self, name: str, data: bytes) -> bool:
        """Write a file that must not be there yet."""
        with self._explained(name):
            self._prepare(name)
            try:
                self._system.pipe_file(self._path(name), data, mode="create")
            except FileExistsError:
                return False
            return True

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with self._explained(name), contextlib.suppress(FileNotFoundError):
            self._system.rm_file(self._path(name))

    def names(self, folder: str) -> dict[str, float]:
        """Return the files below a folder with their age; those without a date count as new."""
        with self._explained(folder):
            self._system.invalidate_cache()
            found = self._system.find(self._path(folder), detail=True)
        return {
            path[len(self._root.rstrip("/")) + 1 :]: _age(details)
            for path, details in found.items()
        }

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Do nothing: there are no locks to hold."""
        yield

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _prepare(self, name: str) -> None:
        """Make folders, where the place has them; a bucket is its owner's to make."""
        if "file" in self._system.protocol or "local" in self._system.protocol:
            self._system.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)

    @contextlib.contextmanager
    def _explained(self, name: str = "") -> Iterator[None]:
        """Turn what dozens of libraries may raise into our error."""
        try:
            yield
        except FotabuildError:
            raise
        except Exception as error:
            detail = (str(error).splitlines() or [""])[0][:_DETAIL]
            raise ReleaseStorageError(
                f"the place of the store refused: {type(error).__name__}: {detail}",
                file=f"{self._url}/{name}".rstrip("/"),
                remedy="check the URL, the network and your rights there",
            ) from None


def _age(details: dict[str, Any]) -> float:
    date: Any = details.get("LastModified") or details.get("mtime") or details.get("created")
    stamp = date.timestamp() if hasattr(date, "timestamp") else date
    return time.time() - stamp if isinstance(stamp, (int, float)) else 0.0
