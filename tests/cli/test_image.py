"""``fotabuild image``: the flat image of a linked ELF file."""

from __future__ import annotations

from .conftest import Cli
from .sample import NEW


def test_elf_is_laid_out(cli: Cli) -> None:
    done = cli.good("image", "app.elf", "-o", "flat.bin")
    assert (cli.folder / "flat.bin").read_bytes() == NEW
    assert done.stdout == "flat.bin\n"
    assert "from address 0x8000" in done.stderr


def test_binary_image_stays_as_it_is(cli: Cli) -> None:
    done = cli.good("image", "app.bin", "-o", "flat.bin")
    assert (cli.folder / "flat.bin").read_bytes() == NEW
    assert "binary image" in done.stderr


def test_damaged_or_empty_files_are_refused(cli: Cli) -> None:
    elf = (cli.folder / "app.elf").read_bytes()
    for content, code in ((elf[:-1], "FB0406"), (elf[:40], "FB0406"), (b"", "FB0300")):
        (cli.folder / "bad.elf").write_bytes(content)
        done = cli("image", "bad.elf", "-o", "flat.bin")
        assert (done.status, done.stdout) == (1, "")
        assert done.stderr.startswith("error: bad.elf: ")
        assert f"[{code}]" in done.stderr
    assert not (cli.folder / "flat.bin").exists()


def test_source_is_not_overwritten(cli: Cli) -> None:
    before = cli.tree()
    done = cli("image", "app.elf", "-o", "app.elf")
    assert (done.status, cli.tree()) == (1, before)
    assert "[FB0301]" in done.stderr
