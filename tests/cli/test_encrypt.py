from __future__ import annotations

import pytest

from fotabuild.formats.manifest_v3 import decode_signed

from .conftest import Cli

CALL = ("encrypt", "app.bin", "-v", "1.1.0", "-o", "out/e.bin")


def test_encrypt_writes_payload_key_and_manifest(cli: Cli) -> None:
    lines = cli.good(*CALL, "--set", "device.features=encrypted").stdout.splitlines()
    assert set(lines) == {"out/e.bin", "out/e.bin.key", "out/e.bin.manifest"}
    plain = (cli.folder / "app.bin").read_bytes()
    manifest = decode_signed((cli.folder / "out" / "e.bin.manifest").read_bytes()).manifest
    assert manifest.installed_size == len(plain)
    assert manifest.payload_size == len(plain) + 8 * -(-len(plain) // 1016)
    assert (cli.folder / "out" / "e.bin.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (CALL, "encrypted"),
        ((*CALL, "--set", "device.features=encrypted", "--format", "encrypted-combined"), ""),
        (("encrypt", "none.bin", *CALL[2:], "--set", "device.features=encrypted"), "none.bin"),
    ],
)
def test_encrypt_refuses(arguments: tuple[str, ...], problem: str, cli: Cli) -> None:
    done = cli(*arguments)
    assert done.status in (1, 3)
    assert problem in done.stderr
    assert not (cli.folder / "out").exists() or not list((cli.folder / "out").iterdir())
