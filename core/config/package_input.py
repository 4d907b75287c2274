"""The input of manifest-package-tool 2.x (combined-package specification) as a typed model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from fotabuild.config.messages import explain
from fotabuild.config.model import Text
from fotabuild.config.yaml_reader import read_yaml
from fotabuild.errors import in_file


class InputImage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One image of the package."""

    file_name: Text
    sub_comp_name: Text
    vendor_data: Text


class PackageInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Input of `manifest-package-tool create`."""

    images: Annotated[tuple[InputImage, ...], Meta(min_length=2, max_length=255)]


def read_package_input(data: bytes, file: Path) -> PackageInput:
    """Read an input.

    Raises:
        ConfigError: with key and line.
    """
    with in_file(file):
        document = read_yaml(data, if_empty="list at least two images")
    try:
        return msgspec.convert(document.values, PackageInput)
    except msgspec.ValidationError as error:
        raise explain(error, file, document.lines) from None
