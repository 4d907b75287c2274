"""``upload-update`` and ``send-update``: after everything that they need, never by default."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from .project import PLATFORM, Project, error_lines

pytestmark = pytest.mark.platformio
TITLES = {
    "upload-update": "Upload update",
    "send-update": "Upload update, without flash tools",
}
both = pytest.mark.parametrize("target", TITLES)


def uploaded(project: Project) -> set[str]:
    """The names of the files that were published."""
    return {path.name for path in project.path("published").rglob("*") if path.is_file()}


def test_both_are_listed(built: Project) -> None:
    done = built.pio("project", "metadata", "--json-output")
    targets = json.loads(done.stdout)["device"]["targets"]
    titles = {target["name"]: target["title"] for target in targets}
    assert titles.items() >= TITLES.items()


@both
def test_builds_what_is_missing_and_publishes_it(target: str, project: Project) -> None:
    project.option("custom_fotabuild_upload_options = --to published")
    done = project.pio("run", "-t", target)
    assert done.status == 0, done
    assert {"app-1.1.0.bin", "app-1.1.0.manifest", "app-1.0.0-to-1.1.0.patch"} <= uploaded(project)
    lines = done.stdout.splitlines()
    assert lines.index("Uploading update") > lines.index("Linking .pio/build/device/firmware.elf")


def test_a_delta_that_is_not_worth_it_is_left_out(project: Project) -> None:
    """A build has declared it, and fails; an upload has the full image for these devices."""
    project.option("custom_fotabuild_upload_options = --to published")
    project.edit("fotabuild.yaml", "threshold: 1000", "threshold: 1")
    done = project.pio("run", "-t", "send-update")
    assert done.status == 0, done
    assert "app-1.1.0.manifest" in uploaded(project)
    assert not [name for name in uploaded(project) if "-to-" in name]


def test_an_ordinary_build_uploads_nothing(built: Project) -> None:
    built.option("custom_fotabuild_upload_options = --to published")
    built.run()
    assert uploaded(built) == set()


def test_settings_and_words_behind_a_reach_it(built: Project) -> None:
    built.option("custom_fotabuild_publish_storage = elsewhere")
    arguments = ("-a", "--to", "-a", "published")
    done = built.pio("run", "-t", "send-update", *arguments)
    assert done.status == 0, done
    assert "app-1.1.0.manifest" in uploaded(built)
    assert not built.path("elsewhere").exists()
    assert built.pio("run", "-t", "send-update").status == 0
    assert any(built.path("elsewhere").rglob("app-1.1.0.manifest"))


@both
def test_the_upload_port_may_be_a_service(target: str, built: Project) -> None:
    done = built.pio(
        "run",
        "-t",
        target,
        "--upload-port",
        "http://127.0.0.1:9",
        "-a",
        "--timeout=5",
        env={"FOTABUILD_ACCESS_KEY": "ak_of_nobody"},
    )
    lines = error_lines(done)
    assert any("127.0.0.1:9" in line for line in lines), lines
    assert f"*** [{target}] fotabuild upload ended with status 4" in lines[-1]
    assert "ak_of_nobody" not in done.stdout + done.stderr


def test_a_serial_upload_port_is_not_ours(built: Project) -> None:
    built.option("upload_port = /dev/ttyACM0", "custom_fotabuild_upload_options = --to published")
    assert built.pio("run", "-t", "send-update").status == 0
    assert "app-1.1.0.manifest" in uploaded(built)


def test_options_that_cannot_be_split(project: Project) -> None:
    project.option("custom_fotabuild_upload_options = --description 'half")
    [line] = error_lines(project.pio("run", "-t", "send-update"))
    assert "custom_fotabuild_upload_options: cannot be split" in line


def test_without_a_network_where_the_platform_has_flash_tools(
    project: Project, tmp_path: Path
) -> None:
    """PlatformIO wants these for any target with "upload" in its name, and not for the other."""
    for name in ("board", "platform"):
        shutil.copytree(
            PLATFORM.parent / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(PLATFORM.parent / "toolchain.py", tmp_path)
    platform = json.loads((PLATFORM / "platform.json").read_text(encoding="utf-8"))
    flash = {"type": "uploader", "optional": True, "owner": "nobody", "version": "~1.0.0"}
    platform["packages"]["tool-flash-of-nobody"] = flash
    (tmp_path / "platform" / "platform.json").write_text(json.dumps(platform), encoding="utf-8")
    project.edit("platformio.ini", f"symlink://{PLATFORM}", f"symlink://{tmp_path / 'platform'}")
    project.option("custom_fotabuild_upload_options = --to published")
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = project.pio("run", "-t", "send-update", env=nowhere)
    assert done.status == 0, done
    assert "app-1.1.0.manifest" in uploaded(project)
