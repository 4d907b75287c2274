"""What all commands have in common; a command that arrives without tests is found here."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from .calls import CALLS, NEED_A_SERVER, registered
from .conftest import Cli, MakeCli
from .sample import write_step

PARSERS = dict(registered())
every_command = pytest.mark.parametrize("path", CALLS, ids=" ".join)
alone = [path for path in CALLS if path not in NEED_A_SERVER]
every_call = pytest.mark.parametrize("path", alone, ids=" ".join)
DRY_RUN = [path for path in CALLS if "--dry-run" in PARSERS[path].format_help()]
# Files that are not among the lines of stdout.
SIDE_FILES = {"out/d.yaml", "out/app-1.0.0-to-1.1.0.yaml"}

# A second one finds the files of the first and keeps them, or makes others.
ONCE = {
    ("init",),
    ("device", "init"),
    ("encrypt",),
    ("suit", "keygen"),
    ("keys", "rotate"),
    ("migrate",),
    ("release", "import"),
}
# What a command replaces on purpose.
REPLACED: dict[tuple[str, ...], set[str]] = {
    ("keys", "rotate"): {"keys/update.key.pem", "keys/update.cert.der"}
}


@pytest.fixture
def project(cli: Cli) -> Cli:
    write_step(cli.folder)
    return cli


def test_every_command_has_a_call_here_and_a_test_file() -> None:
    assert set(PARSERS) == set(CALLS)
    for path in PARSERS:
        file = Path(__file__).with_name(f"test_{path[0]}.py")
        assert file.is_file(), f"the command {path[0]!r} has no tests"
        tree = ast.parse(file.read_text(encoding="utf-8"))
        tests = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        prefix = f"test_{'_'.join(path[1:])}".replace("-", "_")
        assert sum(name.startswith(prefix) for name in tests) >= 2, f"{path}: too few tests"


TEXTS = {
    "--builder-id", "--campaign-name", "--description", "--invocation-id", "--name", "--origin",
    "--source", "--title",
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "option"),
    [
        (path, option)
        for path, parser in PARSERS.items()
        for action in parser._actions
        for option in TEXTS.intersection(action.option_strings)
    ],
)
def test_texts_in_outputs_are_utf8(path: tuple[str, ...], option: str, cli: Cli) -> None:
    done = cli(*path, *CALLS[path], f"{option}=a\udcffb")
    assert done.status == 2
    assert option in done.stderr
    assert done.stdout == ""


def _names(stdout: str) -> list[str]:
    """Lines of stdout; a digest may stand before a name, as sha256sum prints it."""
    return [line.rpartition("  ")[2] for line in stdout.splitlines()]


@every_call
def test_succeeds(path: tuple[str, ...], project: Cli) -> None:
    done = project.good(*path, *CALLS[path])
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr


@every_call
def test_json_is_one_object_on_stdout(path: tuple[str, ...], project: Cli) -> None:
    done = project.good("--json", *path, *CALLS[path])
    if path == ("step",):  # The build system says itself what it makes.
        assert done.stdout == ""
        return
    # An upload tells about events, one line each; the result is the last.
    text = done.stdout.splitlines()[-1] if path == ("upload",) else done.stdout
    values = json.loads(text)
    assert values["schema_version"] == 1
    assert len(values) >= 2
    assert "schema_version" not in done.stderr


@every_call
def test_quiet_leaves_stderr_empty_and_stdout_alone(
    path: tuple[str, ...], project: Cli, tmp_path: Path
) -> None:
    assert project.good("--quiet", *path, *CALLS[path]).stderr == ""
    if path not in ONCE:
        loud, quiet = (project.good(*flag, *path, *CALLS[path]).stdout for flag in ((), ("-q",)))
        assert loud == quiet


@every_call
def test_only_the_announced_files_are_written(path: tuple[str, ...], project: Cli) -> None:
    before = project.tree()
    stdout = project.good(*path, *CALLS[path]).stdout
    after = project.tree()
    # What is in a release store is its own matter: tests/releases looks into it.
    before, after = (
        {name: state for name, state in tree.items() if not name.startswith("store/")}
        for tree in (before, after)
    )
    changed = {name for name in before if after[name] != before[name]}
    assert changed == REPLACED.get(path, set())
    new = set(after) - set(before)
    announced = {
        str((project.folder / line).relative_to(project.folder))
        for line in _names(stdout)
        if len(line) < 200 and (project.folder / line).is_file()
    }
    if path != ("step",):
        assert new | changed == announced
    assert all(not name.endswith(".tmp") for name in new)


@pytest.mark.parametrize("path", DRY_RUN, ids=" ".join)
def test_dry_run_writes_nothing(path: tuple[str, ...], project: Cli) -> None:
    before = project.tree()
    dry = project.good(*path, *CALLS[path], "--dry-run")
    assert project.tree() == before
    assert not (project.folder / "out").exists()
    assert dry.stderr.startswith("would ")
    assert project.json(*path, *CALLS[path], "--dry-run")["dry-run"] is True
    # It announces exactly what a real run makes.
    assert _names(project.good(*path, *CALLS[path]).stdout) == dry.stdout.splitlines()


def test_these_commands_can_be_tried_without_effect() -> None:
    assert set(DRY_RUN) == {
        ("build",),
        ("upload",),
        ("resources",),
        ("image",),
        ("delta",),
        ("package", "create"),
        ("manifest", "create"),
        ("manifest", "create-v1"),
        ("manifest", "prepare"),
        ("manifest", "prepare-v1"),
        ("suit", "create"),
        ("matrix",),
        ("release", "add"),
        ("release", "import"),
        ("release", "retire"),
        ("report",),
        ("provenance", "create"),
    }


@every_command
def test_help_explains_the_command_and_every_option(path: tuple[str, ...], look: Cli) -> None:
    done = look.good(*path, "--help")
    assert done.stdout.startswith(f"usage: fotabuild {' '.join(path)} ")
    assert done.stderr == ""
    assert PARSERS[path].description
    assert [action.dest for action in PARSERS[path]._actions if not action.help] == []


@every_command
def test_wrong_usage_is_status_2(path: tuple[str, ...], look: Cli) -> None:
    done = look(*path, *CALLS[path], "--no-such-option")
    assert (done.status, done.stdout) == (2, "")
    assert "--no-such-option" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("frobnicate",), ("package",), ("manifest", "sign")])
def test_unknown_or_missing_command_is_status_2(arguments: tuple[str, ...], look: Cli) -> None:
    done = look(*arguments)
    assert (done.status, done.stdout) == (2, "")
    assert "usage: fotabuild" in done.stderr


NEED_CONFIG = [("build",), ("plan",), ("resources",), ("package", "create"), ("config",)]


@pytest.mark.parametrize("path", [*NEED_CONFIG, ("manifest", "create")], ids=" ".join)
def test_without_a_configuration(path: tuple[str, ...], cli_in: MakeCli, tmp_path: Path) -> None:
    cli = cli_in(tmp_path)
    done = cli(*path, *CALLS[path])
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "there is no fotabuild.yaml here or in a folder above" in done.stderr
    assert done.stderr.endswith("[FB0200]\n")
    as_json = cli("--json", *path, *CALLS[path])
    assert as_json.status == 1
    values = json.loads(as_json.stdout)
    assert values["error"]["code"] == "FB0200"
    assert values["schema_version"] == 1
    assert values["error"]["message"] in as_json.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", NEED_CONFIG, ids=" ".join)
def test_configuration_of_a_folder_above_is_found(
    path: tuple[str, ...], project: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = project.folder / "src" / "main"
    deep.mkdir(parents=True)
    arguments = [
        str(project.folder / text) if (project.folder / text).is_file() else text
        for text in CALLS[path]
    ]
    monkeypatch.chdir(deep)
    assert project(*path, *arguments).status == 0
