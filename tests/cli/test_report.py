"""``fotabuild report``: a page and a JSON about a folder."""

from __future__ import annotations

import json

import pytest

from .conftest import Cli


def test_report_stands_in_the_folder_and_may_be_made_again(cli: Cli) -> None:
    done = cli.good("report", "released")
    assert done.stdout.splitlines() == ["released/report.html", "released/report.json"]
    before = cli.tree()
    cli.good("report", "released")
    assert {name: data for name, (data, _) in cli.tree().items()} == {
        name: data for name, (data, _) in before.items()
    }


def test_report_takes_speed_and_title(cli: Cli) -> None:
    cli.good("report", "released", "--link-speed", "9.6k", "--title", "Spring <1>")
    values = json.loads((cli.folder / "released" / "report.json").read_text())
    assert (values["link-speed"], values["title"]) == (9600, "Spring <1>")
    (update,) = values["updates"]
    size = update["payload-size"] + update["manifest-size"]
    assert update["seconds"] == round(size * 8 / 9600, 1)
    assert "Spring &lt;1&gt;" in (cli.folder / "released" / "report.html").read_text()


def test_report_is_written_for_a_folder_that_fails_too(cli: Cli) -> None:
    (cli.folder / "released" / "app.bin").write_bytes(b"another image")
    done = cli("report", "released")
    assert done.status == 3
    assert done.stderr.endswith("error: released: checks failed, see the report [FB0700]\n")
    assert "checks failed" in (cli.folder / "released" / "report.html").read_text()


def test_report_comes_before_or_after_the_statement(cli: Cli) -> None:
    cli.good("report", "released")
    cli.good("provenance", "create", "released")
    for _ in range(2):
        assert cli.good("report", "released").stderr.count("warning") == 0
        cli.good("verify", "released", "--require-provenance")


def test_report_warns_when_a_statement_speaks_of_another_page(cli: Cli) -> None:
    page = "released/app.report.html"
    cli.good("report", "released", "-o", page)
    cli.good("provenance", "create", "released")
    done = cli.good("report", "released", "-o", page)
    assert "provenance.intoto.json speaks of another app.report.html" in done.stderr
    assert cli("verify", "released").status == 3
    cli.good("provenance", "create", "released")
    cli.good("verify", "released")


def test_report_has_suit_manifests(cli: Cli) -> None:
    cli.good("build", "app.elf", "-v", "1.1.0", "-o", "out", "--set", "formats=suit")
    cli.good("report", "out")
    (update,) = json.loads((cli.folder / "out" / "report.json").read_text())["updates"]
    assert (update["schema"], update["version"]) == ("suit", "1001000")
    assert update["downloads"] == [
        {"url": "https://acme.com/app-1.1.0.bin", "file": "app-1.1.0.bin"}
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (("--link-speed", "fast"), 2, "bits per second"),
        (("--link-speed", "0"), 2, "bits per second"),
        (("-o", "a.manifest"), 2, "must end with report.html"),
        (("--old-elf", "1.0.0=app.elf"), 2, "only with --new-elf"),
        (("--new-elf", "app.elf", "--old-elf", "app.elf"), 2, "VERSION=ELF"),
    ],
)
def test_report_refuses(arguments: tuple[str, ...], status: int, text: str, cli: Cli) -> None:
    before = cli.tree()
    done = cli("report", "released", *arguments)
    assert done.status == status
    assert text in done.stderr
    assert cli.tree() == before


def test_report_without_its_extra_says_so(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    done = cli("report", "released")
    assert done.status == 1
    assert "fotabuild[report]" in done.stderr
    assert done.stderr.endswith("[FB0914]\n")
