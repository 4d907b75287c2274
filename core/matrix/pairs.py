"""Which deltas a matrix has: every old image with every new one, or pairs from a CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fotabuild.errors import FileError, ImportListError, UsageError, in_file
from fotabuild.files.reading import read_file
from fotabuild.formats.no_image import is_patch
from fotabuild.formats.patch_sidecar import sidecar_of
from fotabuild.formats.patch_stream import HEADER_SIZE
from fotabuild.limits import READ_LIMITS
from fotabuild.releases.layout import BLOBS, INDEX
from fotabuild.releases.table import read_table
from fotabuild.steps.delta import DeltaStep

MakeStep = Callable[[Path, Path, Path], DeltaStep]


@dataclass(frozen=True)
class Pair:
    """Two images and the name of the patch between them, without suffix."""

    old: Path
    new: Path
    name: str


def all_pairs(old: Iterable[Path], new: Iterable[Path]) -> list[Pair]:
    """Return every old image with every new one.

    Args:
        old: images, or folders of images.
        new: likewise.

    Raises:
        FileError: a folder cannot be read.
    """
    targets = images_in(new)
    return [Pair(o, n, f"{o.stem}-to-{n.stem}") for o in images_in(old) for n in targets]


def read_pairs(table: Path) -> list[Pair]:
    """Return the pairs of a CSV with the columns ``old``, ``new`` and, if wanted, ``name``.

    Relative names start at the folder of the CSV.

    Raises:
        ImportListError: with the line at fault.
    """
    with in_file(table):
        data = read_file(table, READ_LIMITS.release_index, "list of pairs")
        pairs = []
        for row in read_table(data, ("old", "new")):
            old, new = (table.parent / row.text(column) for column in ("old", "new"))
            name = row.values.get("name", f"{old.stem}-to-{new.stem}")
            if name in (".", "..") or any(c in name for c in "/\\\0"):
                raise ImportListError("not the name of a file", field="name", line=row.line)
            pairs.append(Pair(old, new, name))
    return pairs


def steps_of(pairs: Sequence[Pair], folder: Path, make: MakeStep) -> list[DeltaStep]:
    """Return the deltas of pairs.

    Args:
        pairs: the pairs.
        folder: where the patches go.
        make: makes one from old image, new image and patch.

    Raises:
        UsageError: two patches would have the same name, or there are too many.
    """
    if len(pairs) > READ_LIMITS.matrix_pairs:
        raise UsageError(f"{len(pairs)} pairs; {READ_LIMITS.matrix_pairs} are the limit")
    names: dict[str, Pair] = {}
    for pair in pairs:
        other = names.setdefault(pair.name, pair)
        if other is not pair:
            raise UsageError(
                f"both {other.old} to {other.new} and {pair.old} to {pair.new} would be called "
                f"{pair.name}.patch: name them in a CSV and give it with --pairs"
            )
    return [make(pair.old, pair.new, folder / f"{pair.name}.patch") for pair in pairs]


def images_in(paths: Iterable[Path]) -> list[Path]:
    """Return images, and those in folders; hidden files, patches and their side files are none.

    Raises:
        FileError: a folder cannot be read.
        UsageError: a folder is a release store.
    """
    images: list[Path] = []
    for path in paths:
        try:
            if path.is_dir():
                images += _images_of(path)
            else:
                images.append(path)
        except OSError as error:
            raise FileError(f"cannot look there: {error.strerror}", file=path) from None
    return images


def _images_of(folder: Path) -> list[Path]:
    if (folder / INDEX).is_file() and (folder / BLOBS).is_dir():
        raise UsageError(
            f"{folder} is a release store: with releases.store in fotabuild.yaml, --new IMAGE "
            "--fw-version VERSION makes the deltas from its releases"
        )
    files = sorted(
        child for child in folder.iterdir() if child.is_file() and not child.name.startswith(".")
    )
    patches = {file for file in files if _is_patch(file)}
    patches |= {sidecar_of(patch) for patch in patches}
    return [file for file in files if file not in patches]


def _is_patch(file: Path) -> bool:
    try:
        with open(file, "rb") as stream:
            return is_patch(stream.read(HEADER_SIZE))
    except OSError:  # Who reads it as an image says more.
        return False
