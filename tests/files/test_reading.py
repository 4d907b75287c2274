"""Reading: whole regular files within a limit, and a name for everything else."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from pathlib import Path

import pytest

from fotabuild.digest import sha256
from fotabuild.errors import FileError
from fotabuild.files import reading
from fotabuild.files.dates import build_time
from fotabuild.files.names import relative_name
from fotabuild.files.reading import check_file, read_file


def test_whole_file_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"", b"x", bytes(100)):
        path.write_bytes(content)
        assert read_file(path, 100, "file") == content


def test_one_byte_more_is_refused_by_its_size(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(101))
    with pytest.raises(FileError, match="this image has 101 bytes, the limit is 100") as caught:
        read_file(tmp_path / "file", 100, "image")
    assert caught.value.file == tmp_path / "file"


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    """A sparse terabyte: reading it would take all memory."""
    with open(tmp_path / "huge", "wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(FileError, match="the limit is 5"):
        read_file(tmp_path / "huge", 5, "image")


@pytest.mark.parametrize("name", ["missing", "folder/missing", "file/below", "x" * 300, "nul\0"])
def test_names_behind_which_nothing_is(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError, match="cannot read the private key") as caught:
        read_file(tmp_path / name, 100, "private key")
    assert caught.value.file == tmp_path / name


def test_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"regular file|cannot read"):
        read_file(tmp_path, 100, "image")


def test_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    errors: list[FileError] = []

    def read() -> None:
        try:
            read_file(tmp_path / "pipe", 100, "image")
        except FileError as error:
            errors.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(10)
    assert [error.problem for error in errors] == ["this image is not a regular file"]


def test_device_is_no_file() -> None:
    with pytest.raises(FileError, match="not a regular file"):
        read_file(Path(os.devnull), 100, "image")


def test_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_file(tmp_path / "link", 100, "image") == b"content"


def test_digest() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sha256(b"").hex() == empty


def test_build_time_comes_from_the_environment() -> None:
    assert build_time({"SOURCE_DATE_EPOCH": "0"}) == 0
    assert build_time({"SOURCE_DATE_EPOCH": "1700000000"}) == 1_700_000_000
    assert build_time({}) > 1_700_000_000


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "1e9", " 1", "\u0661", "9" * 13])
def test_build_time_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(FileError, match="SOURCE_DATE_EPOCH"):
        build_time({"SOURCE_DATE_EPOCH": text})


def test_pipes_where_they_are_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"content",))
    writer.start()
    assert read_file(tmp_path / "pipe", 7, "key", pipes=True) == b"content"
    writer.join(10)
    monkeypatch.setattr(reading, "PIPE_SECONDS", 0.02)
    with pytest.raises(FileError, match=r"nothing came through this pipe for 0\.02 seconds"):
        read_file(tmp_path / "pipe", 7, "key", pipes=True)
    with pytest.raises(FileError, match="limit of 6 bytes"):
        read_file(Path("/dev/zero"), 6, "key", pipes=True)
    with pytest.raises(FileError, match="empty pipe"):
        read_file(Path(os.devnull), 6, "key", pipes=True)
    (tmp_path / "file").write_bytes(b"1234567")
    with pytest.raises(FileError, match="has 7 bytes"):
        read_file(tmp_path / "file", 6, "key", pipes=True)


def test_a_pipe_that_stays_open_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PIPE_SECONDS", 0.05)
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(tmp_path / "pipe", os.O_WRONLY)
    try:
        os.write(writer, b"con")
        with pytest.raises(FileError, match="nothing came"):
            read_file(tmp_path / "pipe", 7, "key", pipes=True)
    finally:
        os.close(reader)
        os.close(writer)


def test_names_relative_to_a_folder(tmp_path: Path) -> None:
    """A link to a folder is not where its ``..`` leads."""
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real/deep")
    assert relative_name(tmp_path / "link" / "keys" / "k", tmp_path / "link") == "keys/k"
    for name in ("real", "link"):
        outside = relative_name(tmp_path / "k", tmp_path / name)
        assert os.path.normpath(Path(os.path.realpath(tmp_path / name), outside)) == os.path.join(
            os.path.realpath(tmp_path), "k"
        )


def test_a_high_limit_reserves_no_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"small")
    assert read_file(tmp_path / "file", 1 << 50, "file") == b"small"


@pytest.mark.parametrize("size", [0, 5, 2_999_999])
def test_a_file_that_has_more_than_it_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """It grows meanwhile, or is one of /proc: all of it is read, up to the limit."""
    path = tmp_path / "file"
    path.write_bytes(bytes(3_000_000))
    real = os.fstat

    def small(descriptor: int) -> os.stat_result:
        values = list(real(descriptor))
        values[6] = size
        return os.stat_result(values)

    monkeypatch.setattr(os, "fstat", small)
    assert read_file(path, 3_000_000, "file") == bytes(3_000_000)
    with pytest.raises(FileError, match="grew beyond"):
        read_file(path, 2_999_999, "file")


@pytest.mark.parametrize("size", [0, 1, 64, 1 << 17, (1 << 17) + 1])
@pytest.mark.parametrize("loaded", [True, False])
def test_digest_with_and_without_openssl(
    size: int, loaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    expected = hashlib.sha256(data[:size]).digest()
    if not loaded:
        monkeypatch.delitem(sys.modules, "hashlib")
    assert sha256(data[:size]) == expected


def test_looking_at_a_file_refuses_what_reading_it_would(tmp_path: Path) -> None:
    """But for what only its bytes tell."""
    (tmp_path / "file").write_bytes(bytes(100))
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "loop").symlink_to("loop")
    names = ("file", "link", "gone", "folder", "pipe", "loop", "file/x", "x\0y", "x" * 300)
    for name in names:
        for limit in (99, 100):
            told = []
            for look in (check_file, read_file):
                try:
                    look(tmp_path / name, limit, "image")
                    told.append("")
                except FileError as error:
                    told.append(str(error))
            assert told[0] == told[1]
            assert (told[0] == "") == (name in ("file", "link") and limit == 100)


def test_looking_at_a_pipe_does_not_open_it(tmp_path: Path) -> None:
    """Who writes into it would go on, and find nobody."""
    reader, writer = os.pipe()
    try:
        os.write(writer, b"key")
        check_file(Path(f"/dev/fd/{reader}"), 5, "key", pipes=True)
        assert os.read(reader, 5) == b"key"
        os.mkfifo(tmp_path / "pipe")
        check_file(tmp_path / "pipe", 5, "key", pipes=True)
        with pytest.raises(OSError, match="No such device"):  # Still without a reader.
            os.open(tmp_path / "pipe", os.O_WRONLY | os.O_NONBLOCK)
    finally:
        os.close(reader)
        os.close(writer)
