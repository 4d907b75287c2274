"""``fotabuild delta``: a patch from an old image to a new one, without a configuration."""

from __future__ import annotations

import pytest

from fotabuild.config.yaml_reader import read_yaml
from fotabuild.delta.decoder import apply_patch_python
from fotabuild.formats.patch_sidecar import PatchSidecar
from fotabuild.formats.patch_stream import PatchHeader

from .conftest import Cli, MakeCli
from .sample import NEW, OLD

OPTIONS = ("-c", "old.bin", "-n", "app.bin", "-o", "d.patch")


def test_patch_and_side_file(cli: Cli) -> None:
    done = cli.good("delta", *OPTIONS)
    assert done.stdout.splitlines() == ["d.patch", "d.yaml"]
    patch = (cli.folder / "d.patch").read_bytes()
    assert apply_patch_python(OLD, patch) == NEW
    sidecar = PatchSidecar.from_values(read_yaml((cli.folder / "d.yaml").read_bytes()).values)
    assert (sidecar.installed_size, sidecar.patch_size) == (len(NEW), len(patch))


def test_needs_no_configuration(cli_in: MakeCli, cli: Cli) -> None:
    (cli.folder / "fotabuild.yaml").unlink()
    cli.good("delta", *OPTIONS)


@pytest.mark.parametrize("size", [64, 512, 4096, 65536])
def test_block_size(size: int, cli: Cli) -> None:
    cli.good("delta", *OPTIONS, "-b", str(size))
    patch = (cli.folder / "d.patch").read_bytes()
    assert PatchHeader.decode(patch).block_size == size
    assert apply_patch_python(OLD, patch) == NEW


def test_threshold(cli: Cli) -> None:
    done = cli("delta", *OPTIONS, "-t", "10")
    assert (done.status, done.stdout) == (1, "")
    assert "10 % is the threshold" in done.stderr
    assert "[FB0502]" in done.stderr
    assert not (cli.folder / "d.patch").exists()
    cli.good("delta", *OPTIONS, "--skip-size-check")


@pytest.mark.parametrize(
    "wrong",
    [
        ("-b", "63"),
        ("-b", "0"),
        ("-b", "many"),
        ("-b", str(1 << 30)),
        ("-t", "0"),
        ("-t", "1001"),
        ("-t", "60", "--skip-size-check"),
    ],
)
def test_wrong_usage(wrong: tuple[str, ...], cli: Cli) -> None:
    before = cli.tree()
    done = cli("delta", *OPTIONS, *wrong)
    assert (done.status, done.stdout) == (2, "")
    assert cli.tree() == before


def test_output_named_like_its_side_file_is_refused(cli: Cli) -> None:
    """``-o x.yaml`` would be overwritten by its own side file (weakness B3)."""
    before = cli.tree()
    done = cli("delta", "-c", "old.bin", "-n", "app.bin", "-o", "x.yaml")
    assert (done.status, done.stdout) == (1, "")
    assert cli.tree() == before


@pytest.mark.parametrize("output", ["old.bin", "app.bin"])
def test_images_are_not_overwritten(output: str, cli: Cli) -> None:
    """Weakness B4."""
    before = cli.tree()
    done = cli("delta", "-c", "old.bin", "-n", "app.bin", "-o", output)
    assert (done.status, cli.tree()) == (1, before)


def test_old_image_without_a_decoder(cli: Cli) -> None:
    done = cli("delta", "-c", "table.bin", "-n", "app.bin", "-o", "d.patch")
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith("error: table.bin: ")
    assert "[FB0501]" in done.stderr
