"""The one error tree of fotabuild.

Every class has a stable ``code`` that scripts may match and that ``docs/errors.md`` explains, and
an ``exit_status`` that the command line returns. A message names the file, the field, the position
and what to do, and never holds a secret.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pathlib import Path


class ExitStatus(enum.IntEnum):
    """Exit statuses of every command (documented in ``docs/cli.md``)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    VERIFICATION_FAILED = 3
    SERVICE = 4
    CAMPAIGN = 5
    NO_DEVICE = 6
    TIMED_OUT = 7
    INTERRUPTED = 130
    TERMINATED = 143


def printable(text: str) -> str:
    """Return ``text`` as one line that cannot steer a terminal: hostile files end up in it."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."


class FotabuildError(Exception):
    """Base of all errors that fotabuild raises on purpose.

    Args:
        problem: what is wrong, as a phrase without a final stop.
        file: the file the problem is in.
        field: the field of a format or the dotted key of a configuration.
        offset: byte offset in the file.
        line: one-based line in a text file.
        remedy: what the reader can do about it.
    """

    code: ClassVar[str] = "FB0000"
    exit_status: ExitStatus = ExitStatus.FAILED

    def __init__(
        self,
        problem: str,
        *,
        file: Path | str | None = None,
        field: str | None = None,
        offset: int | None = None,
        line: int | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.file = file
        self.field = field
        self.offset = offset
        self.line = line
        self.remedy = remedy

    def __str__(self) -> str:
        parts = []
        if self.file is not None:
            parts.append(f"{self.file}:{self.line}" if self.line else str(self.file))
        elif self.line is not None:
            parts.append(f"line {self.line}")
        if self.field is not None:
            parts.append(_shorten(self.field, 200))
        if self.offset is not None:
            parts.append(f"offset {self.offset:#x}")
        parts.append(_shorten(self.problem, 1000))
        text = ": ".join(parts)
        if self.remedy:
            text += f"; {self.remedy}"
        return printable(text)


class UsageError(FotabuildError):
    """The call itself is wrong: arguments that exclude each other, a missing argument."""

    code = "FB0100"
    exit_status = ExitStatus.USAGE


class ConfigError(FotabuildError):
    """``fotabuild.yaml``, the environment or an option holds a value that cannot be used."""

    code = "FB0200"


class YamlError(ConfigError):
    """A YAML file cannot be read: syntax, duplicate key, depth, alias, encoding."""

    code = "FB0201"


class FileError(FotabuildError):
    """A file cannot be read or written."""

    code = "FB0300"


class OutputConflictError(FileError):
    """An output would overwrite an input, another output, or a file that must be kept."""

    code = "FB0301"


class FormatError(FotabuildError):
    """Bytes that do not follow their format. The family of all bad input data."""

    code = "FB0400"


class DerError(FormatError):
    """DER that is truncated, not minimal, of the wrong type, or has something left over."""

    code = "FB0401"


class ManifestError(FormatError):
    """A manifest that is well-formed DER with values that no device accepts."""

    code = "FB0402"


class PatchError(FormatError):
    """A delta patch stream that does not follow its format or does not fit its old image."""

    code = "FB0403"


class SidecarError(FormatError):
    """The ``.yaml`` beside a patch is malformed or belongs to another patch."""

    code = "FB0404"


class PackageError(FormatError):
    """A combined package or its descriptor is malformed."""

    code = "FB0405"


class ElfError(FormatError):
    """An ELF file that holds no usable firmware image."""

    code = "FB0406"


class AddressError(FormatError):
    """The firmware is linked to another address than the layout says."""

    code = "FB0409"


class VersionError(FormatError):
    """Text that is not a firmware version from 0.0.1 to 999.999.999."""

    code = "FB0407"


class FactoryImageError(FormatError):
    """The parts of a factory image do not fit their places in flash."""

    code = "FB0408"


class EncryptionError(FormatError):
    """An encrypted payload that its key does not open, or a key of another size."""

    code = "FB0410"


class CborError(FormatError):
    """CBOR that is truncated, not deterministic, nested too deep, or has something left over."""

    code = "FB0420"


class SuitError(FormatError):
    """Well-formed CBOR that is no SUIT envelope or manifest."""

    code = "FB0421"


class SuitInputError(FormatError):
    """The JSON description of a SUIT manifest is wrong; the message names the path in it."""

    code = "FB0422"


class SuitProfileError(FormatError):
    """Something that the chosen SUIT profile has no way to say."""

    code = "FB0423"


class DeltaError(FotabuildError):
    """No useful delta can be made from the two images."""

    code = "FB0500"


class PrecursorMarkerError(DeltaError):
    """The old image does not carry the marker of the patch decoder that is needed."""

    code = "FB0501"


class ThresholdError(DeltaError):
    """The patch is too large, compared with the new image, to be worth sending."""

    code = "FB0502"


class SigningError(FotabuildError):
    """A key or certificate cannot be used, or a signature cannot be made."""

    code = "FB0600"


class KeyMismatchError(SigningError):
    """The private key and the certificate do not belong together."""

    code = "FB0601"


class SignatureError(SigningError):
    """A signer returned, or somebody brought, what is no signature of the update key."""

    code = "FB0602"


class SigningToolError(SigningError):
    """The external signing tool cannot be run, fails, or takes too long."""

    code = "FB0603"


class TokenError(SigningError):
    """A key in a PKCS#11 token cannot be reached or used."""

    code = "FB0604"


class SecretError(SigningError):
    """There is no passphrase or PIN, or it is wrong."""

    code = "FB0605"


class KeyRotationError(SigningError):
    """A new key would lock out devices in the field."""

    code = "FB0606"


