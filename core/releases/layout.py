"""How the files of a store are called.

Below the place of the store are

- ``blobs/ab/<digest>``: images, manifests and ELF files under their SHA-256,
- ``records/<component>/<version>.json``: one release each, written once,
- ``records/<component>/<version>.retired.<n>.json``: a mark, written once. After the first mark no
  device has the release any more, after the second it is in the field again, and so on,
- ``index.json``: all of these in one file, made from the records. Builds read it.

Names of records and marks only ever get more. Whoever lists them knows whether somebody added or
retired a release meanwhile, without reading any.
"""

from __future__ import annotations

import re
from urllib.parse import quote

INDEX = "index.json"
RECORDS = "records"
BLOBS = "blobs"
TEMPORARY = ".tmp"
#: Largest number of a mark.
MARKS = 999
_MARK = re.compile(r"(.+)\.retired\.([1-9][0-9]{0,2})\.json")


def blob_name(digest: str) -> str:
    """Return the name of a file by its digest."""
    return f"{BLOBS}/{digest[:2]}/{digest}"


def record_name(component: str, version: str) -> str:
    """Return the name of the record of a release."""
    folder = quote(component, safe="").replace(".", "%2E")
    return f"{RECORDS}/{folder}/{quote(version, safe='')}.json"


def mark_name(record: str, number: int) -> str:
    """Return the name of a mark of the release with this record."""
    return f"{record.removesuffix('.json')}.retired.{number}.json"


def split_mark(name: str) -> tuple[str, int] | None:
    """Return the record that a mark belongs to and its number; None for other names."""
    found = _MARK.fullmatch(name)
    return None if found is None else (f"{found[1]}.json", int(found[2]))
