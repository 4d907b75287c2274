"""Options of the whole program stand before the command, behind it, or between its verbs."""

from __future__ import annotations

import json

import pytest

from fotabuild.cli.main import make_parser
from fotabuild.cli.parser import Parser, add_program_options

from .calls import CALLS
from .conftest import Cli

PARSER = make_parser()
FLAGS = {"-q": "quiet", "--quiet": "quiet", "--debug": "debug", "--json": "json"}


def flags(arguments: list[str]) -> dict[str, bool]:
    args = vars(PARSER.parse_args(arguments))
    return {name: args[name] for name in ("quiet", "debug", "json")}


@pytest.mark.parametrize("path", CALLS, ids=" ".join)
def test_every_command_takes_them_everywhere(path: tuple[str, ...]) -> None:
    call = [*path, *CALLS[path]]
    assert set(flags(call).values()) == {False}
    for flag, name in FLAGS.items():
        only = {"quiet": False, "debug": False, "json": False, name: True}
        places = {0, *range(1, len(path) + 1), len(call)}
        for place in places:
            assert flags([*call[:place], flag, *call[place:]]) == only
    everywhere = ["--json", *path, "-q", *CALLS[path], "--debug"]
    assert set(flags(everywhere).values()) == {True}


@pytest.mark.parametrize(
    "call",
    [
        ("matrix", "--old", "old.bin", "--new", "app.bin", "-o", "out", "-j", "1"),
        ("release", "add", "app.bin", "-v", "1.1.0", "--store", "store", "--date", "2026-01-31"),
        ("build", "app.elf", "-v", "1.1.0", "--dry-run"),
        ("manifest", "verify", "a.manifest"),
        ("suit", "parse", "-m", "a.suit"),
    ],
    ids=" ".join,
)
def test_json_behind_the_command_prints_json(call: tuple[str, ...], cli: Cli) -> None:
    values = json.loads(cli.good(*call, "--json").stdout)
    assert values["schema_version"] == 1


def test_errors_behind_the_command(look: Cli) -> None:
    done = look("manifest", "parse", "none", "-q", "--json")
    assert (done.status, json.loads(done.stdout)["error"]["code"]) == (1, "FB0300")


def test_names_that_look_like_them_stay_names(cli: Cli) -> None:
    (cli.folder / "--json").write_bytes((cli.folder / "app.bin").read_bytes())
    done = cli.good("image", "-o", "flat.bin", "--", "--json")
    assert done.stdout == "flat.bin\n"
    assert flags(["build", "--name=--json", "app.elf", "-v", "1.1.0"])["json"] is False


def test_an_own_option_of_the_same_name_is_the_command_s() -> None:
    parser = Parser(prog="program")
    commands = parser.add_subparsers(dest="command")
    mine = commands.add_parser("mine")
    mine.add_argument("-q", "--queue", type=int)
    commands.add_parser("other")
    add_program_options(parser)
    assert vars(parser.parse_args(["mine", "-q", "3", "--quiet"])) == {
        "command": "mine", "queue": 3, "quiet": True, "debug": False, "json": False,
    }  # fmt: skip
    assert parser.parse_args(["-q", "mine"]).quiet is True
    assert parser.parse_args(["other", "-q"]).quiet is True


def test_an_own_option_with_a_longer_name_stays(look: Cli) -> None:
    """``--json`` was once short for it."""
    whole = json.loads(look.good("suit", "parse", "-m", "a.suit", "--json-output").stdout)
    assert "schema_version" not in whole
    assert json.loads(look.good("suit", "parse", "-m", "a.suit", "--json").stdout)["schema_version"]


def test_help_shows_them_last(look: Cli) -> None:
    text = look.good("release", "add", "--help").stdout
    last = text.rpartition("options of every command:\n")[2]
    assert [line.split()[0] for line in last.splitlines()] == ["-q,", "--debug", "--json"]


def test_completion_knows_them_behind_every_command(look: Cli) -> None:
    script = look.good("completion", "bash").stdout
    lines = dict(line.split("=", 1) for line in script.splitlines() if "_option_strings=" in line)
    for path in CALLS:
        name = f"_shtab_fotabuild_{'_'.join(path)}_option_strings".replace("-", "_")
        assert set(FLAGS) <= set(lines[name].strip("()").split())
