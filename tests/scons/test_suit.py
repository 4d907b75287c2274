"""SUIT manifests: ``formats`` in the configuration, and the format argument of ``FotaManifest``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fotabuild.credentials import NewProject, create_project
from fotabuild.device.suit_acceptance import verify_envelope
from fotabuild.signing.cose_verify import load_verification_key

from .project import UP_TO_DATE, Project
from .reference import make_reference
from .sconstructs import WAYS, WHOLE

_SUIT = """\
formats: [v3, suit]
suit:
  components:
  - component-id: [sensor]
    file: sensor.bin
"""
_SINGLE = """\
import fotabuild.scons
env = Environment(tools=[fotabuild.scons.generate], FOTAVERSION="1.1.0")
image = env.FotaImage("build/app-1.1.0", "table.bin")
env.FotaManifest("build/app", image, FOTAMANIFESTFORMAT="suit")
env.FotaManifest("build/app", image)
"""
WHOLE_SUIT, SINGLE_SUIT = "build/update/app-1.1.0.suit", "build/app.suit"
ALL_MANIFESTS = {
    "build/update/app-1.1.0.manifest",
    "build/update/app-0.9.0-to-1.1.0.manifest",
    "build/update/app-1.0.0-to-1.1.0.manifest",
    "build/update/app-1.1.0.package.manifest",
}


def with_suit(project: Callable[..., Project], sconstruct: str) -> Project:
    built = project(sconstruct)
    built.edit("fotabuild.yaml", "priority: 1\n", f"priority: 1\n{_SUIT}")
    return built


def assert_verified(project: Project, name: str) -> None:
    trusted = load_verification_key(project.path("keys/update.cert.der").read_bytes())
    envelope = verify_envelope(project.path(name).read_bytes(), [trusted])
    assert envelope.manifest.components == ((b"\0",), (b"sensor",))


def test_a_build_emits_a_suit_manifest(project: Callable[..., Project]) -> None:
    built = with_suit(project, WHOLE)
    # No manifest goes into a cache.
    built.edit("SConstruct", "import fotabuild.scons\n", 'import fotabuild.scons\nCacheDir("c")\n')
    assert WHOLE_SUIT in built.build()
    assert_verified(built, WHOLE_SUIT)
    data = built.path(WHOLE_SUIT).read_bytes()
    assert data not in built.files("c").values()
    built.assert_up_to_date()


def _edit(old: str, new: str) -> Callable[[Project], None]:
    return lambda project: project.edit("fotabuild.yaml", old, new)


def _new_pair(project: Project) -> None:
    create_project(NewProject(folder=project.folder, credentials_only=True, replace_key=True))


# What changes, how, whether the other manifests change too, and whether this one does.
CHANGES: list[tuple[str, Callable[[Project], None], bool, bool]] = [
    ("sequence number", _edit("suit:\n", "suit:\n  sequence-number: 5\n"), False, True),
    ("profile", _edit("suit:\n", "suit:\n  profile: draft-09\n"), False, True),
    ("component id", _edit("suit:\n", 'suit:\n  component-id: ["01"]\n'), False, True),
    ("text", _edit("suit:\n", "suit:\n  text: {update-description: x}\n"), False, True),
    ("text with a dollar", _edit("suit:\n", "suit:\n  key-id: $hw\n"), False, True),
    ("payload URL", _edit("updates.", "more.updates."), True, True),
    ("priority", _edit("priority: 1", "priority: 2"), True, False),
    ("device features", _edit("combined]", "combined, encrypted]"), True, False),
    ("a comment", _edit("# What", "# Comment: what"), False, False),
    ("vendor data file", lambda p: p.write("vendor.dat", "colour=blue"), True, False),
]


def test_one_change_remakes_exactly_what_depends_on_it(
    project: Callable[..., Project], figure: Callable[[str], None]
) -> None:
    base = with_suit(project, WHOLE)
    base.build()
    wrong = []
    for number, (name, change, others, ours) in enumerate(CHANGES):
        changed = base.copy_to(base.folder.with_name(f"{number}"))
        change(changed)
        expected = (ALL_MANIFESTS if others else set()) | ({WHOLE_SUIT} if ours else set())
        found = set(changed.build())
        if found != expected:
            wrong.append(f"{name}: {sorted(found ^ expected)}")
        reference = make_reference(changed, WAYS[0], _folder(changed))
        if changed.path(WHOLE_SUIT).read_bytes() != reference["app-1.1.0.suit"]:
            wrong.append(f"{name}: not as in a first build")
    figure(f"SCons, SUIT: wrong decisions: {len(wrong)} of {len(CHANGES)}")
    assert not wrong, "\n".join(wrong)


def _folder(project: Project):  # type: ignore[no-untyped-def]
    folder = project.folder.with_name(f"{project.folder.name}-reference")
    folder.mkdir()
    return folder


def test_files_and_keys_that_change(project: Callable[..., Project]) -> None:
    built = with_suit(project, WHOLE)
    built.build()
    package = {"build/update/app-1.1.0.package.tar", "build/update/app-1.1.0.package.manifest"}
    built.write("sensor.bin", "another table")
    assert set(built.build()) == {WHOLE_SUIT} | package
    built.edit("app.txt", "minute", "hour")
    assert WHOLE_SUIT in built.build()
    _new_pair(built)
    assert WHOLE_SUIT in built.build()
    assert_verified(built, WHOLE_SUIT)
    built.path(WHOLE_SUIT).unlink()
    assert built.build() == [WHOLE_SUIT]
    built.assert_up_to_date()


def test_the_builder_of_a_single_manifest(project: Callable[..., Project]) -> None:
    built = with_suit(project, _SINGLE)
    made = built.build("build")
    assert set(made) == {"build/app-1.1.0.bin", SINGLE_SUIT, "build/app.manifest"}
    assert_verified(built, SINGLE_SUIT)
    assert built.scons("build").stdout == UP_TO_DATE.replace(".'", "build'")
    built.write("sensor.bin", "another table")
    assert built.build("build") == [SINGLE_SUIT]
    built.edit("fotabuild.yaml", "priority: 1", "priority: 2")
    assert built.build("build") == ["build/app.manifest"]
    built.edit("fotabuild.yaml", "suit:\n", "suit:\n  key-id: x\n")
    assert built.build("build") == [SINGLE_SUIT]


@pytest.mark.parametrize(
    ("sconstruct", "edit", "problem"),
    [
        (
            _SINGLE.replace('env.FotaManifest("build/app", image,', 'env.FotaManifest("build/d", '
            'env.FotaDelta("build/d", ["releases/app-1.0.0.bin", image]),'),
            ("", ""),
            "cannot describe a payload of the format arm-patch-stream",
        ),
        (_SINGLE, ("id: [sensor]", "id: []"), "suit.components[0].component-id"),
        (WHOLE, ("id: [sensor]", 'id: ["00"]'), "alternative"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(
    sconstruct: str, edit: tuple[str, str], problem: str, project: Callable[..., Project]
) -> None:
    built = with_suit(project, sconstruct)
    if edit[0]:
        built.edit("fotabuild.yaml", *edit)
    done = built.scons("build")
    assert done.status == 2
    assert problem in done.stderr
    assert "Traceback" not in done.stderr
    assert not [name for name in built.files("build") if name.endswith(".suit")]
