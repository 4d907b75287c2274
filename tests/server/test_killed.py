"""Killed at any moment, the server loses nothing that it acknowledged."""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..conftest import ROOT
from .harness import Client, content_md5, make_form, make_manifest, registration
from .program import Program, start

KILLS = 12
JOBS = "/v3/firmware-images/upload-jobs"


@dataclass
class Worker:
    """Does one thing after the other until the server is gone, and notes what was acknowledged."""

    client: Client
    random: random.Random
    images: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    devices: dict[str, str] = field(default_factory=dict)
    chunks: dict[str, list[bytes]] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)

    def run(self) -> None:
        actions: list[Callable[[], None]] = [
            self.upload, self.upload, self.delete, self.upload_manifest, self.register, self.chunk,
        ]  # fmt: skip
        try:
            while True:
                self.random.choice(actions)()
        except (OSError, http.client.HTTPException, ValueError):
            return  # The server is gone; what had no answer may have happened or not.

    def upload(self) -> None:
        # Few different contents, so that several images share one file.
        data = bytes([self.random.randrange(4)]) * self.random.choice([0, 10, 70_000, 300_000])
        body, kind = make_form({"name": "x"}, {"datafile": ("f.bin", data)})
        answer = self.client("POST", "/v3/firmware-images", body, {"Content-Type": kind})
        assert answer.status == 201, answer.body
        self.images[answer.json["id"]] = data

    def delete(self) -> None:
        if not self.images:
            return
        identifier = self.random.choice(list(self.images))
        self.images.pop(identifier)
        self.unsure.add(identifier)
        answer = self.client("DELETE", f"/v3/firmware-images/{identifier}")
        assert answer.status == 204
        self.unsure.discard(identifier)
        self.deleted.add(identifier)

    def upload_manifest(self) -> None:
        data = make_manifest(self.random.randbytes(10), "http://127.0.0.1/x")
        found = self.client.upload_manifest(data)
        self.manifests[found["id"]] = data

    def register(self) -> None:
        name = self.random.randbytes(8).hex()
        answer = self.client("POST", "/device/v1/register", values=registration(name))
        assert answer.status == 201
        self.devices[answer.json["id"]] = answer.json["token"]

    def chunk(self) -> None:
        if not self.chunks:
            job = self.client("POST", JOBS, values={"name": self.random.randbytes(8).hex()})
            self.chunks[job.json["id"]] = []
        job_id = self.random.choice(list(self.chunks))
        data = self.random.randbytes(50_000)
        headers = {"Content-Type": "binary/octet-stream", "Content-MD5": content_md5(data)}
        answer = self.client("POST", f"{JOBS}/{job_id}/chunks", data, headers)
        assert answer.status == 201
        self.chunks[job_id].append(data)

    def check(self, client: Client) -> int:
        """Check that everything acknowledged is there; return how much that is."""
        for identifier, data in self.images.items():
            image = client.good("GET", f"/v3/firmware-images/{identifier}").json
            assert client("GET", image["short_datafile"]).body == data
        for identifier in self.deleted:
            assert client("GET", f"/v3/firmware-images/{identifier}").status == 404
        for identifier, data in self.manifests.items():
            manifest = client.good("GET", f"/v3/firmware-manifests/{identifier}").json
            assert client("GET", "/" + manifest["datafile"].split("/", 3)[3]).body == data
        for token in self.devices.values():
            assert Client(client.port, token)("GET", "/device/v1/update").status == 204
        for job_id, pieces in self.chunks.items():
            listed = client.good("GET", f"{JOBS}/{job_id}/chunks?limit=1000").json["data"]
            hashes = [chunk["hash"] for chunk in listed]
            assert hashes[: len(pieces)] == [content_md5(piece) for piece in pieces]
            assert len(hashes) <= len(pieces) + 1
        done = (self.images, self.deleted, self.manifests, self.devices, self.chunks)
        return sum(map(len, done))


def restart(folder: Path) -> Program:
    return start(folder)


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, figure: Any) -> None:
    folder = tmp_path / "data"
    seed = random.Random(20)
    workers: list[Worker] = []
    program = start(folder)
    key = program.key
    for number in range(KILLS):
        client = Client(program.port, key)
        crew = [Worker(client, random.Random(seed.random())) for _ in range(3)]
        threads = [threading.Thread(target=worker.run) for worker in crew]
        for thread in threads:
            thread.start()
        # A different moment each time; what the server does then is up to its threads.
        time.sleep(0.05 + 0.4 * number / KILLS)
        program.kill()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        workers += crew
        program = restart(folder)
        assert program.key == key
        for worker in crew:
            worker.check(Client(program.port, key))
        _check_files(folder, Client(program.port, key))
    checked = sum(worker.check(Client(program.port, key)) for worker in workers)
    assert checked > KILLS
    assert program.stop() == 0
    figure(f"kill -9 of the server: 0 of {checked} acknowledged requests lost in {KILLS} kills")


def _check_files(folder: Path, client: Client) -> None:
    """No left-overs: every file is one that a row refers to, whole, and nothing half received."""
    assert list((folder / "incoming").iterdir()) == []
    wanted = {image["datafile_checksum"] for image in _all(client, "/v3/firmware-images")}
    for job in _all(client, JOBS):
        wanted.add(job["id"])
    for path in (folder / "blobs").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    found = {path.name for path in (folder / "blobs").iterdir()}
    assert {name for name in wanted if len(name) == 64} <= found


def _all(client: Client, path: str) -> list[Any]:
    items: list[Any] = []
    after = ""
    while True:
        page = client.good("GET", f"{path}?limit=1000&after={after}").json
        items += page["data"]
        if not page["has_more"]:
            return items
        after = page["data"][-1]["id"]


def test_ended_at_every_operation(tmp_path: Path, figure: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"{__package__}.kill_points", tmp_path],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["bad"] == []
    assert result["points"] > 40
    figure(f"server ended at every operation: 0 of {result['points']} with something lost")


def test_a_server_that_was_killed_while_it_started_first(tmp_path: Path) -> None:
    """At every moment of its first start: the next one works, with one key in its file."""
    for number in range(5):
        folder = tmp_path / str(number)
        process = subprocess.Popen(
            [sys.executable, "-m", "fotabuild", "serve", "--data", folder, "--port", "0"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(0.25 + 0.12 * number)
        process.kill()
        process.wait(30)
        program = start(folder)
        try:
            assert program.client("GET", "/v3/api-keys/me").status == 200
            assert (folder / "access-key").stat().st_mode & 0o777 == 0o600
        finally:
            assert program.stop() == 0
