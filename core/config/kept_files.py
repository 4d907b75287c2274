"""How the key of a project is reached, and which of its files no output may replace."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from fotabuild.config.loader import LoadedConfig
from fotabuild.config.model import Credentials
from fotabuild.errors import OutputConflictError
from fotabuild.signing.signer import KeyAccess, key_file, tool_file


def key_access(credentials: Credentials) -> KeyAccess:
    """Return how the key of a project is reached."""
    return KeyAccess(
        passphrase=credentials.passphrase,
        tool=credentials.signing_tool,
        tool_seconds=credentials.signing_tool_seconds,
        show_tool=credentials.show_signing_tool,
    )


def refuse_to_replace(config: LoadedConfig, outputs: Iterable[Path]) -> None:
    """Refuse outputs that stand where something is that a project cannot be built without.

    Raises:
        OutputConflictError: one is the configuration, or a key, certificate, signing tool or vendor
            data that it names.
    """
    credentials = config.project.credentials
    access = key_access(credentials)
    files = (
        config.file,
        credentials.key and key_file(credentials.key, access),
        credentials.certificate,
        tool_file(access),
        config.project.vendor.custom_data_path,
    )
    kept = {os.path.realpath(file) for file in files if file}
    for output in outputs:
        if os.path.realpath(output) in kept:
            raise OutputConflictError(
                "this output would overwrite configuration, key, certificate, signing tool or "
                "vendor data",
                file=output,
                remedy="choose another name",
            )
