"""A database that has no room left is said in one line, and is no mistake of the server."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fotabuild.server.database import Database, is_storage_problem

from .harness import CLASS, Running, make_manifest, registration, running, wait_until


def set_room(server: Running, pages: int) -> None:
    """Leave the database so many pages that it does not have yet."""

    def work(connection: sqlite3.Connection) -> None:
        used = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {used + pages}")

    server.service.database.write_now(work)


@contextmanager
def full(server: Running) -> Iterator[None]:
    """Let the disk be full until the end of the block."""
    set_room(server, 0)
    yield
    set_room(server, 1_000_000)


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    ours = [record for record in caplog.records if record.name.startswith(("fotabuild", "uvicorn"))]
    return [record for record in ours if record.levelno >= logging.ERROR]


def test_requests_get_507(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(tmp_path) as server:
        with full(server):
            answers = []
            for number in range(100):
                values = registration(f"device-{number}-{'x' * 40}")
                answers.append(server.anybody("POST", "/device/v1/register", values=values))
                if answers[-1].status != 201:
                    break
            assert answers[-1].status == 507
            assert "cannot store" in answers[-1].json["message"]
            records = errors(caplog)
            assert [record.exc_info for record in records] == [None]
            assert "full" in records[0].getMessage()
            # What needs no room goes on.
            shown = server.client.good("GET", "/v3/devices?limit=1000").json["data"]
            assert len(shown) == len(answers) - 1
        assert server.device("afterwards").poll().status == 204


def test_campaigns_wait_for_room(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(tmp_path) as server:
        for number in range(300):
            server.device(f"device-{number}")
        manifest = server.client.upload_manifest(make_manifest(b"x", "http://127.0.0.1/x"))
        campaign = server.client.campaign(
            root_manifest_id=manifest["id"], device_filter=f"device_class__eq={CLASS}"
        )
        server.client.good("POST", f"/v3/update-campaigns/{campaign['id']}/start")
        with full(server):

            def stuck() -> bool:
                server.clock.advance(0.1)
                return bool(errors(caplog))

            wait_until(stuck, "no room for the devices of the campaign")
            failed = server.service.campaign_failures
            wait_until(lambda: server.service.campaign_failures > failed + 2, "more tries")
            assert [record.exc_info for record in errors(caplog)] == [None]
        server.go(campaign, "active")


def test_the_cause_is_told_when_the_transaction_is_gone(tmp_path: Path) -> None:
    """SQLite may undo the whole transaction, the savepoint with it."""
    database = Database(tmp_path / "x.sqlite3")

    def work(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(sqlite3.OperationalError, match="disk is full"):
        database.write_now(work)
    assert database.write_now(lambda c: c.execute("SELECT 1").fetchone()[0]) == 1
    database.close()


def test_mistakes_are_no_storage_problem() -> None:
    assert not is_storage_problem(sqlite3.OperationalError("no such column: x"))
    assert is_storage_problem(sqlite3.OperationalError("disk I/O error"))
    assert is_storage_problem(OSError(28, "No space left on device"))
    assert not is_storage_problem(ValueError("full"))
