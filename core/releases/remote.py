"""A store at a URL, through fsspec (extra ``storage``)."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from fotabuild.errors import FotabuildError, ReleaseStorageError, StoreDamageError
from fotabuild.releases.layout import TEMPORARY
from fotabuild.releases.storage import MOST_FILES, too_many_files

#: Kinds of URLs where one request creates a file or finds that it is there. fsspec looks first and
#: writes then at all others, so that two writers of one release could both believe they won.
KINDS = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory")
_DETAIL = 200
_TRIES = 3
# Bytes in a second of an upload.
_SLOWEST = 100_000


class RemoteStorage:
    """Files below a URL.

    There are no locks: records never change, one writer alone creates a name, and whoever wrote
    the index looks again whether it is complete.

    Attributes:
        connect_seconds: how long S3 may take to accept a connection.
        answer_seconds: how long it may be silent after that.
        tries: how often a request is sent to it, before it counts as out of reach.
    """

    connect_seconds = 10.0
    answer_seconds = 60.0
    tries = 3

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if "@" in parts.netloc:
            raise ReleaseStorageError(
                "the URL of a store must not hold a user name or password",
                remedy="give them as the service's own tools take them, such as "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        if parts.scheme not in KINDS:
            raise ReleaseStorageError(
                f"{url}: several writers are not safe at such a URL",
                remedy=f"use a folder, or one of {', '.join(f'{kind}://' for kind in KINDS[:-1])}",
            )
        self._url = url.rstrip("/")
        self._proven = False
        try:
            import fsspec
        except ImportError:
            raise ReleaseStorageError(
                f"{self._url}: stores at URLs need an extra",
                remedy="pip install 'fotabuild[storage]'",
            ) from None
        with self._explained():
            try:
                self._system, root = fsspec.core.url_to_fs(self._url, use_listings_cache=False)
            except (ImportError, ValueError) as error:
                raise ReleaseStorageError(
                    f"{self._url}: {error}", remedy="install what fsspec needs for such URLs"
                ) from None
        self._root = root.rstrip("/")
        self._listing = {}
        if parts.scheme in ("s3", "s3a"):
            # This one library stops listing where it is told.
            self._listing = {"max_items": MOST_FILES + 1}
            self._limit_waiting()

    def _limit_waiting(self) -> None:
        """Have s3fs give up on a silent service after minutes; it would repeat its repetitions.

        What people set for fsspec wins (``FSSPEC_S3_CONFIG_KWARGS``).
        """
        system = self._system
        system.connect_timeout, system.read_timeout = self.connect_seconds, self.answer_seconds
        system.retries = 1
        retries = {"total_max_attempts": self.tries, "mode": "standard"}
        system.config_kwargs = {"retries": retries, **system.config_kwargs}

    def _time_for(self, data: bytes) -> dict[str, float]:
        """Limit an upload: s3fs waits without end for leave to send what it announced."""
        seconds = self.tries * self.answer_seconds + len(data) / _SLOWEST
        return {"timeout": seconds} if self._system.async_impl else {}

    @property
    def place(self) -> str:
        """The URL."""
        return self._url

    def read(self, name: str, limit: int) -> bytes | None:
        """Return a file, or None if there is none."""
        path = self._path(name)
        with self._explained(name):
            try:
                data = bytes(self._system.cat_file(path, start=0, end=limit + 1))
            except FileNotFoundError:
                return None
            except OSError as error:
                if _is_timeout(error):
                    raise  # No answer, and none to another question.
                # No service has the first bytes of an empty file; what else it is shows here.
                try:
                    empty = self._system.info(path, refresh=True)["size"] == 0
                except FileNotFoundError:
                    return None
                if not empty:
                    raise
                data = b""
        self._refuse_large(name, data, limit)
        return data

    def read_all(self, names: Iterable[str], limit: int) -> Mapping[str, bytes | StoreDamageError]:
        """Return several small files, fetched at once; those that are missing are left out."""
        wanted = list(names)
        paths = [self._path(name) for name in wanted]
        with self._explained():
            contents = self._system.cat_ranges(paths, 0, limit + 1, on_error="return")
        found: dict[str, bytes | StoreDamageError] = {}
        for name, content in zip(wanted, contents, strict=True):
            if isinstance(content, FileNotFoundError):
                continue
            if isinstance(content, Exception) and _is_timeout(content):
                with self._explained(name):
                    raise content
            try:
                if isinstance(content, bytes):
                    self._refuse_large(name, content, limit)
                    found[name] = content
                # What went wrong with this one may be its emptiness.
                elif (data := self.read(name, limit)) is not None:
                    found[name] = data
            except StoreDamageError as error:
                found[name] = error
        return found

    def write(self, name: str, data: bytes, *, fresh: bool = False) -> None:  # noqa: ARG002
        """Write or replace a file; its age starts now in any case."""
        with self._explained(name):
            self._system.pipe_file(self._path(name), data, **self._time_for(data))

    def create(self, name: str, data: bytes) -> bool:
        """Write a file that must not be there yet."""
        self._prove()
        return self._create(name, data) and self._found(name, len(data)) == data

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with self._explained(name), contextlib.suppress(FileNotFoundError):
            self._system.rm_file(self._path(name))

    def names(self, folder: str) -> dict[str, float]:
        """Return the files below a folder with their age; those without a date count as new."""
        with self._explained(folder):
            self._system.invalidate_cache()
            found = self._system.find(self._path(folder), detail=True, **self._listing)
        if len(found) > MOST_FILES:
            raise too_many_files(self._url)
        return {path[len(self._root) + 1 :]: _age(details) for path, details in found.items()}

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Do nothing: there are no locks to hold."""
        yield

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}".rstrip("/")

    def _refuse_large(self, name: str, data: bytes, limit: int) -> None:
        if len(data) > limit:
            raise StoreDamageError(
                f"this file of the store is too large, the limit is {limit} bytes",
                file=f"{self._url}/{name}",
            )

    def _found(self, name: str, limit: int) -> bytes | None:
        """Return what others may have written; of too much, something else than anybody wants."""
        try:
            return self.read(name, limit)
        except StoreDamageError:
            return b""

    def _create(self, name: str, data: bytes) -> bool:
        """Create a file with one request, which of several writers succeeds for one."""
        for left in reversed(range(_TRIES)):
            with self._explained(name):
                try:
                    self._system.pipe_file(
                        self._path(name), data, mode="create", **self._time_for(data)
                    )
                except FileExistsError:
                    return False
                except OSError as error:
                    if _is_timeout(error):
                        raise
                    # Not every service says why it refused; some refuse both of two at once.
                    if self._found(name, len(data)) is not None:
                        return False
                    if not left:
                        raise
                else:
                    return True
        return False

    def _prove(self) -> None:
        """Make sure, once, that the service does not create a file that is there.

        Raises:
            ReleaseStorageError: it does. Services that imitate another may not know the header.
        """
        if self._proven:
            return
        name = f".{os.urandom(8).hex()}{TEMPORARY}"
        twice = self._create(name, b"1") and self._create(name, b"1")
        self.remove(name)
        if twice:
            raise ReleaseStorageError(
                "this service replaces a file that must be new: two writers of one release could "
                "overwrite each other",
                file=self._url,
                remedy="use a service that knows If-None-Match, or a folder",
            )
        self._proven = True

    @contextlib.contextmanager
    def _explained(self, name: str = "") -> Iterator[None]:
        """Turn what dozens of libraries may raise into our error."""
        try:
            yield
        except FotabuildError:
            raise
        except Exception as error:
            detail = (str(error).splitlines() or [""])[0][:_DETAIL]
            what = "did not answer in time" if _is_timeout(error) else "refused"
            raise ReleaseStorageError(
                f"the place of the store {what}: {type(error).__name__}: {detail}".rstrip(": "),
                file=f"{self._url}/{name}".rstrip("/"),
                remedy="check the URL, the network and your rights there",
            ) from None


def _is_timeout(error: Exception) -> bool:
    """Whether a service did not answer in time; libraries call that by names of their own."""
    return isinstance(error, TimeoutError) or "Timeout" in type(error).__name__


def _age(details: dict[str, Any]) -> float:
    date: Any = details.get("LastModified") or details.get("mtime") or details.get("created")
    stamp = date.timestamp() if hasattr(date, "timestamp") else date
    return time.time() - stamp if isinstance(stamp, (int, float)) else 0.0
