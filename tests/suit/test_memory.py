"""Memory for envelopes with megabytes in them: a small multiple of the file, in every shape."""

from __future__ import annotations

import argparse
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.cli.suit.actions import parsed_values, run_parse
from fotabuild.cli.suit.view import View
from fotabuild.device.suit_acceptance import accept_envelope
from fotabuild.errors import CborError
from fotabuild.formats.suit import model
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.envelope import encode_envelope
from fotabuild.formats.suit.names import Element, ManifestText, Name, Parameter, Profile
from fotabuild.formats.suit.splicing import sever, sign_envelope
from fotabuild.signing.cose import open_cose_signer

from .golden import P256, public_keys

SIZE = 8 * 1024 * 1024
#: Peak beside the file: the interpreter and its modules are not counted.
MOST = 4.1
PAYLOAD = os.urandom(1024) * (SIZE // 1024)
WRITE = (model.SetParameters({Parameter.CONTENT: PAYLOAD}), model.Act(Name.WRITE, 2))


def nested(levels: int) -> model.Commands:
    commands: model.Commands = WRITE
    for _ in range(levels):
        commands = (model.RunSequence(commands),)
    return commands


def envelope(
    install: model.Commands, *, severable: bool = False, integrated: dict[str, bytes] | None = None
) -> bytes:
    value = model.Manifest(
        sequence_number=1, components=((b"a",),), elements={Element.INSTALL: install}
    )
    return encode_envelope(value, Profile.CURRENT, severable=severable, integrated=integrated)


FETCH = (model.SetParameters({Parameter.URI: "#app"}), model.Act(Name.FETCH, 2))
SHAPES: dict[str, Callable[[], bytes]] = {
    "integrated payload": lambda: envelope(FETCH, integrated={"#app": PAYLOAD}),
    "content": lambda: envelope(WRITE),
    "nested content": lambda: envelope(nested(12)),
    "severed content": lambda: envelope(nested(12), severable=True),
}


def printed(view: View) -> Callable[[Path], object]:
    def run(path: Path) -> None:
        for piece in run_parse(argparse.Namespace(manifest=path, format=view.value)):
            assert len(piece) < SIZE

    return run


ACTIONS: dict[str, Callable[[Path], object]] = {
    **{f"parse {view.value}": printed(view) for view in View if view is not View.SUIT},
    "values": lambda path: parsed_values(argparse.Namespace(manifest=path)),
    "sign": lambda path: sign_envelope(path.read_bytes(), open_cose_signer(str(P256))),
    "sever": lambda path: sever(path.read_bytes()),
    "accept": lambda path: accept_envelope(path.read_bytes(), public_keys()),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_memory_is_a_small_multiple_of_the_file(
    shape: str, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    path = tmp_path / "large.suit"
    path.write_bytes(SHAPES[shape]())
    ratios = {}
    for name, action in ACTIONS.items():
        tracemalloc.start()
        action(path)
        ratios[name] = tracemalloc.get_traced_memory()[1] / path.stat().st_size
        tracemalloc.stop()
    worst = max(ratios, key=lambda name: ratios[name])
    figure(f"memory for an envelope with {shape}: {ratios[worst]:.2f} of the file ({worst})")
    assert ratios[worst] <= MOST, ratios


def test_a_person_is_shown_the_size_of_long_data() -> None:
    from fotabuild.formats.suit.explanation import explain

    data = envelope((model.SetParameters({Parameter.CONTENT: bytes(range(65))}), WRITE[1]))
    shown = f"content {bytes(range(32)).hex()}... (65 bytes)"
    assert f"  component 0 [61]: {shown}" in explain(decode_envelope(data)).splitlines()


def test_texts_are_limited() -> None:
    """Python keeps a text with one rare letter in four bytes for each."""
    texts = model.Text({"en": model.LanguageText({ManifestText.UPDATE_DESCRIPTION: "a" * SIZE})})
    value = model.Manifest(
        sequence_number=1,
        components=((b"a",),),
        elements={Element.INSTALL: FETCH, Element.TEXT: texts},
    )
    with pytest.raises(CborError, match="longer texts than any manifest has") as caught:
        decode_envelope(encode_envelope(value, Profile.CURRENT))
    assert caught.value.offset is not None
