"""The YAML side file of a patch, which manifest tools read (delta-patch, section 7)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from fotabuild.errors import FileError, SidecarError

_DIGEST_SIZE = 32
_REQUIRED = ("installed-digest", "installed-size", "precursor-digest")
_OPTIONAL = (
    "patch-digest",
    "patch-size",
    "patch-engine",
    "patch-effort",
    "patch-symbols",
    "patch-complete",
)
_LONGEST_TEXT = 200


def sidecar_of(patch: Path) -> Path:
    """Return the name of a patch's side file, by the rule of the manifest tools.

    Raises:
        FileError: the path names no file.
    """
    if not patch.name:
        raise FileError("this is not the name of a file", file=patch)
    return patch.with_suffix(".yaml")


class PatchSidecar(NamedTuple):
    """What a manifest has to say about a patch.

    Attributes:
        installed_digest: SHA-256 of the new image.
        installed_size: size in bytes of the new image.
        precursor_digest: SHA-256 of the old image.
        patch_digest: SHA-256 of the patch that this file describes; None in files of older tools.
        patch_size: size in bytes of that patch; None in files of older tools.
        engine: programs and libraries that decide which bytes a patch has, with their versions.
        effort: how hard the encoder looked for a smaller patch.
        symbols: whether it used those of both images' ELF files; they change the bytes, too.
        complete: whether it finished; after a time limit another run may give other bytes.
    """

    installed_digest: bytes
    installed_size: int
    precursor_digest: bytes
    patch_digest: bytes | None = None
    patch_size: int | None = None
    engine: str | None = None
    effort: str | None = None
    symbols: bool = False
    complete: bool = True

    def encode(self) -> bytes:
        """Return the YAML text; the digests are doubly base64, as every reader accepts them."""
        lines = [
            *_binary("installed-digest", self.installed_digest),
            f"installed-size: {self.installed_size}",
            *_binary("precursor-digest", self.precursor_digest),
        ]
        if self.patch_digest is not None and self.patch_size is not None:
            # Extra keys are ignored by older tools; they tie this file to one patch.
            lines += [*_binary("patch-digest", self.patch_digest), f"patch-size: {self.patch_size}"]
        for key, text in (("patch-engine", self.engine), ("patch-effort", self.effort)):
            if text is not None:
                lines.append(f'{key}: "{_quoted(text)}"')
        if self.symbols:
            lines.append("patch-symbols: true")
        if not self.complete:
            lines.append("patch-complete: false")
        return ("\n".join(lines) + "\n").encode()

    @classmethod
    def decode(cls, data: bytes) -> PatchSidecar | None:
        """Read what :meth:`encode` wrote; None for any other text, which needs a YAML parser."""
        values: dict[str, object] = {}
        lines = iter(data.decode("ascii", "replace").splitlines())
        for line in lines:
            key, _, text = line.partition(": ")
            if text == "!!binary |":
                values[key] = _decoded(next(lines, "").strip())
            elif text.startswith('"'):
                values[key] = text[1:-1]
            else:
                values[key] = int(text) if text.isdigit() and len(text) < 20 else _word(text)
        try:
            sidecar = cls.from_values(values)
        except SidecarError:
            return None
        return sidecar if sidecar.encode() == data else None

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> PatchSidecar:
        """Read the parsed YAML mapping.

        Raises:
            SidecarError: a key is missing, unknown, or has no usable value.
        """
        for key in values:
            if key not in _REQUIRED + _OPTIONAL:
                raise SidecarError("unknown key in the side file of a patch", field=key)
        for key in _REQUIRED:
            if key not in values:
                raise SidecarError("the side file of the patch lacks this key", field=key)
        has_patch = "patch-digest" in values
        if has_patch != ("patch-size" in values):
            raise SidecarError("patch-digest and patch-size go together", field="patch-digest")
        return cls(
            _digest("installed-digest", values["installed-digest"]),
            _size("installed-size", values["installed-size"]),
            _digest("precursor-digest", values["precursor-digest"]),
            _digest("patch-digest", values["patch-digest"]) if has_patch else None,
            _size("patch-size", values["patch-size"]) if has_patch else None,
            _text("patch-engine", values.get("patch-engine")),
            _text("patch-effort", values.get("patch-effort")),
            _flag("patch-symbols", values.get("patch-symbols", False)),
            _flag("patch-complete", values.get("patch-complete", True)),
        )


def _binary(key: str, digest: bytes) -> list[str]:
    return [f"{key}: !!binary |", "  " + base64.b64encode(base64.b64encode(digest)).decode()]


def _word(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text, text)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _decoded(text: str | bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # What base64 raises, and what a letter beyond ASCII is.
        return b""


def _digest(key: str, value: object) -> bytes:
    digest = _decoded(value) if isinstance(value, str | bytes) else b""
    if len(digest) != _DIGEST_SIZE:
        raise SidecarError("not the base64 of a 32-byte digest", field=key)
    return digest


def _size(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SidecarError("not a size in bytes", field=key)
    return value


def _text(key: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_TEXT:
        raise SidecarError(f"not a text of 1 to {_LONGEST_TEXT} characters", field=key)
    return value


def _flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise SidecarError("neither true nor false", field=key)
    return value
