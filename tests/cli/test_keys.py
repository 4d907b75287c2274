from __future__ import annotations

from .conftest import Cli


def test_check_prints_each_verdict(look: Cli) -> None:
    found = look.json("keys", "check")
    assert found["sound"] is True
    assert {result["verdict"] for result in found["results"]} <= {"passed", "warning"}
    assert "key-file-mode" in {result["name"] for result in found["results"]}


def test_check_of_a_key_that_others_can_read_is_status_3(cli: Cli) -> None:
    (cli.folder / "keys" / "update.key.pem").chmod(0o644)
    done = cli("keys", "check")
    assert done.status == 3
    assert "chmod 600" in done.stdout


def test_rotate_is_refused_with_releases_in_the_field(cli: Cli) -> None:
    before = cli.tree()
    done = cli("keys", "rotate", "--lock-out-devices")
    assert done.status == 1
    assert cli.tree() == before


def test_rotate_needs_its_consequence_said(cli: Cli) -> None:
    before = cli.tree()
    done = cli("keys", "rotate", "--config", "unreleased.yaml")
    assert done.status == 1
    assert "--lock-out-devices" in done.stderr
    assert cli.tree() == before


def test_rotate_keeps_the_old_pair(cli: Cli) -> None:
    old = (cli.folder / "keys" / "update.key.pem").read_bytes()
    files = cli.json("keys", "rotate", "--config", "unreleased.yaml", "--lock-out-devices")["files"]
    assert (cli.folder / files["old-key"]).read_bytes() == old
    assert (cli.folder / files["key"]).read_bytes() != old
    assert (cli.folder / files["key"]).stat().st_mode & 0o077 == 0
