"""From the JSON of ``suit-tool`` to an envelope in one of its forms."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.suit.component_option import component_entry
from fotabuild.cli.suit.payloads import Payloads
from fotabuild.cli.suit.streams import read_input
from fotabuild.cli.suit.view import STREAM, View
from fotabuild.errors import UsageError, in_file
from fotabuild.formats.suit.names import Profile
from fotabuild.limits import READ_LIMITS

if TYPE_CHECKING:
    from fotabuild.formats.suit.description import Component, Description
    from fotabuild.formats.suit.envelope import CreatedEnvelope

_PIECE = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to create.

    Attributes:
        input: the description, ``-`` for stdin.
        profile: the wire format.
        severable: whether elements are severed even if the description does not say so.
        components: further components as the option ``-c`` gives them.
        integrate: whether payloads are put into the envelope.
        compression_parameter: private label that says the compression in ``current``.
        allow_unknown: whether unknown keys give a warning instead of an error.
    """

    input: Path
    profile: Profile
    severable: bool = False
    components: tuple[str, ...] = ()
    integrate: bool = False
    compression_parameter: int | None = None
    allow_unknown: bool = False


def create(order: Order, payloads: Payloads) -> CreatedEnvelope:
    """Read, compile and run on virtual devices; nothing is written.

    Raises:
        FotabuildError: naming the path in the description, or what a device would not do.
    """
    from fotabuild.steps.suit_envelope import make_envelope

    data = read_input(order.input, READ_LIMITS.suit_description, "description")
    with in_file("stdin" if order.input == STREAM else order.input):
        description = _describe(order, data, payloads)
        return make_envelope(description, order.profile, severable=order.severable)


def render(data: bytes, view: View) -> Iterator[bytes]:
    """Return an envelope in a form, in pieces: texts take several times its memory.

    Raises:
        CborError, SuitError: it is none; before the first piece.
    """
    from fotabuild.formats.suit.decoder import decode_envelope
    from fotabuild.formats.suit.diagnostic import diagnose_in_pieces
    from fotabuild.formats.suit.explanation import explain
    from fotabuild.formats.suit.json_view import to_json

    if view is View.DIAGNOSTIC:
        return _encoded(diagnose_in_pieces(data))
    envelope = decode_envelope(data)
    if view is View.SUIT:
        return iter((data,))
    if view is View.HEX:
        digits = (data[start : start + _PIECE].hex() for start in range(0, len(data), _PIECE))
        return _encoded(itertools.chain(digits, "\n"))
    if view is View.EXPLANATION:
        return _encoded((explain(envelope),))
    encoder = json.JSONEncoder(indent=2)
    return _encoded(itertools.chain(encoder.iterencode(to_json(envelope)), "\n"))


def _encoded(texts: Iterable[str]) -> Iterator[bytes]:
    for text in texts:
        for start in range(0, len(text), _PIECE):
            yield text[start : start + _PIECE].encode()


def _describe(order: Order, data: bytes, payloads: Payloads) -> Description:
    from fotabuild.formats.suit.description_reader import read_description, with_component

    description = read_description(data, payloads.read, allow_unknown=order.allow_unknown)
    for text in order.components:
        description = with_component(description, component_entry(text), payloads.read)
    if order.compression_parameter is not None:
        description = replace(description, compression_parameter=order.compression_parameter)
    if order.integrate:
        components = tuple(_integrated(c, n) for n, c in enumerate(description.components))
        description = replace(description, components=components)
    return description


def _integrated(component: Component, place: int) -> Component:
    """Return a component with its payload in the envelope, if there is one."""
    if component.integrate or component.content is None:
        return component
    if component.compression is not None and not component.decompress_on_load:
        raise UsageError(
            f"{component.path}: 'file' is not the compressed payload that the device downloads",
            remedy="leave --integrate out, or decompress-on-load",
        )
    return replace(component, integrate=True, uri=f"#payload-{place}")