class CloudKeyError(SigningError):
    """A key in a cloud service cannot be reached or used."""

    code = "FB0607"


class CoseKeyError(SigningError):
    """A key that cannot be used for SUIT manifests, or not with this COSE algorithm."""

    code = "FB0610"


class HssLmsError(SigningError):
    """An HSS/LMS key is exhausted, its next state cannot be stored, or its extra is missing."""

    code = "FB0611"


class VerificationError(FotabuildError):
    """An artifact is well-formed, and a device would refuse it."""

    code = "FB0700"
    exit_status = ExitStatus.VERIFICATION_FAILED


class ReleaseError(FotabuildError):
    """The release store cannot do what was asked. The family of all its problems."""

    code = "FB1000"


class StoreDamageError(ReleaseError):
    """Something in a release store is not what its digest says, or is missing."""

    code = "FB1001"
    exit_status = ExitStatus.VERIFICATION_FAILED


class ReleaseConflictError(ReleaseError):
    """The store has this release already, with another content."""

    code = "FB1002"


class UnknownReleaseError(ReleaseError):
    """The store has no such release."""

    code = "FB1003"


class ReleaseStorageError(ReleaseError):
    """The place where a release store is kept cannot be reached or used."""

    code = "FB1004"


class ImportListError(ReleaseError):
    """A CSV file about releases, their shares or pairs of images cannot be used."""

    code = "FB1005"


class MatrixError(FotabuildError):
    """Some deltas of a matrix could not be made.

    Args:
        problem: what is wrong.
        remedy: what the reader can do about it.
        exit_status: that of what went wrong with them.
    """

    code = "FB1010"

    def __init__(
        self,
        problem: str,
        *,
        remedy: str | None = None,
        exit_status: ExitStatus = ExitStatus.FAILED,
    ) -> None:
        super().__init__(problem, remedy=remedy)
        self.exit_status = exit_status


class ClusterError(MatrixError):
    """The cluster cannot be reached, or what it returns is not what was asked for."""

    code = "FB1011"


class ReleaseFolderError(FotabuildError):
    """A folder of artifacts cannot be looked at."""

    code = "FB1020"


class ProvenanceError(FotabuildError):
    """A statement on the origin of artifacts is malformed, not signed by the key, or untrue."""

    code = "FB1021"
    exit_status = ExitStatus.VERIFICATION_FAILED


class PartsListError(FotabuildError):
    """The list of a firmware's parts cannot be used."""

    code = "FB1022"


class PlanError(FotabuildError):
    """The project and the build cannot be turned into a plan."""

    code = "FB0800"


class ServerError(FotabuildError):
    """The local update server cannot start."""

    code = "FB0920"


class DataFolderError(ServerError):
    """The data folder of the local update server is in use, damaged, or of a newer release."""

    code = "FB0921"


class AccessKeyError(ServerError):
    """There is no such access key."""

    code = "FB0922"


class PublishError(FotabuildError):
    """A release cannot be published as asked. The family of all trouble with destinations."""

    code = "FB0900"


class ServiceError(PublishError):
    """The service refused a request, or failed to do it.

    Attributes:
        status: the HTTP status, if there was an answer that could be read.
        retry_after: when the service wants to be asked again, in its own words.
        sent: whether the service may have done what it was asked to.
        final: whether asking again is of no use.
    """

    code = "FB0901"
    exit_status = ExitStatus.SERVICE
    status: int | None = None
    retry_after: str | None = None
    sent: bool = True
    final: bool = False


class NetworkError(ServiceError):
    """The service cannot be reached, or its answer was lost."""

    code = "FB0902"


class AnswerError(ServiceError):
    """An answer is not what the service's API promises: HTML, cut off, too large, a redirect."""

    code = "FB0903"


class RejectedKeyError(ServiceError):
    """The service does not accept the access key, or not for this."""

    code = "FB0904"


class NoAccessKeyError(PublishError):
    """There is no access key where it was said to be, or it cannot be one."""

    code = "FB0905"


class DestinationError(PublishError):
    """The address of a destination cannot be used."""

    code = "FB0906"


class UploadError(ServiceError):
    """The service stored something else than what was sent."""

    code = "FB0907"


class CampaignError(PublishError):
    """The campaign ended, and not every device has the update."""

    code = "FB0908"
    exit_status = ExitStatus.CAMPAIGN


class NoDeviceError(PublishError):
    """No device matches, so that nothing was updated."""

    code = "FB0909"
    exit_status = ExitStatus.NO_DEVICE


class CampaignTimeoutError(PublishError):
    """The campaign was not over in the time that ``--timeout`` allows."""

    code = "FB0910"
    exit_status = ExitStatus.TIMED_OUT


class JournalError(PublishError):
    """The journal of a run cannot be used, or another process works on it.

    Attributes:
        in_use: another process works on it, so that nothing is wrong.
    """

    code = "FB0911"
    in_use: bool = False


class LeftoverError(PublishError):
    """Something could not be removed from the service."""

    code = "FB0912"
    exit_status = ExitStatus.SERVICE


class StorageError(PublishError):
    """The storage refused, or holds something else than what was written."""

    code = "FB0913"
    exit_status = ExitStatus.SERVICE


class MissingExtraError(FotabuildError):
    """An optional part of fotabuild is needed and not installed."""

    code = "FB0914"


class SimulationError(FotabuildError):
    """A simulated device cannot go on: its folder is damaged, or the server refuses it."""

    code = "FB1200"


@contextlib.contextmanager
def in_file(path: Path | str) -> Iterator[None]:
    """Name ``path`` in every error raised inside that does not name a file yet.

    Formats know bytes only; the caller who read them from a file adds its name this way.
    """
    try:
        yield
    except FotabuildError as error:
        if error.file is None:
            error.file = path
        raise
