"""The alias ``upload-update``: after everything that it needs, never by default."""

from __future__ import annotations

from collections.abc import Callable

from .project import Project
from .sconstructs import WHOLE


def uploaded(project: Project) -> set[str]:
    """The names of the files that were published."""
    folder = project.path("published")
    return {path.name for path in folder.rglob("*") if path.is_file()}


def publishing(text: str = WHOLE, flags: str = '["--to", "published"]') -> str:
    """A ``SConstruct`` that publishes into a folder."""
    return text.replace("generate])", f"generate], FOTAUPLOADFLAGS={flags})")


def test_builds_what_is_missing_and_publishes_it(project: Callable[..., Project]) -> None:
    built = project(publishing())
    done = built.scons("upload-update")
    assert done.status == 0, done
    lines = done.stdout.splitlines()
    assert lines.index("Uploading update") > lines.index("Linking build/app.elf")
    assert {"app-1.1.0.bin", "app-1.1.0.manifest", "app-1.0.0-to-1.1.0.patch"} <= uploaded(built)


def test_a_delta_that_is_not_worth_it_is_left_out(project: Callable[..., Project]) -> None:
    """A build has declared it, and fails; an upload has the full image for these devices."""
    built = project(publishing())
    built.edit("fotabuild.yaml", "threshold: 60", "threshold: 1")
    assert built.scons().status == 2
    done = built.scons("upload-update")
    assert done.status == 0, done
    assert "no delta app-1.0.0-to-1.1.0.patch, the full image is sent: " in done.stderr
    assert "app-1.1.0.manifest" in uploaded(built)
    assert not [name for name in uploaded(built) if "-to-" in name]


def test_is_no_default_target(project: Callable[..., Project]) -> None:
    built = project(publishing())
    built.build()
    assert uploaded(built) == set()
    built.assert_up_to_date()


def test_runs_each_time_and_rebuilds_nothing(project: Callable[..., Project]) -> None:
    built = project(publishing())
    built.build()
    before = built.files("build")
    for _ in range(2):
        done = built.scons("upload-update")
        assert (done.status, done.stdout.splitlines()[0]) == (0, "Uploading update")
    assert built.files("build").items() >= before.items()


def test_uploads_what_was_changed(project: Callable[..., Project]) -> None:
    built = project(publishing())
    assert built.scons("upload-update").status == 0
    built.write("app.txt", "print the humidity")
    assert built.scons("upload-update").status == 0
    [image] = built.path("published").rglob("app-1.1.0.bin")
    assert image.read_bytes().endswith(b"print the humidity")


def test_a_dry_run_uploads_nothing(project: Callable[..., Project]) -> None:
    built = project(publishing())
    done = built.scons("-n", "upload-update")
    assert done.status == 0
    assert done.stdout.splitlines()[-1] == "Uploading update"
    assert uploaded(built) == set()


def test_nothing_is_uploaded_when_the_build_fails(project: Callable[..., Project]) -> None:
    built = project(publishing())
    built.path("keys/update.key.pem").unlink()
    assert built.scons("upload-update").status == 2
    assert uploaded(built) == set()


def test_a_failed_upload_fails_the_build_in_one_line(project: Callable[..., Project]) -> None:
    built = project(publishing(flags="'--to http://127.0.0.1:9 --timeout 5'"))
    done = built.scons("upload-update", env={"FOTABUILD_ACCESS_KEY": "ak_of_nobody"})
    assert done.status == 2
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("scons: *** [upload-update] fotabuild upload ended with status ")
    assert "ak_of_nobody" not in done.stdout + done.stderr


def test_settings_of_the_environment_reach_it(project: Callable[..., Project]) -> None:
    text = publishing(flags="()").replace("env.Replace(", "env.Replace(FOTASETTINGS=SETTINGS, ")
    settings = (
        '{"publish.storage": "published", "priority": 3, "device.features": ["delta", "combined"]}'
    )
    built = project(f"SETTINGS = {settings}\n{text}")
    done = built.scons("upload-update")
    assert done.status == 0, done
    assert "app-1.1.0.manifest" in uploaded(built)


def test_a_folder_named_like_our_package_is_not_run(project: Callable[..., Project]) -> None:
    built = project(publishing())
    built.write("requests/__init__.py", "raise SystemExit('not the real one')\n")
    assert built.scons("upload-update").status == 0


def test_two_firmwares_are_both_uploaded(project: Callable[..., Project]) -> None:
    twice = publishing() + 'env.FotaUpdate(firmware, folder="other", name="other")\n'
    built = project(twice)
    done = built.scons("upload-update")
    assert done.status == 0, done
    assert {"app-1.1.0.manifest", "other-1.1.0.manifest"} <= uploaded(built)


def test_own_message(project: Callable[..., Project]) -> None:
    text = publishing().replace("generate],", 'generate], FOTAUPLOADCOMSTR="Sending",')
    assert "Sending" in project(text).scons("upload-update").stdout.splitlines()
