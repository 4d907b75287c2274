"""Multipart forms, streamed: text parts into memory, files to the disk."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from fotabuild.server.blobs import BlobStore, BlobWriter, Staged
from fotabuild.server.bodies import Body, too_large
from fotabuild.server.limits import FORM_OVERHEAD
from fotabuild.server.refusal import Refusal, invalid

_TEXT_LIMIT = 16 * 1024
_MAX_PARTS = 16


@dataclass(frozen=True)
class FormFile:
    """A file of a form.

    Attributes:
        file_name: what the client calls it, without folders.
        staged: its content, on the disk.
    """

    file_name: str
    staged: Staged


@dataclass(frozen=True)
class Form:
    """A whole form: texts and files by the names of their parts."""

    texts: Mapping[str, str]
    files: Mapping[str, FormFile]

    def text(self, name: str, limit: int, default: str | None = None) -> str:
        """Return a text part.

        Raises:
            Refusal: missing without a default, or longer than ``limit`` characters.
        """
        text = self.texts.get(name, default)
        if text is None:
            raise invalid(name, "missing")
        if len(text) > limit:
            raise invalid(name, f"longer than {limit} characters")
        return text

    def file(self, name: str, file_name_limit: int) -> FormFile:
        """Return a file part.

        Raises:
            Refusal: missing, or with a file name longer than ``file_name_limit`` characters.
        """
        found = self.files.get(name)
        if found is None:
            raise invalid(name, "missing; it is a part with a file name")
        if len(found.file_name) > file_name_limit:
            raise invalid(name, f"the file name is longer than {file_name_limit} characters")
        return found


@dataclass
class _Part:
    name: str
    file_name: str | None
    text: bytearray = field(default_factory=bytearray)
    writer: BlobWriter | None = None


class _Reader:
    """Collects what the parser calls back."""

    def __init__(
        self,
        stack: contextlib.ExitStack,
        blobs: BlobStore,
        texts: Collection[str],
        files: Mapping[str, int],
    ) -> None:
        self._stack, self._blobs, self._texts, self._files = stack, blobs, texts, files
        self.parts: dict[str, _Part] = {}
        self.ended = False
        self._current: _Part | None = None
        self._headers: dict[bytes, bytes] = {}
        self._name = b""
        self._value = b""

    def on_part_begin(self) -> None:
        self._current = None
        self._headers = {}

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def on_headers_finished(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition"))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if kind != b"form-data" or not name:
            raise Refusal(400, "a part of the form has no name")
        if name in self.parts:
            raise invalid(name[:60], "there is more than one such part")
        if name not in self._files and name not in self._texts:
            raise invalid(name[:60], "unknown part")
        part = _Part(name, None)
        if name in self._files:
            if b"filename" not in options:
                raise invalid(name, "this part needs a file name")
            given = options[b"filename"].decode("utf-8", "replace").replace("\\", "/")
            part.file_name = given.rpartition("/")[2]
            part.writer = self._stack.enter_context(self._blobs.writer())
        self.parts[name] = self._current = part

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._current
        if part is None:
            return
        if part.writer is None:
            part.text += data[start:end]
            if len(part.text) > _TEXT_LIMIT:
                raise invalid(part.name, f"longer than {_TEXT_LIMIT} bytes")
            return
        part.writer.collect(bytes(data[start:end]))
        limit = self._files[part.name]
        if part.writer.size > limit:
            raise too_large(part.name, limit)

    def on_end(self) -> None:
        self.ended = True


@contextlib.asynccontextmanager
async def read_form(
    request: Request,
    body: Body,
    blobs: BlobStore,
    *,
    texts: Collection[str],
    files: Mapping[str, int],
) -> AsyncIterator[Form]:
    """Read a multipart form; files that are not adopted are removed at the end.

    Args:
        request: the request.
        body: its body.
        blobs: where files go.
        texts: names of the text parts.
        files: names of the files, each with its largest size in bytes.

    Raises:
        Refusal: not such a form, an unknown or repeated part, something too large.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise Refusal(400, "the content type is not multipart/form-data with a boundary")
    limit = sum(files.values()) + FORM_OVERHEAD
    with contextlib.ExitStack() as stack:
        reader = _Reader(stack, blobs, texts, files)
        names = [name for name in dir(reader) if name.startswith("on_")]
        try:
            parser = MultipartParser(
                boundary,
                {name: getattr(reader, name) for name in names},  # type: ignore[arg-type]
            )
            async for piece in body.pieces(limit, "form"):
                parser.write(piece)
                if len(reader.parts) > _MAX_PARTS:
                    raise Refusal(400, f"the form has more than {_MAX_PARTS} parts")
                for part in reader.parts.values():
                    if part.writer is not None:
                        await part.writer.flush()
            parser.finalize()
        except FormParserError as error:
            raise Refusal(400, f"the form is malformed: {error}"[:200]) from None
        if not reader.ended:
            raise Refusal(400, "the form ends before its last boundary")
        yield await _finish(reader)


async def _finish(reader: _Reader) -> Form:
    texts, files = {}, {}
    for name, part in reader.parts.items():
        if part.writer is not None:
            files[name] = FormFile(part.file_name or "", await part.writer.finish())
            continue
        try:
            texts[name] = part.text.decode()
        except UnicodeDecodeError:
            raise invalid(name, "not UTF-8") from None
    return Form(texts, files)
