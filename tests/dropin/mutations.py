"""Random calls of ``manifest-tool create`` and ``create-v1``: good ones, changed in some points."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

KEY = "keys/TEST-ONLY-update.key.pem"
CERTIFICATE = "keys/TEST-ONLY-update.cert.der"
_VENDOR_ID, _CLASS_ID = "fa6b4a53d5ad5fdfbe9de663e4d41ffe", "327c726ac6e54f7a82fbf1d3beda80f0"
_IMAGES = ("firmware/fw-1.1.0.bin", "firmware/tiny-a.bin", "firmware/sub1.bin", "v3/raw.yaml")


@dataclass
class Call:
    """A call that is being made up; ``classes`` are its reasons for a different verdict."""

    v1: bool
    config: dict[str, Any]
    version: list[str]
    key: str = KEY
    certificate: str = CERTIFICATE
    twice: bool = False
    classes: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        """The configuration; JSON is YAML too."""
        text = json.dumps(self.config, indent=1)
        return text if not self.twice else '{"component": "A", "component": "B",' + text[1:]

    def arguments(self, config: str, output: str) -> list[str]:
        """The command line."""
        command = ["create-v1", "--update-certificate", self.certificate] if self.v1 else ["create"]
        return [*command, "-c", config, "-k", self.key, "-o", output, *self.version]


def make_call(chance: random.Random) -> Call:
    """Make up a call with none, one or two changes."""
    call = _good(chance)
    names = chance.choices(list(CHANGES), k=chance.choice((0, 1, 1, 1, 2)))
    for name in dict.fromkeys(names):
        CHANGES[name](call, chance)
    return call


def _good(chance: random.Random) -> Call:
    v1 = chance.random() < 0.4
    kinds = ["raw-binary", "arm-patch-stream"]
    kind = chance.choice(
        kinds if v1 else [*kinds, "combined", "encrypted-raw", "encrypted-combined"]
    )
    file = {
        "raw-binary": chance.choice(_IMAGES),
        "arm-patch-stream": "delta/fw-1.0.0_to_fw-1.1.0_b512.bin",
    }.get(kind, "package/two.tar" if "combined" in kind else chance.choice(_IMAGES))
    payload: dict[str, Any] = {
        "url": "http://example.com/" + "x" * chance.randrange(100),
        "file-path": file,
        "format": kind,
    }
    if kind.startswith("encrypted") or chance.random() < 0.05:
        payload["encrypted"] = {
            "digest": chance.randbytes(32).hex(),
            "size": chance.randint(1, 9999),
        }
    config: dict[str, Any] = {
        "vendor": chance.choice(
            [{"vendor-id": _VENDOR_ID}, {"domain": "acme.com"}, {"vendor-id": _VENDOR_ID.upper()}]
        ),
        "device": chance.choice(
            [{"class-id": _CLASS_ID}, {"model-name": "Sm\u00e4rt Toaster 3"}, {"model-name": "1"}]
        ),
        "payload": payload,
    }
    if not v1 or chance.random() < 0.5:
        config["priority"] = chance.choice([0, 1, 127, 128, 255, 65536, 2**31 - 1, 1.0])
    if chance.random() < 0.5:
        config["component"] = chance.choice(["MAIN", "A", "COMP\u00e41", "12345678"])
    if chance.random() < 0.3:
        config["sign-image"] = not v1 and chance.random() < 0.7
    if chance.random() < 0.2:
        config["vendor"]["custom-data-path"] = chance.choice(
            ["v3/vendor-data.bin", "v3/vendor-data-200.bin"]
        )
    semantic = ".".join(str(chance.choice([0, 1, 9, 10, 999])) for _ in range(2)) + ".1"
    version = ["-v", semantic]
    if v1:
        number = str(chance.choice([1, 127, 128, 1_700_000_000, 2**55, 2**63 - 1]))
        version = chance.choice([["--fw-version", number], ["--fw-migrate-ver", semantic]])
    key = chance.choice([KEY, "keys/TEST-ONLY-update.key.pkcs8.pem"])
    return Call(v1, config, version, key)


def _set(*path: str, values: list[Any], reason: str = "") -> Callable[[Call, random.Random], None]:
    """Return a change of one value; None takes the key away."""

    def change(call: Call, chance: random.Random) -> None:
        node = call.config
        for name in path[:-1]:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):  # Another change spoilt the whole section.
                return
        value = copy.deepcopy(chance.choice(values))
        if value is None:
            node.pop(path[-1], None)
        else:
            node[path[-1]] = value
        if reason:
            call.classes.add(reason)

    return change


def _key(name: str, reason: str = "") -> Callable[[Call, random.Random], None]:
    def change(call: Call, _: random.Random) -> None:
        call.key = name
        if reason:
            call.classes.add(reason)

    return change


def _certificate(call: Call, chance: random.Random) -> None:
    if not call.v1:
        return
    if chance.random() < 0.5:
        call.certificate = "v3/raw.yaml"
        call.classes.add("A8 no certificate")
    else:
        call.key = "keys/TEST-ONLY-other.key.pem"
        call.classes.add("A8 certificate of another key")


def _version(call: Call, chance: random.Random) -> None:
    wrong = ["", "1", "1.2", "1.2.3.4", "01.2.3", "1000.0.0", "0.0.0", "a.b.c", "-1.0.0"]
    if call.v1:
        call.version = ["-v", chance.choice(["-1", "x", "1.2.3", "", "1.0"])]
    else:
        call.version = ["-v", chance.choice(wrong)]


def _newline(call: Call, _: random.Random) -> None:
    call.version = ["--fw-migrate-ver" if call.v1 else "-v", "1.2.3\n"]
    call.classes.add("C7 version with a newline")


def _number(call: Call, chance: random.Random) -> None:
    if call.v1:
        call.version = ["-v", chance.choice(["0", str(2**63), str(2**64)])]
        call.classes.add("C8 v1 version 0 or above 2^63 - 1")


def _duplicate(call: Call, _: random.Random) -> None:
    call.twice = True
    call.classes.add("C13 duplicate key")


def _sidecar(call: Call, _: random.Random) -> None:
    call.config["payload"] = {
        "url": "http://a/b",
        "format": "arm-patch-stream",
        "file-path": "bad/patch.bin",
    }
    call.classes.add("B7 side file of another patch, or no patch")


CHANGES: dict[str, Callable[[Call, random.Random], None]] = {
    "both ids": _set("vendor", values=[{"domain": "a.b", "vendor-id": _VENDOR_ID}, {}]),
    "both classes": _set("device", values=[{"class-id": _CLASS_ID, "model-name": "a"}, {}]),
    "section missing": _set("payload", values=[None, [], "text", 3]),
    "vendor missing": _set("vendor", values=[None, [], "text", 3]),
    "url wrong": _set("payload", "url", values=[None, "", 3, []]),
    "url text": _set("payload", "url", values=["x", "file:///a", "a b", "\u00e4" * 100]),
    "file wrong": _set("payload", "file-path", values=[None, "", "none.bin", "keys", 3]),
    "format wrong": _set("payload", "format", values=[None, "raw", "", 1]),
    "v3 formats": _set("payload", "format", values=["encrypted-raw", "encrypted-combined"]),
    "priority wrong": _set("priority", values=[-1, 1.5, "1", True, []]),
    "component wrong": _set("component", values=["", 3, []]),
    "sign-image wrong": _set("sign-image", values=["yes", 1, [], True]),
    "encrypted wrong": _set("payload", "encrypted", values=[{}, [], {"digest": "00", "size": 1}]),
    "encrypted size": _set(
        "payload", "encrypted", values=[{"digest": "0" * 64, "size": size} for size in (0, -1, "1")]
    ),
    "id wrong": _set("vendor", values=[{"vendor-id": text} for text in ("", "0" * 31, "xyz", 3)]),
    "model wrong": _set("device", values=[{"model-name": ""}, {"model-name": 3}]),
    "domain wrong": _set("vendor", values=[{"domain": text} for text in ("", "acme", "a b.c", 3)]),
    "33 digits": _set("device", values=[{"class-id": "0" * 33}, {"class-id": _CLASS_ID + "00"}]),
    "braces": _set("device", values=[{"class-id": "{" + _CLASS_ID + "}"}]),
    "urn": _set("device", values=[{"class-id": f"urn:uuid:{_CLASS_ID}"}]),
    "no key": _key("none.pem"),
    "no PEM": _key("v3/raw.yaml"),
    "RSA": _key("bad/rsa.pem"),
    "version wrong": _version,
    "unknown key": _set("sign_image", values=[True], reason="C1 unknown key"),
    "unknown key inside": _set("payload", "sha", values=["x"], reason="C1 unknown key"),
    "duplicate key": _duplicate,
    "long component": _set(
        "component", values=["123456789", "\u00e4" * 5], reason="C5 limit of devices"
    ),
    "long url": _set(
        "payload", "url", values=["http://" + "x" * 249], reason="C5 limit of devices"
    ),
    "large priority": _set("priority", values=[2**31, 2**63 - 1], reason="C5 limit of devices"),
    "long digest": _set(
        "payload", "encrypted", values=[{"digest": "0" * 66, "size": 1}], reason="C4 long digest"
    ),
    "loose domain": _set(
        "vendor",
        values=[{"domain": "http://acme.com/x"}, {"domain": "acme.com."}],
        reason="C4 text around a domain",
    ),
    "empty payload": _set(
        "payload", "file-path", values=["bad/empty.bin"], reason="C6 empty payload"
    ),
    "no package": _set("payload", "format", values=["combined"], reason="E not a combined package"),
    "no patch": _sidecar,
    "newline": _newline,
    "number": _number,
    "curve": _key("bad/secp256k1.pem", "A6 key on another curve"),
    "other curve": _key("bad/secp384r1.pem", "A6 key on another curve"),
    "certificate": _certificate,
    "dashes": _set(
        "device",
        values=[{"class-id": "327c726a-c6e5-4f7a-82fb-f1d3beda80f0"}],
        reason="C3 dashed UUID (ours accepts)",
    ),
}
