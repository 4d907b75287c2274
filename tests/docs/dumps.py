"""Check annotated hex dumps: ``OFFSET  BYTES  NOTE``, two spaces apart.

The offset is hexadecimal; bytes may end with ``...`` where some are left out. A line without bytes
is a note.
"""

from __future__ import annotations

import re

_LINE = re.compile(r"([0-9a-f]{4})  +((?:[0-9a-f]{2}(?: |$))+)(\.\.\.)?.*")


def check_dump(lines: tuple[str, ...], data: bytes) -> None:
    """Compare a dump with the file it shows.

    Raises:
        AssertionError: other bytes, a gap without ``...``, or bytes missing at the end.
    """
    position = 0
    open_end = False
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            assert not re.match("[0-9a-f]{4}  +[0-9a-f]{2} ", line), f"no dump line: {line}"
            continue
        offset, shown = int(match[1], 16), bytes.fromhex(match[2])
        assert offset == position or (open_end and offset > position), f"gap before: {line}"
        assert data[offset : offset + len(shown)] == shown, f"other bytes: {line}"
        position, open_end = offset + len(shown), match[3] is not None
    assert open_end or position == len(data), f"{len(data) - position} bytes are not shown"
