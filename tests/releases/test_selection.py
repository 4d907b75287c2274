"""Which releases get a delta, and why the others do not."""

from __future__ import annotations

import pytest

from fotabuild.errors import ImportListError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.patch_stream import MAGIC
from fotabuild.releases.release import Entry
from fotabuild.releases.selection import Selection, read_shares, select

from .samples import DATE, release

V = FirmwareVersion.parse


def entries() -> list[Entry]:
    versions = ("1.10.0", "1.0.0", "1.2.0", "1.9.0", "2.0.0")
    found = [Entry.of(release(version).release()) for version in versions]
    found.append(Entry.of(release("1.5.0").release(), DATE))
    found.append(Entry.of(release("1.6.0", component="BOOT").release()))
    return found


def chosen(selection: Selection, shares: dict[FirmwareVersion, float] | None = None) -> str:
    found = select(entries(), "MAIN", V("2.0.0"), selection, shares)
    return " ".join(one.release.version for one in found if one.reason is None)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), "1.0.0 1.2.0 1.9.0 1.10.0 2.0.0"),
        (Selection(last=2), "1.9.0 1.10.0 2.0.0"),
        (Selection(last=0), "2.0.0"),
        (Selection(last=99), "1.0.0 1.2.0 1.9.0 1.10.0 2.0.0"),
        (Selection(since=V("1.2.0")), "1.2.0 1.9.0 1.10.0 2.0.0"),
        (Selection(until=V("1.9.0")), "1.0.0 1.2.0 1.9.0"),
        (Selection(since=V("1.2.0"), until=V("1.9.0")), "1.2.0 1.9.0"),
        (Selection(last=2, until=V("1.9.0")), "1.9.0"),
    ],
)
def test_conditions(selection: Selection, expected: str) -> None:
    """2.0.0 is not older than what is built: the plan leaves it out by itself."""
    assert chosen(selection) == expected


def test_shares() -> None:
    shares = {V("1.0.0"): 4.9, V("1.2.0"): 5.0, V("1.10.0"): 50.0}
    assert chosen(Selection(min_share=5.0), shares) == "1.2.0 1.10.0"
    reasons = [
        one.reason
        for one in select(entries(), "MAIN", None, Selection(min_share=5.0), shares)
        if one.reason
    ]
    assert reasons[0] == "on 4.9 % of the devices, less than 5 %"


def test_reasons() -> None:
    found = select(entries(), "MAIN", V("2.0.0"), Selection(last=3, since=V("1.9.0")))
    assert [one.reason for one in found[:3]] == [
        "not among the last 3 releases",
        "older than 1.9.0",
        None,
    ]


def test_an_image_without_a_patch_decoder_gets_none() -> None:
    images = [MAGIC, b"x", b"PELION/BSDIFF002", MAGIC + b"PELION/BSDIFF002", b"x" + MAGIC]
    made = [Entry.of(release(f"1.0.{n}", image=data).release()) for n, data in enumerate(images)]
    reason = "its image has no patch decoder"
    found = select(made, "MAIN", None, Selection())
    assert [one.reason for one in found] == [None, reason, reason, reason, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version,share\n1.0.0,12.5\n1.1.0,87.5%\n", [12.5, 87.5]),
        ("version,devices\n1.0.0,1\n1.1.0,3\n", [25, 75]),
        ("\ufeffVersion;Devices\r\n1.0.0;1\r\n\r\n1.1.0;0\r\n", [100, 0]),
        ("version,devices\n1.0.0,0\n1.1.0,0\n", [0, 0]),
        ("devices,version,region\n2,1.0.0,\n2,1.1.0,EU\n", [50, 50]),
    ],
)
def test_read_shares(text: str, expected: list[float]) -> None:
    shares = read_shares(text.encode())
    assert shares == dict(zip((V("1.0.0"), V("1.1.0")), expected, strict=True))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "no column 'version'"),
        (b"share\n1\n", "no column 'version'"),
        (b"version\n1.0.0\n", "line 2: share: this value is missing"),
        (b"version,share\n1.0,1\n", "line 2: version: '1.0'"),
        (b"version,devices\n1.0.0,\n1.1.0,5\n", "line 2: devices: this value is missing"),
        (b"version,share,devices\n1.0.0,1,\n", "line 2: devices: this value is missing"),
        (b"version,share\n1.0.0,x\n", "line 2: share: 'x' is not a number"),
        (b"version,share\n1.0.0,-1\n", "not a number"),
        (b"version,share\n1.0.0,nan\n", "not a number"),
        (b"version,share\n1.0.0,inf\n", "not a number"),
        (b"version,share\n1.0.0,1\n1.0.0,1\n", "line 3: 1.0.0 stands twice"),
        (b"version,share\n1.0.0,60\n1.1.0,60\n", "add up to 120 %"),
        (b"version,share\n1.0.0\n", "line 2: 1 values under 2 names"),
        (b"version,version\n1.0.0,1\n", "stands twice"),
        (b'version,share\n1.0.0,"1\n', "not a CSV"),
        (b"version,share\n\xff,1\n", "offset 0xe: not UTF-8"),
        (b"version,share\n1.0.0,\0\n", "not a"),
    ],
)
def test_bad_shares(text: bytes, problem: str) -> None:
    with pytest.raises(ImportListError) as caught:
        read_shares(text)
    assert problem in str(caught.value)
