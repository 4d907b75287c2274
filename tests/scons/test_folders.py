"""Variant folders, unusual names, a source tree that nobody may write to."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from .changes import DELTA_MANIFESTS, DELTAS
from .permissions import OBEYING_MODES
from .project import Project, made, sources
from .reference import make_reference
from .sconstructs import WAYS, Way

BY_NAME = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
TOP = """\
SConscript("source/SConscript", variant_dir="{folder}", duplicate={duplicate})
"""


def _variant_project(
    project: Callable[..., Project], way: Way, duplicate: int, folder: str = "out"
) -> Project:
    """Return the project with its sources one level down and its SConscript in a variant folder."""
    inner = project(name="project/source")
    inner.path("SConstruct").unlink()
    inner.write("SConscript", way.sconstruct.replace('"build/', '"'))
    outer = Project(inner.folder.parent)
    outer.write("SConstruct", TOP.format(folder=folder, duplicate=duplicate))
    return outer


@pytest.mark.parametrize("duplicate", [0, 1])
@BY_NAME
def test_variant_folders(
    project: Callable[..., Project], way: Way, duplicate: int, tmp_path: Path
) -> None:
    built = _variant_project(project, way, duplicate)
    artifacts = {
        name: [file.replace("build/", "out/") for file in files]
        for name, files in way.artifacts().items()
    }
    before = built.files("source")
    assert sorted(built.build()) == sorted(files[0] for files in artifacts.values())
    assert built.files("source") == before
    inner = Project(built.path("source"))
    reference = make_reference(inner, way, tmp_path / "reference")
    for file in (file for files in artifacts.values() for file in files):
        assert built.path(file).read_bytes() == reference[Path(file).name]
    assert bool(duplicate) == built.path("out/app.txt").exists()
    built.assert_up_to_date()

    # What only the configuration names is found in the source folder, too.
    inner.write("vendor.dat", "other")
    inner.write("sensor.bin", "other")
    inner.edit("fotabuild.yaml", "block-size: 512", "block-size: 256")
    changed = DELTAS | DELTA_MANIFESTS | {"manifest", "package", "package manifest"}
    assert sorted(built.build()) == sorted(artifacts[name][0] for name in changed)


PREBUILT = """\
import fotabuild.scons
env = Environment(tools=[fotabuild.scons.generate], FOTAVERSION="1.1.0")
env.FotaUpdate("app.elf")
"""


@pytest.mark.parametrize("duplicate", [0, 1])
def test_firmware_that_comes_from_elsewhere(
    project: Callable[..., Project], duplicate: int
) -> None:
    built = _variant_project(project, Way("prebuilt", PREBUILT, versioned=True), duplicate)
    image = sources()["releases/app-1.0.0.bin"] + b"more"
    built.write("source/app.elf", image)
    built.build()
    assert built.path("out/update/app-1.1.0.bin").read_bytes() == image
    built.assert_up_to_date()
    built.write("source/app.elf", image + b"!")
    assert len(built.build()) == 9


UNUSUAL = "my $HOME project ü 'x'"


@BY_NAME
def test_spaces_dollar_signs_and_other_letters_in_names(
    project: Callable[..., Project], way: Way
) -> None:
    built = project(way.sconstruct, name=UNUSUAL)
    folder = "ins $X tall é"
    names = {"fotabuild.yaml": f"{folder}/fota build.yaml", "app.txt": "app $Y ü.txt"}
    for old, new in names.items():
        built.path(new).parent.mkdir(exist_ok=True)
        built.path(old).rename(built.path(new))
    for name in ("keys", "vendor.dat", "releases", "sensor.bin", "boot.bin"):
        built.path(name).rename(built.path(folder) / name)
    text = built.path("SConstruct").read_text()
    text = text.replace("app.txt", names["app.txt"].replace("$", "$$"))
    escaped = folder.replace("$", "$$")
    text = text.replace("releases/", f"{escaped}/releases/")
    text = text.replace('"build/', f'"{escaped}/out/')
    text = text.replace("generate])", f'generate], FOTACONFIG="{escaped}/fota build.yaml")')
    text = text.replace("FotaUpdate(firmware)", f'FotaUpdate(firmware, folder="{escaped}/$$u p")')
    built.write("SConstruct", text)
    done = built.scons()
    assert (done.status, done.stderr) == (0, ""), done
    artifacts = [
        file.replace("build/update/", f"{folder}/$u p/").replace("build/", f"{folder}/out/")
        for file in way.files()
    ]
    for file in artifacts:
        assert built.path(file).is_file(), file
    built.assert_up_to_date()
    built.write(f"{folder}/vendor.dat", "other")
    assert len(made(built.scons().stdout)) == 4


@BY_NAME
def test_nothing_is_written_to_the_source_tree(
    project: Callable[..., Project], way: Way, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    built = _variant_project(project, way, 0, folder=str(elsewhere))
    signatures = f'SConsignFile("{tmp_path / "signatures"}")\n'
    built.write("SConstruct", signatures + built.path("SConstruct").read_text())
    before = built.files()
    for path in [built.folder, *built.folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o400)
    try:
        probe = subprocess.run(
            [*OBEYING_MODES, "/bin/sh", "-c", ": > probe"], cwd=built.folder, check=False
        )
        done = built.scons(str(elsewhere), wrapper=OBEYING_MODES)
        again = built.scons(str(elsewhere), wrapper=OBEYING_MODES)
    finally:
        for path in [built.folder, *built.folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o600)
    assert probe.returncode != 0, "the source tree can be written to"
    assert (done.status, done.stderr) == (0, ""), done
    assert again.stdout == f"scons: `{elsewhere}' is up to date.\n"
    assert built.files() == before
    found = {path.name for path in elsewhere.rglob("*") if path.is_file()}
    assert found == {Path(file).name for file in way.files()}
