"""A variable that is almost a setting is refused: it must not be ignored."""

from __future__ import annotations

import pytest

from fotabuild.config.loader import load_config
from fotabuild.errors import ConfigError

OPTIONS = {"vendor.domain": "acme.com", "device.model-name": "board"}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("FOTABUILD_PRIORTY", "FOTABUILD_PRIORITY"),
        ("FOTABUILD_CREDENTIAL_KEY", "FOTABUILD_CREDENTIALS_KEY"),
        ("FOTABUILD_PAYLOAD_URI", "FOTABUILD_PAYLOAD_URL"),
    ],
)
def test_misspelt_name_is_refused_with_the_right_one(name: str, meant: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, options=OPTIONS, environ={name: "1"})
    assert caught.value.field == name
    assert meant in (caught.value.remedy or "")


def test_variables_of_others_are_left_alone() -> None:
    environ = {"FOTABUILD_PURE_PYTHON": "1", "FOTABUILD_PYTHON_EXECUTABLE": "python3"}
    assert load_config(None, options=OPTIONS, environ=environ).project.priority == 0
