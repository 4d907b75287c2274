"""The targets of the plugin, and PlatformIO's own beside them."""

from __future__ import annotations

import json

import pytest

from .project import Project, error_lines

pytestmark = pytest.mark.platformio

UPDATE = ("Update artifacts", "Make image, deltas, package and manifests")
VERIFY = ("Verify update artifacts", "Check every manifest as a device would")
MANIFEST = "update/app-1.1.0.manifest"
PATCH = "update/app-1.0.0-to-1.1.0.patch"


def test_the_targets_are_listed_with_title_and_description(built: Project) -> None:
    done = built.pio("run", "--list-targets")
    assert done.status == 0, done
    lines = [line.split("  ") for line in done.stdout.splitlines()]
    cells = [tuple(cell.strip() for cell in line if cell.strip()) for line in lines]
    assert ("device", "Custom", "update", *UPDATE) in cells
    assert ("device", "Custom", "update-verify", *VERIFY) in cells


def test_a_description_for_an_ide_needs_no_usable_project(project: Project) -> None:
    project.write("fotabuild.yaml", "vendor: [")
    project.path("keys/update.key.pem").unlink()
    project.option("custom_fotabuild_verison = 2")
    done = project.pio("project", "metadata", "--json-output")
    assert (done.status, done.stderr) == (0, ""), done
    targets = json.loads(done.stdout)["device"]["targets"]
    names = {target["name"]: (target["title"], target["description"]) for target in targets}
    assert names["update"] == UPDATE
    assert names["update-verify"] == VERIFY


def test_a_description_reads_no_key_and_writes_nothing_of_ours(built: Project) -> None:
    built.path("keys/update.key.pem").unlink()
    before = built.artifacts
    done = built.pio("project", "metadata", "--json-output")
    assert (done.status, done.stderr) == (0, ""), done
    assert built.artifacts == before


def test_update_makes_the_artifacts_from_nothing(project: Project) -> None:
    made = project.run("-t", "update")
    assert {"firmware.elf", "app-1.1.0.manifest", "app-1.0.0-to-1.1.0.patch"} <= set(made)
    assert len(project.artifacts) == 7
    assert project.run("-t", "update") == []


def test_update_verify_looks_at_every_manifest(built: Project) -> None:
    done = built.pio("run", "-t", "update-verify")
    assert (done.status, done.stderr) == (0, ""), done
    accepted = [line for line in done.stdout.splitlines() if line.startswith("accepted: ")]
    names = [line.removeprefix("accepted: ").partition(",")[0] for line in accepted]
    assert names == [
        "app-1.1.0.manifest",
        "app-1.0.0-to-1.1.0.manifest",
        "app-1.1.0.package.manifest",
    ]
    assert all(int(line.split()[-3]) > 10 for line in accepted)


def test_update_verify_refuses_a_payload_that_was_exchanged(built: Project) -> None:
    # Exchanged while the build runs: a build that finds another payload makes the manifest again.
    patch = built.build / PATCH
    data = bytearray(patch.read_bytes())
    data[-1] ^= 1
    built.option("extra_scripts = pre:fota.py, post:fota.py, post:spoil.py")
    built.edit("platformio.ini", "extra_scripts = pre:fota.py, post:fota.py\n", "")
    built.write(
        "spoil.py",
        'Import("env")\n'
        "from pathlib import Path\n"
        "def spoil(target, source, env):\n"
        f"    Path({str(patch)!r}).write_bytes({bytes(data)!r})\n"
        'env.AddPreAction("update-verify", spoil)\n',
    )
    lines = error_lines(built.pio("run", "--disable-auto-clean", "-t", "update-verify"))
    assert lines[0].startswith("error: app-1.0.0-to-1.1.0.manifest: payload-digest: ")
    assert lines[-1].endswith("a device would refuse 1 manifests")


def test_without_building_the_artifacts_come_from_the_firmware_that_is_there(
    built: Project,
) -> None:
    before = built.artifacts
    built.edit("src/main.c", "minute", "hour")
    (built.build / MANIFEST).unlink()
    assert built.run("-t", "nobuild", "-t", "update") == ["app-1.1.0.manifest"]
    assert built.artifacts == before


def test_without_building_and_without_firmware_the_error_names_it(project: Project) -> None:
    (line,) = error_lines(project.pio("run", "-t", "nobuild", "-t", "update"))
    assert line.startswith("*** [nobuild] Source `.pio/build/device/firmware.")


def test_clean_works_with_wrong_options_and_leaves_nothing(built: Project) -> None:
    built.option("custom_fotabuild_verison = 2")
    built.write("fotabuild.yaml", "vendor: [")
    assert built.run("--disable-auto-clean", "-t", "clean") == []
    assert not built.build.exists()


def test_the_compilation_database_knows_the_resources_and_reads_no_configuration(
    project: Project,
) -> None:
    project.write("fotabuild.yaml", "vendor: [")
    project.run("-t", "compiledb")
    entries = json.loads(project.path("compile_commands.json").read_text(encoding="utf-8"))
    files = [entry["file"] for entry in entries]
    assert ".pio/build/device/fotabuild/update_default_resources.c" in files
    assert not (project.build / "update").exists()


@pytest.mark.parametrize("target", ["__debug", "__test"])
def test_a_build_for_the_desk_makes_no_artifacts(project: Project, target: str) -> None:
    project.option("test_framework = custom")
    project.write("test/test_main.c", "int main(void) { return 0; }\n")
    runner = (
        "from platformio.public import TestRunnerBase\nclass CustomTestRunner(TestRunnerBase):\n"
    )
    project.write("test/test_custom_runner.py", f"{runner}    pass\n")
    project.run("-t", target)
    assert (project.build / "firmware.elf").exists()
    assert not (project.build / "update").exists()


def test_another_script_may_own_the_name_of_a_target(built: Project) -> None:
    built.write(
        "other.py",
        'Import("env")\nenv.AddCustomTarget("update", None, "echo other")\n',
    )
    built.edit("platformio.ini", "pre:fota.py,", "pre:fota.py, post:other.py,")
    done = built.pio("run", "--disable-auto-clean", "-t", "update-verify")
    assert done.status == 0, done
    assert done.stderr == "fotabuild: warning: another script has a target 'update'\n"
