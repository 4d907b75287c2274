"""Manifests to exchange: configurations that both tools read."""

from __future__ import annotations

import hashlib
import random
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAYLOADS = {
    "raw-binary": "new.bin",
    "arm-patch-stream": "update.patch",
    "combined": "bundle.tar",
    "encrypted-raw": "new.bin",
    "encrypted-combined": "bundle.tar",
}
# What our side additionally says of the device; the peer ignores keys that it does not know.
LIMITS = {"vendor-data-size": 200, "sub-components": 2}


@dataclass(frozen=True)
class Variant:
    """Everything but format and image signature."""

    vendor_data: str | None
    component: str | None
    url_size: int
    names: bool


VARIANTS = {
    "plain": Variant(None, None, 30, False),
    "names": Variant("empty.vendor", "ABCDEFGH", 129, True),
    "text": Variant("text.vendor", "B", 250, False),
    "longest": Variant("binary.vendor", "MAIN", 255, True),
}


def make_config(
    payload_format: str, sign_image: bool, variant: Variant, priority: int = 1
) -> dict[str, Any]:
    """A configuration; its paths are relative to the folder of payloads."""
    vendor: dict[str, str] = {"vendor-id": "fa6b4a53d5ad5fdfbe9de663e4d41ffe"}
    device: dict[str, Any] = {"class-id": "327c726ac6e54f7a82fbf1d3beda80f0"}
    if variant.names:
        vendor, device = {"domain": "b\u00fccher.example"}, {"model-name": "Gr\u00f6\u00dfe 42"}
    if variant.vendor_data is not None:
        vendor["custom-data-path"] = variant.vendor_data
    features = ["delta", "combined", "encrypted"] + ["signed-image"] * sign_image
    start = "https://a.b/\u00e4" if variant.names else "https://a.b/"
    config: dict[str, Any] = {
        "vendor": vendor,
        "device": {**device, "features": features, "limits": LIMITS},
        "priority": priority,
        "payload": {
            "url": start + "u" * (variant.url_size - len(start.encode())),
            "file-path": PAYLOADS[payload_format],
            "format": payload_format,
        },
    }
    if payload_format.startswith("encrypted"):
        config["payload"]["encrypted"] = {
            "digest": hashlib.sha256(payload_format.encode()).hexdigest(),
            "size": 38255,
        }
    if variant.component is not None:
        config["component"] = variant.component
    if sign_image:
        config["sign-image"] = True
    return config


def random_config(seed: int) -> tuple[dict[str, Any], str]:
    """A configuration and a version, the same for a seed in every run."""
    choose = random.Random(seed)
    letters = string.ascii_letters + string.digits
    variant = Variant(
        choose.choice([None, "empty.vendor", "text.vendor", "binary.vendor"]),
        choose.choice([None, "".join(choose.choices(letters, k=choose.randint(1, 8)))]),
        choose.choice([30, 31, 100, 126, 127, 128, 129, 254, 255]),
        choose.random() < 0.5,
    )
    priority = choose.choice([0, 1, 127, 128, 255, 256, 2**31 - 1, choose.randrange(2**31)])
    payload_format = list(PAYLOADS)[seed % len(PAYLOADS)]
    config = make_config(payload_format, choose.random() < 0.5, variant, priority)
    version = ".".join(str(choose.choice([0, 1, 10, 999])) for _ in range(3))
    return config, "0.0.1" if version == "0.0.0" else version


def write_config(folder: Path, config: dict[str, Any]) -> Path:
    """Write a configuration beside the payloads; JSON is YAML to both tools."""
    import json

    name = hashlib.sha256(repr(config).encode()).hexdigest()[:16]
    path = folder / f"{name}.config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path
