"""From what people call a place to its storage."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from fotabuild.errors import ReleaseStorageError
from fotabuild.releases.folder import FolderStorage
from fotabuild.releases.storage import Storage

_LOCAL = ("file", "local")


def is_url(place: str) -> bool:
    """Whether a place is a URL; ``C:`` before a folder is none."""
    return len(urlsplit(place).scheme) > 1 and "://" in place


def open_storage(place: str, base: Path | None = None) -> Storage:
    """Return the storage at a folder or URL.

    Args:
        place: a folder, or a URL of fsspec such as ``s3://bucket/releases``.
        base: where a relative folder starts.

    Raises:
        ReleaseStorageError: a URL, and the extra for those is not installed; or it holds a
            password; or several writers are not safe there.
    """
    if not is_url(place):
        return FolderStorage((base or Path.cwd()) / place)
    url = urlsplit(place)
    if url.scheme in _LOCAL:
        # A folder by another name; fsspec would write into it without locks, and files in parts.
        if url.netloc not in ("", "localhost"):
            raise ReleaseStorageError(
                f"{place}: this names another machine", remedy="give the folder as it is here"
            )
        return FolderStorage(Path(unquote(url.path)))
    from fotabuild.releases.remote import RemoteStorage

    return RemoteStorage(place)
