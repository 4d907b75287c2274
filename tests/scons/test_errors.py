"""What goes wrong is one clear line; what was there before stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fotabuild.signing.pem import PemSigner

from .changes import CERTIFICATE, KEY, MANIFESTS
from .permissions import OBEYING_MODES
from .project import Project
from .sconstructs import SINGLE, WAYS, WHOLE, Way

BY_NAME = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)


def _other_key(project: Project) -> None:
    project.write(KEY, PemSigner.generate().to_pem())


def _no_key(project: Project) -> None:
    project.write(KEY, "-----BEGIN NOTHING-----\n")


def _long_url(project: Project) -> None:
    project.edit("fotabuild.yaml", "https://", f"https://{'x' * 300}.")


PROBLEMS = {
    "key of another certificate": (_other_key, "FB0601"),
    "not a key": (_no_key, "FB0600"),
    "not acceptable to the device": (_long_url, "FB0700"),
}


@pytest.mark.parametrize(
    ("way", "problem"),
    [*((WAYS[0], problem) for problem in PROBLEMS), (WAYS[1], "key of another certificate")],
    ids=lambda value: value.name if isinstance(value, Way) else value,
)
def test_a_failed_step_is_one_line_and_keeps_the_old_artifact(
    project: Callable[..., Project], way: Way, problem: str
) -> None:
    built = project(way.sconstruct)
    built.build()
    before = built.files("build")
    cause, code = PROBLEMS[problem]
    cause(built)
    done = built.scons("-k")
    assert done.status == 2
    lines = done.stderr.splitlines()
    artifacts = way.artifacts()
    assert sorted(line.split("]")[0].removeprefix("scons: *** [") for line in lines) == sorted(
        artifacts[name][0] for name in MANIFESTS
    )
    assert all(line.endswith(f"[{code}]") for line in lines)
    assert built.files("build") == before


def test_later_steps_wait_for_a_failed_one(project: Callable[..., Project]) -> None:
    built = project(WHOLE)
    built.edit("fotabuild.yaml", "threshold: 60", "threshold: 1")
    done = built.scons("-k")
    assert done.status == 2
    assert len(done.stderr.splitlines()) == 2
    assert "the patch has" in done.stderr
    names = built.files("build")
    assert not [name for name in names if "-to-" in name]
    assert len([name for name in names if name.endswith(".manifest")]) == 2


@BY_NAME
def test_no_configuration(project: Callable[..., Project], way: Way) -> None:
    built = project(way.sconstruct)
    built.path("fotabuild.yaml").unlink()
    done = built.scons()
    assert done.status == 2
    assert "fotabuild.yaml" in done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("scons: ***")]) == 1
    assert not built.path("build").exists()


@BY_NAME
def test_a_wrong_configuration_names_its_line(project: Callable[..., Project], way: Way) -> None:
    built = project(way.sconstruct)
    built.edit("fotabuild.yaml", "priority: 1", "priority: high")
    done = built.scons()
    assert done.status == 2
    [line] = [line for line in done.stderr.splitlines() if line.startswith("scons: ***")]
    assert "fotabuild.yaml:11: priority" in line
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"VERSION", "1.1.0"', '"VERSION", "newest"', "newest"),
        ("env.FotaImage(", 'env.FotaDelta("x", ["app.txt"])\nenv.FotaImage(', "two images"),
        ('"build/app", image)', '"build/app", image, FOTAFORMAT="x")', "raw-binary"),
        ('"build/app", image)', '"build/app", image, FOTASETTINGS={"no": 1})', "no such setting"),
    ],
)
def test_mistakes_in_a_sconstruct(
    project: Callable[..., Project], old: str, new: str, message: str
) -> None:
    assert SINGLE.count(old) == 1
    done = project(SINGLE.replace(old, new)).scons()
    assert done.status == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("scons: ***")]) == 1


def test_a_precursor_of_a_full_image_is_of_no_use_and_no_harm(
    project: Callable[..., Project],
) -> None:
    old = 'FOTAPRECURSOR="releases/app-1.0.0.bin"'
    built = project(SINGLE.replace('"build/app", image)', f'"build/app", image, {old})'))
    assert "build/app.manifest" in built.build()


def test_a_folder_that_cannot_be_written_to(project: Callable[..., Project]) -> None:
    built = project()
    built.build()
    before = built.files("build")
    built.edit("fotabuild.yaml", "priority: 1", "priority: 2")
    folder = built.path("build/update")
    folder.chmod(0o555)
    try:
        done = built.scons("-k", wrapper=OBEYING_MODES)
    finally:
        folder.chmod(0o755)
    assert done.status == 2
    assert len(done.stderr.splitlines()) == 4
    assert done.stderr.count("cannot write: Permission denied [FB0300]\n") == 4
    assert built.files("build") == before
    assert CERTIFICATE in built.files()
