"""``fotabuild package create|parse``."""

from __future__ import annotations

from fotabuild.formats.combined_package import decode_package

from ..conftest import VECTORS
from .conftest import Cli
from .sample import NEW


def test_create_packs_what_the_configuration_lists(cli: Cli) -> None:
    done = cli.good("package", "create", "-o", "p.tar", "--image", "app.bin")
    assert done.stdout == "p.tar\n"
    images = decode_package((cli.folder / "p.tar").read_bytes())
    assert [(image.name, image.vendor_data) for image in images] == [
        ("app", b"one"),
        ("table", b"two"),
    ]
    assert images[0].content == NEW


def test_create_without_the_built_image(cli: Cli) -> None:
    done = cli("package", "create", "-o", "p.tar")
    assert (done.status, done.stdout) == (1, "")
    assert "package.images[0].file-name" in done.stderr
    assert not (cli.folder / "p.tar").exists()


def test_create_for_a_device_that_takes_three(cli: Cli) -> None:
    setting = ("--set", "device.limits.sub-components=3")
    done = cli("package", "create", "-o", "p.tar", "--image", "app.bin", *setting)
    assert (done.status, done.stdout) == (3, "")
    assert "package-images: 2 images, the device takes exactly 3" in done.stderr
    assert not (cli.folder / "p.tar").exists()


def test_create_without_a_package_in_the_configuration(cli: Cli) -> None:
    text = (cli.folder / "fotabuild.yaml").read_text(encoding="utf-8")
    (cli.folder / "fotabuild.yaml").write_text(text[: text.index("package:")], encoding="utf-8")
    done = cli("package", "create", "-o", "p.tar", "--image", "app.bin")
    assert (done.status, "declares no package" in done.stderr) == (1, True)


def test_parse_prints_names_sizes_and_digests(look: Cli) -> None:
    stdout = look.good("package", "parse", "a.tar").stdout
    assert "sub-comp-name: app" in stdout
    assert f"size: {len(NEW)}" in stdout
    images = look.json("package", "parse", "a.tar")["package"]["images"]
    assert [image["sub-comp-name"] for image in images] == ["app", "table"]
    assert [image["vendor-data"] for image in images] == ["one", "two"]


def test_parse_reads_packages_of_the_real_tool(look: Cli) -> None:
    for name, count in (("two", 2), ("three", 3), ("two-aligned", 2)):
        path = VECTORS / "package" / f"{name}.tar"
        assert len(look.json("package", "parse", path)["package"]["images"]) == count


def test_parse_refuses_damage(cli: Cli) -> None:
    good = (cli.folder / "a.tar").read_bytes()
    for damaged in (good[:-512], good + b"x", good[512:], b"", good.replace(b"app", b"apq", 1)):
        (cli.folder / "bad.tar").write_bytes(damaged)
        done = cli("package", "parse", "bad.tar")
        assert (done.status, done.stdout) == (1, "")
        assert done.stderr.startswith("error: bad.tar: ")
