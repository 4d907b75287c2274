"""Make one manifest for ``create`` and ``create-v1`` of both programs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from fotabuild.cli.dropin.log import Log
from fotabuild.cli.dropin.program import STDOUT
from fotabuild.cli.dropin.streams import print_bytes
from fotabuild.config.loader import LoadedConfig
from fotabuild.errors import ConfigError
from fotabuild.files.names import refuse_overwrite
from fotabuild.files.reading import read_file
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.limits import READ_LIMITS
from fotabuild.plan.make import StepMaker
from fotabuild.steps.step import Step


def create_v3(
    config: LoadedConfig, version: FirmwareVersion, output: str, kept: Iterable[Path], log: Log
) -> None:
    """Make a v3 manifest.

    Args:
        config: the settings.
        version: the version after the update.
        output: the manifest, ``-`` for stdout.
        kept: files that it must not replace, beside those that the settings name.
        log: told what is worth knowing.
    """
    payload, kind = _payload(config)
    _write(lambda path: StepMaker(config).manifest(payload, kind, version, path), output, kept, log)


def create_v1(
    config: LoadedConfig, number: int, output: str, kept: Iterable[Path], log: Log
) -> None:
    """Make a v1 manifest; arguments as for :func:`create_v3`."""
    payload, kind = _payload(config)
    _write(
        lambda path: StepMaker(config).manifest_v1(payload, kind, number, path), output, kept, log
    )


def _payload(config: LoadedConfig) -> tuple[Path, PayloadFormat]:
    payload = config.project.payload
    if payload.file_path is None or payload.format is None:
        raise ConfigError("there is no payload", field="payload.file-path")
    return Path(payload.file_path), payload.format


def _write(make: Callable[[Path], Step], output: str, kept: Iterable[Path], log: Log) -> None:
    if output != STDOUT:
        refuse_overwrite(Path(output), kept)
        _run(make(Path(output).absolute()), log)
        return
    with tempfile.TemporaryDirectory(prefix="fotabuild-") as folder:
        path = Path(folder, "manifest")
        _run(make(path), log)
        print_bytes(read_file(path, READ_LIMITS.manifest, "manifest"))


def _run(step: Step, log: Log) -> None:
    result = step.run()
    for warning in result.warnings:
        log.warning(warning)
    log.debug(result.summary)
