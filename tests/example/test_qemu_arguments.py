"""The arguments that the emulator hands to a firmware."""

from __future__ import annotations

import pytest

from .qemu import COMMAND_LINE_LIMIT, PROGRAM_NAME, semihosting_config


def test_without_arguments_the_firmware_gets_a_fixed_name() -> None:
    assert semihosting_config(()) == f"enable=on,target=native,arg={PROGRAM_NAME}"


def test_commas_are_doubled() -> None:
    config = semihosting_config(("apply", "a,b=c.bin", "neu-\u00e4.bin"))
    assert config.endswith(f"arg={PROGRAM_NAME},arg=apply,arg=a,,b=c.bin,arg=neu-\u00e4.bin")


@pytest.mark.parametrize("argument", ["", " ", "two words", "line\n", "tab\t", "zero\0"])
def test_what_would_not_arrive_as_one_word_is_refused(argument: str) -> None:
    with pytest.raises(ValueError, match="cannot be a semihosting argument"):
        semihosting_config(("apply", argument))


def test_what_the_firmware_has_no_room_for_is_refused() -> None:
    room = COMMAND_LINE_LIMIT - 1 - len(PROGRAM_NAME) - 1
    assert semihosting_config(("x" * room,))
    with pytest.raises(ValueError, match="longer than 1023 bytes"):
        semihosting_config(("x" * (room + 1),))
