"""A project's first credentials and configuration: what ``fotabuild init`` does."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path

from fotabuild.config.loader import load_config
from fotabuild.config.yaml_reader import read_yaml
from fotabuild.errors import FileError, OutputConflictError, in_file
from fotabuild.files.dates import build_time
from fotabuild.files.names import relative_name
from fotabuild.files.writing import OutputSet
from fotabuild.plan.url import expand_url
from fotabuild.signing.certificate import (
    make_self_signed,
    public_key_of,
    read_certificate,
    require_pair,
)
from fotabuild.signing.pem import PemSigner

_CONFIG = """\
# Update configuration of this project; every setting: fotabuild schema, fotabuild config
vendor:
  {vendor}
device:
  {device}
component: MAIN
priority: 0
credentials:
  key: {key}   # Private: keep it out of version control.
  certificate: {certificate}
payload:
  url: {url}
# Releases still in the field; each gets a delta to every new build.
releases: []
# In place of the []:
#- version: 1.0.0
#  image: releases/app-1.0.0.bin
"""


@dataclass(frozen=True, kw_only=True)
class NewProject:
    """What a new project is.

    Attributes:
        folder: where ``fotabuild.yaml`` goes.
        vendor: ``domain`` or ``vendor-id``, with its value; None for a random vendor id.
        device: ``model-name`` or ``class-id``, with its value; None for a random class id.
        url: the payload URL, with names in braces.
        key: an existing private key to use; None makes one in ``keys/``.
        certificate: the certificate of that key; None makes one in ``keys/``.
        replace_key: whether a key that ``keys/`` already holds is overwritten.
        credentials_only: whether ``fotabuild.yaml`` is left out.
    """

    folder: Path
    vendor: tuple[str, str] | None = None
    device: tuple[str, str] | None = None
    url: str = "https://updates.example.com/{file}"
    key: Path | None = None
    certificate: Path | None = None
    replace_key: bool = False
    credentials_only: bool = False


def create_project(project: NewProject) -> dict[str, Path]:
    """Write key, certificate and ``fotabuild.yaml``; nothing that exists is lost.

    Returns:
        The files by role: ``key``, ``certificate``, ``config``. Existing ones were kept.

    Raises:
        OutputConflictError: there is a configuration already, or a certificate without its key.
        SigningError: an existing key or certificate cannot be used.
        ConfigError: a value that no configuration may hold.
    """
    vendor = project.vendor or ("vendor-id", str(uuid.uuid4()))
    device = project.device or ("class-id", str(uuid.uuid4()))
    _check_values(vendor, device, project.url)
    config = project.folder / "fotabuild.yaml"
    key = project.key or project.folder / "keys" / "update.key.pem"
    certificate = project.certificate or project.folder / "keys" / "update.cert.der"
    if _exists(config) and not project.credentials_only:
        raise OutputConflictError(
            "this project has a configuration already",
            file=config,
            remedy="edit it, or make just key and certificate with --credentials-only",
        )
    outputs = OutputSet()
    fresh_key = project.key is None and (project.replace_key or not _exists(key))
    signer = PemSigner.generate() if fresh_key else PemSigner.open(key)
    if fresh_key:
        outputs.add(key, signer.to_pem(), private=True, only_new=not project.replace_key)
    if _exists(certificate) and not (fresh_key and project.replace_key):
        with in_file(certificate):
            found = public_key_of(read_certificate(certificate))
            require_pair(found, signer.public_key(), certificate)
    else:
        replace = project.replace_key
        made = make_self_signed(signer.to_pem(), build_time())
        outputs.add(certificate, made, only_new=not replace)
    text = _CONFIG.format(
        vendor=_line(vendor),
        device=_line(device),
        key=_quoted(relative_name(key, project.folder)),
        certificate=_quoted(relative_name(certificate, project.folder)),
        url=_quoted(project.url),
    )
    files = {"key": key, "certificate": certificate}
    if not project.credentials_only:
        outputs.add(config, _checked(text, config))
        files["config"] = config
    outputs.commit()
    return files


def _check_values(vendor: tuple[str, str], device: tuple[str, str], url: str) -> None:
    """Refuse, before anything is made, what every later command would refuse."""
    options = {f"vendor.{vendor[0]}": vendor[1], f"device.{device[0]}": device[1]}
    load_config(None, options={**options, "payload.url": url}, environ={})
    expand_url(url, {})


def _checked(text: str, config: Path) -> bytes:
    """Return the configuration as bytes that can be read again."""
    with in_file(config):
        try:
            data = text.encode()
        except UnicodeEncodeError:
            raise FileError("the name of key or certificate is not Unicode text") from None
        read_yaml(data)
    return data


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise FileError(f"cannot look for it: {error.strerror or error}", file=path) from None


def _line(item: tuple[str, str]) -> str:
    name, value = item
    return f"{name}: {_quoted(value)}"


def _quoted(text: str) -> str:
    """Return a YAML double-quoted scalar; JSON strings are a subset of them."""
    return json.dumps(text, ensure_ascii=False)
