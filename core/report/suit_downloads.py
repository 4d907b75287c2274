"""What a virtual device downloads: files of a folder, found by the digests that it asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fotabuild.device.suit_image import Image
from fotabuild.files.reading import read_file
from fotabuild.formats.suit.digests import compute_digest, dependency_digest
from fotabuild.formats.suit.model import Digest
from fotabuild.formats.suit.names import Compression, DigestAlgorithm
from fotabuild.limits import READ_LIMITS
from fotabuild.report.artifact import Artifact, ArtifactKind
from fotabuild.report.folder import ReleaseFolder


@dataclass
class Download:
    """What is at a URI, as far as a run of the manifest told.

    Attributes:
        uri: the URI.
        artifact: the file of the folder that it is; None until one is found.
        asked: whether the device fetched it.
        wanted: the first digest that was asked for and that no file here has, if there is one.
        changed: whether the digest of another content was asked for, too.
    """

    uri: str
    artifact: Artifact | None = None
    asked: bool = False
    wanted: Digest | None = None
    changed: bool = False


class FolderContents:
    """The files of a folder by their digests of any algorithm."""

    def __init__(self, folder: ReleaseFolder) -> None:
        self.folder = folder
        self._others: dict[DigestAlgorithm, dict[bytes, Artifact]] = {}

    def find(self, digest: Digest) -> Artifact | None:
        """Return the first file with this digest."""
        if digest.algorithm is DigestAlgorithm.SHA256:
            return self.folder.with_digest(digest.value)
        if digest.algorithm not in self._others:
            self._others[digest.algorithm] = {
                compute_digest(digest.algorithm, read_content(item)).value: item
                for item in reversed(self.folder.artifacts)
            }
        return self._others[digest.algorithm].get(digest.value)

    def manifest(self, digest: Digest) -> bytes | None:
        """Return the SUIT envelope here whose manifest has this digest."""
        for item in self.folder.of_kind(ArtifactKind.SUIT):
            data = read_content(item)
            if dependency_digest(data) == digest:
                return data
        return None


@dataclass(frozen=True)
class _Downloaded(Image):
    """An image that becomes a file of the folder when a digest is asked for, and then stays it."""

    place: Download = field(default_factory=lambda: Download(""))
    contents: FolderContents | None = field(default=None, repr=False)

    def matches(self, digest: Digest, size: int | None) -> bool:
        assert self.contents is not None
        found = self.contents.find(digest)
        if self.place.artifact is None:
            self.place.artifact = found
        if found is None or self.place.artifact is None:
            self.place.wanted = self.place.wanted or digest
        elif found.digest == self.place.artifact.digest:
            return size in (None, found.size)
        self.place.changed = self.place.artifact is not None
        return False

    def decompress(self, compression: Compression, limit: int = READ_LIMITS.image) -> Image:
        # The manifest may have no digest of the compressed bytes: then the name has to do, and
        # what comes out is compared.
        assert self.contents is not None
        if self.place.artifact is None:
            self.place.artifact = self.contents.folder.at_uri(self.place.uri)
        if self.place.artifact is None:
            raise ValueError("there is no such file here")
        return Image(read_content(self.place.artifact)).decompress(compression, limit)


class Downloads(Mapping[str, Image]):
    """All URIs of a manifest, for one virtual device.

    Args:
        uris: the URIs.
        contents: the folder.
    """

    def __init__(self, uris: Iterable[str], contents: FolderContents) -> None:
        self.by_uri = {uri: Download(uri) for uri in uris}
        self._contents = contents

    def __getitem__(self, uri: str) -> Image:
        place = self.by_uri[uri]
        place.asked = True
        named = self._contents.folder.at_uri(uri)
        if named is not None and named.kind is ArtifactKind.SUIT:
            # Manifests that this one needs are known by the digest of a part of the file.
            place.artifact = named
            return Image(read_content(named))
        return _Downloaded(place=place, contents=self._contents)

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_uri)

    def __len__(self) -> int:
        return len(self.by_uri)


def read_content(artifact: Artifact) -> bytes:
    """Return the bytes of a file of the folder."""
    return read_file(artifact.path, READ_LIMITS.package, "payload")


def size_of(image: Image) -> int:
    """Return the number of bytes of an image, 0 where nobody knows it."""
    if isinstance(image, _Downloaded):
        return 0 if image.place.artifact is None else image.place.artifact.size
    return (image.size or 0) if image.data is None else len(image.data)
