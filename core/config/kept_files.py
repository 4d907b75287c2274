"""How the key of a project is reached, and which of its files no output may replace."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fotabuild.config.loader import LoadedConfig
from fotabuild.config.model import Credentials
from fotabuild.errors import OutputConflictError
from fotabuild.files.names import same_file
from fotabuild.signing.signer import ACCESS_KEY_VARIABLE, KeyAccess, key_file, tool_file


def key_access(credentials: Credentials, access_key: str | None = None) -> KeyAccess:
    """Return how the key of a project is reached.

    Args:
        credentials: of the project.
        access_key: ``publish.access-key``; a variable that it names is kept from signing tools.
    """
    scheme, _, name = (access_key or "").partition(":")
    withheld = (ACCESS_KEY_VARIABLE, *([name] if scheme == "env" else []))
    return KeyAccess(
        passphrase=credentials.passphrase,
        tool=credentials.signing_tool,
        tool_seconds=credentials.signing_tool_seconds,
        show_tool=credentials.show_signing_tool,
        withheld=withheld,
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
    kept = [Path(file) for file in files if file]
    for output in outputs:
        if any(same_file(output, file) for file in kept):
            raise OutputConflictError(
                "this output would overwrite configuration, key, certificate, signing tool or "
                "vendor data",
                file=output,
                remedy="choose another name",
            )
