"""A passphrase is there with its line: whoever wrote it may keep the pipe open."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from fotabuild.errors import SecretError
from fotabuild.files import reading
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.secret import forget_secret, read_secret


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe, which is open for writing until the end."""
    reader, writer = os.pipe()
    yield reader, writer
    forget_secret(f"fd:{reader}")
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("rest", [b"\n", b"\r\n", b"\nanother line\n", b"\n" + bytes(2000)])
def test_the_first_line_is_enough(rest: bytes, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"canary" + rest)
    assert read_secret(f"fd:{reader}", "passphrase") == b"canary"


def test_a_line_of_the_largest_size(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"x" * READ_LIMITS.secret + b"\n")
    assert len(read_secret(f"fd:{reader}", "passphrase")) == READ_LIMITS.secret


@pytest.mark.parametrize("written", [b"", b"canary without an end"])
def test_nobody_waits_without_end(
    written: bytes, pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PIPE_SECONDS", 0.05)
    reader, writer = pipe
    os.write(writer, written)
    with pytest.raises(SecretError, match=r"came through this pipe for 0\.05 seconds") as caught:
        read_secret(f"fd:{reader}", "passphrase")
    assert "canary" not in str(caught.value)


def test_a_line_that_never_ends_is_too_much(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"x" * (READ_LIMITS.secret + 1))
    with pytest.raises(SecretError, match="there is too much in"):
        read_secret(f"fd:{reader}", "passphrase")
