"""Errors: one line that names place, problem and remedy, and a code for each class."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild import errors
from fotabuild.errors import ConfigError, DerError, ExitStatus, FotabuildError, in_file

CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, FotabuildError)
]


def test_every_class_has_a_code_of_its_own() -> None:
    assert len(CLASSES) >= 20
    assert len({error.code for error in CLASSES}) == len(CLASSES)
    assert all(error.code.startswith("FB") and len(error.code) == 6 for error in CLASSES)
    assert all(error.__doc__ for error in CLASSES)


def test_families_share_the_beginning_of_their_code() -> None:
    for error in CLASSES:
        for parent in error.__mro__[1:]:
            if parent in CLASSES and parent is not FotabuildError:
                assert issubclass(parent, FotabuildError)
                assert error.code[:4] == parent.code[:4]


def test_exit_statuses() -> None:
    statuses = {error.__name__: error.exit_status for error in CLASSES}
    special = {name: status for name, status in statuses.items() if status != ExitStatus.FAILED}
    assert special == {
        "UsageError": ExitStatus.USAGE,
        "VerificationError": ExitStatus.VERIFICATION_FAILED,
        "StoreDamageError": ExitStatus.VERIFICATION_FAILED,
        "ProvenanceError": ExitStatus.VERIFICATION_FAILED,
        "ServiceError": ExitStatus.SERVICE,
        "NetworkError": ExitStatus.SERVICE,
        "AnswerError": ExitStatus.SERVICE,
        "RejectedKeyError": ExitStatus.SERVICE,
        "UploadError": ExitStatus.SERVICE,
        "LeftoverError": ExitStatus.SERVICE,
        "StorageError": ExitStatus.SERVICE,
        "CampaignError": ExitStatus.CAMPAIGN,
        "NoDeviceError": ExitStatus.NO_DEVICE,
        "CampaignTimeoutError": ExitStatus.TIMED_OUT,
    }
    assert [status.value for status in ExitStatus] == [0, 1, 2, 3, 4, 5, 6, 7, 130, 143]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (FotabuildError("it broke"), "it broke"),
        (FotabuildError("it broke", file="f"), "f: it broke"),
        (FotabuildError("it broke", file=Path("f"), line=3), "f:3: it broke"),
        (FotabuildError("it broke", line=3), "line 3: it broke"),
        (FotabuildError("it broke", field="a.b", offset=16), "a.b: offset 0x10: it broke"),
        (FotabuildError("it broke", offset=0), "offset 0x0: it broke"),
        (FotabuildError("it broke", file="f", remedy="mend it"), "f: it broke; mend it"),
    ],
)
def test_text_of_an_error(error: FotabuildError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize("nasty", ["\x1b[2J", "a\nb", "\r", "\x07", "\u202e", "\udcff", "\0"])
def test_text_stays_on_one_line_and_off_the_terminal(nasty: str) -> None:
    for error in (
        FotabuildError(f"found {nasty!s} here"),
        FotabuildError("x", file=f"dir/{nasty}"),
        FotabuildError("x", field=nasty),
        FotabuildError("x", remedy=nasty),
    ):
        assert nasty not in str(error)
        assert str(error).isprintable()


def test_file_is_added_once() -> None:
    with pytest.raises(DerError) as caught, in_file("outer"), in_file("inner"):
        raise DerError("broken")
    assert caught.value.file == "inner"
    with pytest.raises(ConfigError) as named, in_file("outer"):
        raise ConfigError("broken", file="own")
    assert named.value.file == "own"


def test_other_exceptions_pass_through() -> None:
    with pytest.raises(KeyError), in_file("f"):
        raise KeyError("x")
