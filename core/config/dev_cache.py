"""The cache folder of manifest-dev-tool 2.x: a developer's keys, ids and last versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml
from msgspec import Meta

from fotabuild.config.messages import explain
from fotabuild.config.yaml_reader import read_yaml
from fotabuild.errors import ConfigError, FotabuildError, in_file
from fotabuild.files.names import same_file
from fotabuild.files.reading import read_file
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.identity import Identity, parse_uuid
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.certificate import read_certificate
from fotabuild.signing.key_file import open_to_others

DEFAULT_CACHE = ".manifest-dev-tool"
Text = Annotated[str, Meta(min_length=1)]
_REMEDY = "correct it, or delete it and run manifest-dev-tool init again"


class DevConfig(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Content of ``dev.cfg.yaml``; paths are relative to where ``init`` was run."""

    certificate: Text
    class_id: Text = msgspec.field(name="class-id")
    key_file: Text
    vendor_id: Text = msgspec.field(name="vendor-id")
    signing_tool: Text | None = msgspec.field(name="signing-tool", default=None)


@dataclass(frozen=True)
class DevCache:
    """The files of a cache folder."""

    folder: Path

    @property
    def key(self) -> Path:
        """The private key."""
        return self.folder / "dev.key.pem"

    @property
    def certificate(self) -> Path:
        """The update certificate."""
        return self.folder / "dev.cert.der"

    @property
    def config(self) -> Path:
        """Ids and where key and certificate are."""
        return self.folder / "dev.cfg.yaml"

    @property
    def cloud(self) -> Path:
        """Access key and host of the service; a secret."""
        return self.folder / "dev.cloud_cfg.yaml"

    @property
    def versions(self) -> Path:
        """The last version of each component."""
        return self.folder / "update.version.yaml"

    @property
    def readme(self) -> Path:
        """A word to people who look into the folder."""
        return self.folder / "README.txt"

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them, there or not: nothing else may be written under their names."""
        return (self.key, self.certificate, self.config, self.cloud, self.versions, self.readme)

    def open_to_others(self) -> list[Path]:
        """Return the secret files that other users of the machine can read."""
        return [path for path in (self.key, self.cloud) if open_to_others(path)]

    def read_config(self) -> DevConfig:
        """Read ``dev.cfg.yaml``.

        Raises:
            ConfigError: malformed.
            FileError: there is none.
        """
        data = read_file(self.config, READ_LIMITS.config, "developer configuration")
        with in_file(self.config):
            document = read_yaml(data, if_empty=_REMEDY)
        try:
            return msgspec.convert(document.values, DevConfig)
        except msgspec.ValidationError as error:
            raise explain(error, self.config, document.lines) from None

    def read_versions(self) -> dict[str, FirmwareVersion]:
        """Return the last version of each component; none before the first update.

        Raises:
            FotabuildError: the file cannot be read, or holds something else.
        """
        if not self.versions.exists():
            return {}
        data = read_file(self.versions, READ_LIMITS.config, "last versions")
        try:
            return {
                name: FirmwareVersion.parse(str(text))
                for name, text in read_yaml(data).values.items()
            }
        except FotabuildError as error:
            raise ConfigError(
                error.problem,
                file=self.versions,
                line=error.line,
                remedy="delete it to start again at 0.0.1, or write a line for each component, "
                "such as 'MAIN: 1.2.3'",
            ) from None

    def key_file(self, known: DevConfig, passphrase: str | None = None) -> Path:
        """Return the file of the private key.

        Args:
            known: the content of ``dev.cfg.yaml``, without a signing tool.
            passphrase: source of the passphrase of an encrypted key.

        Raises:
            ConfigError: there is a copy in this folder, and the original is another key by now.
            SigningError: they differ, and one is no key.
        """
        return _copy_or_original(self.key, known.key_file, lambda path: _public(path, passphrase))

    def certificate_file(self, known: DevConfig) -> Path:
        """Return the file of the update certificate; errors as for :meth:`key_file`."""
        return _copy_or_original(self.certificate, known.certificate, read_certificate)


def _copy_or_original(copy: Path, written: str, meaning: Callable[[Path], bytes]) -> Path:
    """Return the copy in the cache folder, and where there is none the file that is written.

    What is written is relative to the folder in which ``init`` was run. From another one it may
    lead to a file of another project, even to one in a cache of the same name.
    """
    original = Path(written)
    if not copy.exists():
        return original
    # The end of the copy's own path, with its folder, means the copy wherever it leads from here.
    size = len(original.parts)
    own = size > 1 and original.parts == copy.absolute().parts[-size:]
    if own or not original.exists() or same_file(original, copy):
        return copy
    one, other = (read_file(path, READ_LIMITS.key, "file") for path in (original, copy))
    if one != other and meaning(original) != meaning(copy):
        raise ConfigError(
            f"this file, which dev.cfg.yaml names, differs from its copy, {copy}",
            file=original,
            remedy="remove the one that devices do not know, or call from another folder",
        )
    return copy


def _public(path: Path, passphrase: str | None) -> bytes:
    from fotabuild.signing.pem import PemSigner

    return PemSigner.open(path, passphrase).public_key()


def identity_of(config: DevConfig) -> Identity:
    """Return the ids of a developer configuration."""
    return Identity(parse_uuid(config.vendor_id), parse_uuid(config.class_id))


def next_version(last: FirmwareVersion) -> FirmwareVersion:
    """Return the version after ``last``, carrying over behind 999.

    Raises:
        ConfigError: there is none after 999.999.999.
    """
    number = (last.major * 1000 + last.minor) * 1000 + last.patch + 1
    major, rest = divmod(number, 1_000_000)
    if major > 999:
        raise ConfigError(
            f"there is no version after {last}", remedy="give --fw-version, or start again"
        )
    return FirmwareVersion(major, *divmod(rest, 1000))


def encode_yaml(values: Mapping[str, Any]) -> bytes:
    """Return a flat mapping as the older tool writes it: sorted, in block style."""
    return yaml.safe_dump(dict(values), default_flow_style=False).encode()
