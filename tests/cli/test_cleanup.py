"""``fotabuild cleanup`` without a service; with one see tests/publish."""

from __future__ import annotations

from pathlib import Path

from fotabuild.publish.journal import begin

from .conftest import Cli, MakeCli

JOURNAL = ("--set", "publish.journal=journals")


def test_cleanup_with_nothing_to_do_needs_no_service(cli: Cli) -> None:
    assert cli.good("cleanup", *JOURNAL).stdout == ""
    assert cli.json("cleanup", *JOURNAL) == {
        "schema_version": 1,
        "event": "result",
        "runs": [],
    }


def test_cleanup_lists_runs(cli: Cli) -> None:
    journal = begin(cli.folder / "journals", "https://acme.com", {})
    journal.close()
    done = cli.good("cleanup", "--list", *JOURNAL)
    assert done.stdout == f"{journal.run}: unfinished, 0 objects, https://acme.com\n"
    assert journal.path.exists()


def test_cleanup_needs_to_know_the_service(cli: Cli) -> None:
    begin(cli.folder / "journals", "https://acme.com", {}).close()
    done = cli("cleanup", *JOURNAL)
    assert done.status == 2
    assert "no service given" in done.stderr


def test_cleanup_of_an_unknown_run(cli: Cli) -> None:
    done = cli("cleanup", "20260101T000000Z-abcdef", *JOURNAL)
    assert done.status == 1
    assert "there is no run" in done.stderr


def test_cleanup_removes_a_journal_that_was_never_begun(cli: Cli) -> None:
    (cli.folder / "journals").mkdir()
    path = cli.folder / "journals" / "20260101T000000Z-abcdef.jsonl"
    path.write_bytes(b'{"event": "ru')
    assert cli.good("cleanup", *JOURNAL).stdout == f"{path.stem}: removed\n"
    assert not path.exists()


def test_cleanup_works_without_a_configuration(
    cli_in: MakeCli, tmp_path: Path, monkeypatch: object
) -> None:
    cli = cli_in(tmp_path)
    monkeypatch.setenv("FOTABUILD_PUBLISH_JOURNAL", str(tmp_path / "journals"))  # type: ignore[attr-defined]
    begin(tmp_path / "journals", "https://acme.com", {}).close()
    done = cli("cleanup", "--service", "https://other.com")
    assert done.status == 0
    assert "of https://acme.com: give --service" in done.stdout
