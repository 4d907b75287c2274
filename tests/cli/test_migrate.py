from __future__ import annotations

from .conftest import Cli


def test_migrate_writes_a_configuration_that_works(cli: Cli) -> None:
    found = cli.json("migrate", "old-tool.yaml", "-o", "migrated.yaml")
    assert found["config"] == "migrated.yaml"
    settings = cli.json("config", "--config", "migrated.yaml")
    assert "acme.com" in str(settings)
    assert "Toaster" in str(settings)


def test_migrate_keeps_a_configuration_that_is_there(cli: Cli) -> None:
    before = cli.tree()
    done = cli("migrate", "old-tool.yaml")
    assert done.status == 1
    assert "there is a configuration already" in done.stderr
    assert cli.tree() == before


def test_migrate_without_anything_to_read(cli: Cli) -> None:
    done = cli("migrate", "-o", "new.yaml")
    assert done.status == 1
    assert "Traceback" not in done.stderr
    assert not (cli.folder / "new.yaml").exists()
