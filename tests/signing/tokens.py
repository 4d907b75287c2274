"""SoftHSM tokens in a folder of the tests."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ..conftest import softhsm_module
from ..formats.golden import KEY, OTHER_KEY

PIN = "canary-pin-4711"
SO_PIN = "canary-so-0815"


@dataclass(frozen=True)
class Tokens:
    """Tokens ``updates`` (keys ``update``, ``other``, two named ``twin``, ``p384``), ``spare``
    (key ``update``) and two tokens named ``double``.
    """

    folder: Path
    pin_file: Path
    environment: dict[str, str]

    def uri(self, path: str, *, pin: bool = True) -> str:
        """Return the URI of a key, with the PIN's source if wanted."""
        source = f"&pin-source={quote(str(self.pin_file))}" if pin else ""
        return f"pkcs11:{path}?module-path={quote(str(softhsm_module()))}{source}"


def make_tokens(folder: Path) -> Tokens:
    """Make them all; a new configuration of SoftHSM names the folder."""
    (folder / "tokens").mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    environment = {"SOFTHSM2_CONF": str(config)}
    pin_file = folder / "pin"
    pin_file.write_text(f"{PIN}\n")
    p384 = folder / "p384.pem"
    p384.write_bytes(_pkcs8(ec.derive_private_key(5, ec.SECP384R1())))
    keys = {}
    for name, path in (("update", KEY), ("other", OTHER_KEY)):
        private = load_pem_private_key(path.read_bytes(), None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        keys[name] = folder / f"{name}.pkcs8.pem"
        keys[name].write_bytes(_pkcs8(private))

    def run(*arguments: str | Path) -> None:
        subprocess.run(
            ["softhsm2-util", *map(str, arguments)],
            env={**os.environ, **environment},
            check=True,
            capture_output=True,
            timeout=60,
        )

    for label in ("updates", "spare", "double", "double"):
        run("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", SO_PIN)
    for token, label, key_id, path in (
        ("updates", "update", "01", keys["update"]),
        ("updates", "other", "02", keys["other"]),
        ("updates", "twin", "03", keys["update"]),
        ("updates", "twin", "04", keys["other"]),
        ("updates", "p384", "05", p384),
        ("spare", "update", "01", keys["other"]),
    ):
        run("--import", path, "--token", token, "--label", label, "--id", key_id, "--pin", PIN)
    return Tokens(folder, pin_file, environment)


def _pkcs8(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
