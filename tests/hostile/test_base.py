"""The common files of all cases are good: a case fails for its own reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.cli.main import main


@pytest.mark.parametrize(
    "command",
    [
        "config",
        "plan new.bin -v 1.1.0",
        "build new.bin -v 1.1.0 -o out",
        "build old.bin -v 0.9.0 -o out --resources out/resources.c",
        "delta -c old.bin -n new.bin -o out.patch",
        "image app.elf -o out.bin",
        "init app",
        "inspect app.elf",
        "inspect app.tar",
        "inspect app.yaml",
        "manifest create -p new.bin --format raw-binary -v 1.1.0 -o out.manifest",
        "manifest create -p app.patch --format arm-patch-stream -v 1.1.0 -o out.manifest "
        "--current-fw old.bin --current-version 1.0.0",
        "manifest create -p app.tar --format combined -v 1.1.0 -o out.manifest",
        "manifest parse app.manifest",
        "manifest verify app.manifest --payload new.bin --installed-version 1.0.0",
        "manifest verify app.manifest --no-config --public-key keys/public.bin",
        "manifest verify patch.manifest --payload app.patch --installed-image old.bin",
        "package create --image new.bin -o out.tar",
        "package parse app.tar",
        "resources -o out.c",
        "suit create -i app.json -o out.suit",
        "suit parse -m app.suit",
        "suit sign -m app.suit -k keys/key.pem -o out.suit",
        "suit sever -m app.suit -a -o out.suit",
        "suit verify -m app.suit -k keys/cert.der",
    ],
)
def test_the_base_is_good(command: str, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command.split()) == 0, capsys.readouterr().err
