"""Packages of public registries, fetched by their own clients, and the firmware inside them."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

_FLASH_END = 0x10000000
_GAP = 0xFF
_INSTALL_TIMEOUT = 600


class NotAvailableError(Exception):
    """Neither this machine nor its registries have a package."""


class Packages:
    """A folder of downloaded packages.

    Args:
        folder: where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, registry: str, name: str, version: str) -> Path:
        """Return the file of a package, downloaded if need be.

        Raises:
            NotAvailableError: there is no client for this registry, or no such version.
        """
        # Epochs and plus signs of Debian versions stay out of the name of the folder.
        folder = self._folder / f"{registry}-{Path(name).name}-{version}".replace("+", "_")
        if not folder.is_dir():
            beside = folder.with_name(folder.name + ".part")
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(parents=True)
            self._download(registry, name, version, beside)
            beside.replace(folder)
        return next(folder.iterdir())

    def _download(self, registry: str, name: str, version: str, folder: Path) -> None:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        commands = {
            "pypi": [*pip, f"{name}=={version}"],
            "pypi-source": [*pip, "--no-binary", ":all:", f"{name}=={version}"],
            "npm": ["npm", "pack", "--silent", f"{name}@{version}"],
            "debian": ["apt-get", "--quiet", "download", f"{name}={version}"],
        }
        command = commands[registry]
        if shutil.which(command[0]) is None:
            raise NotAvailableError(f"{command[0]} is not installed")
        done = subprocess.run(  # noqa: S603 - the commands above
            command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT
        )
        if done.returncode or not any(folder.iterdir()):
            problem = (done.stderr.strip().splitlines() or ["it wrote no file"])[-1]
            raise NotAvailableError(f"{' '.join(command[:2])} {name} {version}: {problem}")


def extract(package: Path, path: Sequence[str]) -> bytes:
    """Return the flat firmware image at ``path``: a member, then members of archives in it."""
    content = package.read_bytes()
    if package.suffix == ".deb":
        content = subprocess.run(  # noqa: S603 - reads one archive
            ["dpkg-deb", "--fsys-tarfile", str(package)],  # noqa: S607
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
    for member in path:
        content = _member(content, member)
    return flatten_hex(content) if path[-1].endswith(".hex") else content


def _member(archive: bytes, name: str) -> bytes:
    """Return the member whose path is ``name`` or ends with it."""
    if zipfile.is_zipfile(io.BytesIO(archive)):
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return opened.read(_one(opened.namelist(), name))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        file = tar.extractfile(_one(tar.getnames(), name))
        if file is None:
            raise ValueError(f"{name} is no file")
        return file.read()


def _one(names: Sequence[str], wanted: str) -> str:
    found = [name for name in names if f"/{name}".endswith(f"/{wanted}")]
    if len(found) != 1:
        raise ValueError(f"{len(found)} members are called {wanted}")
    return found[0]


def flatten_hex(text: bytes) -> bytes:
    """Return the flash content of an Intel HEX file, from the lowest to the highest address."""
    pieces: dict[int, bytes] = {}
    base = 0
    for line in text.decode("ascii").split():
        record = bytes.fromhex(line[1:])
        if line[0] != ":" or sum(record) % 256 or len(record) != record[0] + 5:
            raise ValueError(f"not a record of Intel HEX: {line}")
        address, kind, data = int.from_bytes(record[1:3], "big"), record[3], record[4:-1]
        if kind == 0:
            pieces[base + address] = data
        elif kind == 2:
            base = int.from_bytes(data, "big") << 4
        elif kind == 4:
            base = int.from_bytes(data, "big") << 16
    flash = {start: data for start, data in pieces.items() if start < _FLASH_END}
    low = min(flash)
    image = bytearray()
    for start in sorted(flash):
        image += bytes([_GAP]) * (start - low - len(image))
        image[start - low : start - low + len(flash[start])] = flash[start]
    return bytes(image)
