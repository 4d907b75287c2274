"""What the local update server carries, against a plain static server in the same run.

First, many connections at once download the same payload: from our server, from Starlette's static
files on uvicorn (what our server is made of), and from Python's ``http.server``. They run in turn,
so that other load on the machine hits each of them. The bound is the throughput of static
files; the exit status is 1 when it is missed. Second, one campaign with as
many devices: each registers, waits for the manifest, downloads the payload and reports.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from fotabuild.formats.identity import Identity
from fotabuild.formats.manifest_v3 import ManifestV3, encode_signed
from fotabuild.formats.payload_format import PayloadFormat

BOUND = 1.0
VENDOR, CLASS = uuid.UUID(int=1), uuid.UUID(int=2)
_STATIC = """
import socket, sys, uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
app = Starlette(routes=[Mount("/", StaticFiles(directory="."))])
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
config = uvicorn.Config(app, http="h11", ws="none", log_config=None, backlog=4096)
uvicorn.Server(config).run([listener])
"""
_HTTP_SERVER = """
import http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 4096
with Server(("127.0.0.1", 0), Handler) as server:
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
"""


@dataclass(frozen=True)
class Target:
    """A server with the payload on it."""

    name: str
    url: str


@contextlib.contextmanager
def program(command: Sequence[str], folder: Path) -> Iterator[str]:
    """Run a server that prints its URL first; yield that."""
    process = subprocess.Popen(  # noqa: S603 - our own commands
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    try:
        if process.stdout is None or not (url := process.stdout.readline().strip()):
            raise RuntimeError(f"{command} did not start")
        yield url
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


class Connection:
    """One kept connection that makes requests one after the other."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()

    async def request(
        self, method: str, path: str, token: str | None = None, values: Any = None
    ) -> tuple[int, dict[str, str], int, bytes]:
        """Make a request; return status, headers, size of the body, and its first bytes."""
        if self._reader is None or self._writer is None:
            raise RuntimeError("not connected")
        body = b"" if values is None else json.dumps(values).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}:{self._port}"]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        size, first = int(headers.get("content-length", 0)), b""
        left = size
        while left:
            piece = await self._reader.read(min(left, 1 << 18))
            if not piece:
                raise ConnectionError("the answer was cut off")
            first = first or piece
            left -= len(piece)
        return int(head[0].split(" ")[1]), headers, size, first


async def download(url: str, clients: int, size: int) -> float:
    """Have many connections download a payload at once; return the seconds this took."""
    connections = [Connection(url) for _ in range(clients)]
    for start in range(0, clients, 100):
        await asyncio.gather(*(c.open() for c in connections[start : start + 100]))
    path = urlsplit(url).path
    begin = time.perf_counter()
    answers = await asyncio.gather(*(c.request("GET", path) for c in connections))
    seconds = time.perf_counter() - begin
    for connection in connections:
        connection.close()
    if any((status, length) != (200, size) for status, _, length, _ in answers):
        raise RuntimeError(f"{url}: wrong answers")
    return seconds


async def be_device(url: str, path: str, number: int, size: int, ready: asyncio.Semaphore) -> str:
    """Register, wait, download, report."""
    connection = Connection(url)
    async with ready:
        await connection.open()
        values = {
            "endpoint_name": f"device-{number}",
            "vendor_id": VENDOR.hex,
            "device_class": CLASS.hex,
            "firmware_checksum": "00" * 32,
            "firmware_version": "1.0.0",
        }
        # The token is in the first piece: the answer is short.
        _, _, _, body = await connection.request("POST", "/device/v1/register", values=values)
    token = json.loads(body)["token"]
    status = 204
    while status == 204:
        status, headers, _, _ = await connection.request("GET", "/device/v1/update?wait=60", token)
    _, _, got, _ = await connection.request("GET", path)
    event = "UPD4_OK_100" if (status, got) == (200, size) else "UPD4_FAIL_305"
    report = {"campaign": headers["fota-campaign"], "event": event}
    status, *_ = await connection.request("POST", "/device/v1/report", token, report)
    connection.close()
    return event if status == 204 else f"status {status}"


class Campaign:
    """The client's side of one campaign."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {key}"

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Make a request that must succeed."""
        answer = self._session.request(method, self._url + path, timeout=120, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def upload(self, payload: bytes) -> str:
        """Upload an image; return where it is."""
        form = {"data": {"name": "payload"}, "files": {"datafile": ("payload.bin", payload)}}
        return str(self.call("POST", "/v3/firmware-images", **form)["datafile"])

    def prepare(self, payload: bytes, url: str) -> str:
        """Upload a manifest and make a campaign; return its identifier."""
        manifest = ManifestV3(
            identity=Identity(VENDOR, CLASS),
            update_priority=0,
            component_name="MAIN",
            payload_version="1.1.0",
            payload_digest=hashlib.sha256(payload).digest(),
            payload_size=len(payload),
            payload_uri=url,
            payload_format=PayloadFormat.RAW_BINARY,
        )
        files = {"datafile": ("manifest.der", encode_signed(manifest, bytes(64)))}
        made = self.call("POST", "/v3/firmware-manifests", data={"name": "m"}, files=files)
        values = {
            "root_manifest_id": made["id"],
            "device_filter": f"vendor_id__eq={VENDOR.hex}&device_class__eq={CLASS.hex}",
        }
        return str(self.call("POST", "/v3/update-campaigns", json=values)["id"])

    def wait(self, identifier: str) -> dict[str, int]:
        """Wait until the campaign has stopped; return its numbers."""
        where = f"/v3/update-campaigns/{identifier}"
        while self.call("GET", where)["phase"] != "stopped":
            time.sleep(0.2)
        data = self.call("GET", f"{where}/statistics")["data"]
        return {entry["id"]: entry["count"] for entry in data}


async def run_campaign(
    campaign: Campaign, url: str, payload: bytes, devices: int
) -> dict[str, Any]:
    """Run one campaign with many devices; return its figures."""
    payload_url = campaign.upload(payload)
    identifier = campaign.prepare(payload, payload_url)
    path, ready = urlsplit(payload_url).path, asyncio.Semaphore(100)
    begin = time.perf_counter()
    tasks = [
        asyncio.create_task(be_device(url, path, number, len(payload), ready))
        for number in range(devices)
    ]
    while await asyncio.to_thread(_count_devices, campaign) < devices:
        await asyncio.sleep(0.1)
    registered = time.perf_counter()
    start = f"/v3/update-campaigns/{identifier}/start"
    await asyncio.to_thread(campaign.call, "POST", start)
    counts_task = asyncio.create_task(asyncio.to_thread(campaign.wait, identifier))
    events = await asyncio.gather(*tasks)
    reported = time.perf_counter()
    counts = await counts_task
    return {
        "devices": devices,
        "register_s": round(registered - begin, 2),
        "start_to_last_report_s": round(reported - registered, 2),
        "start_to_stopped_s": round(time.perf_counter() - registered, 2),
        "succeeded": events.count("UPD4_OK_100"),
        "counts": counts,
    }


def _count_devices(campaign: Campaign) -> int:
    found = campaign.call("GET", "/v3/devices?include=total_count&limit=2")
    return int(found["total_count"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=1000, help="connections and devices")
    parser.add_argument("--size", type=int, default=256 * 1024, help="bytes of the payload")
    parser.add_argument("--rounds", type=int, default=5, help="downloads from each server")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(arguments)
    _allow_files(4 * args.clients + 200)
    payload = random.Random(1).randbytes(args.size)  # noqa: S311 - any bytes do
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        (folder / "payload.bin").write_bytes(payload)
        serve = [sys.executable, "-m", "fotabuild", "-q", "serve", "--data", "data", "--port", "0"]
        ours = stack.enter_context(program(serve, folder))
        key = (folder / "data" / "access-key").read_text().strip()
        campaign = Campaign(ours, key)
        static = stack.enter_context(program([sys.executable, "-c", _STATIC], folder))
        plain = stack.enter_context(program([sys.executable, "-c", _HTTP_SERVER], folder))
        targets = [
            Target("fotabuild serve", campaign.upload(payload)),
            Target("static files", f"{static}/payload.bin"),
            Target("http.server", f"{plain}/payload.bin"),
        ]
        rates = measure(targets, args.clients, args.size, args.rounds)
        run = asyncio.run(run_campaign(campaign, ours, payload, args.clients))
    ratio = rates["fotabuild serve"] / rates["static files"]
    met = ratio >= BOUND and run["succeeded"] == args.clients
    figures = {
        "clients": args.clients,
        "size": args.size,
        "rounds": args.rounds,
        "cpus": os.cpu_count(),
        "mib_per_s": {name: round(rate, 1) for name, rate in rates.items()},
        "ratio_to_static_files": round(ratio, 2),
        "ratio_to_http_server": round(rates["fotabuild serve"] / rates["http.server"], 2),
        "campaign": run,
        "met": met,
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n" if args.json else to_text(figures))
    return 0 if met else 1


def measure(targets: Sequence[Target], clients: int, size: int, rounds: int) -> dict[str, float]:
    """Return the median throughput of each server in MiB a second, after a round that warms up."""
    seconds: dict[str, list[float]] = {target.name: [] for target in targets}
    for number in range(rounds + 1):
        for target in targets:
            taken = asyncio.run(download(target.url, clients, size))
            if number:
                seconds[target.name].append(taken)
    total = clients * size / 1024 / 1024
    return {name: total / statistics.median(taken) for name, taken in seconds.items()}


def _allow_files(wanted: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(wanted, 1024), hard), hard))


def to_text(figures: dict[str, Any]) -> str:
    """Return the figures for people."""
    run, rates = figures["campaign"], figures["mib_per_s"]
    lines = [
        f"{figures['clients']} connections at once, {figures['size']} bytes each,"
        f" median of {figures['rounds']} rounds, {figures['cpus']} CPUs",
        *(f"  {name:<16} {rate:>8} MiB/s" for name, rate in rates.items()),
        f"  ours to static files {figures['ratio_to_static_files']}, bound {BOUND};"
        f" to http.server {figures['ratio_to_http_server']}",
        f"one campaign, {run['devices']} devices: {run['succeeded']} succeeded",
        f"  registered in {run['register_s']} s; from start to the last report"
        f" {run['start_to_last_report_s']} s, to stopped {run['start_to_stopped_s']} s",
        f"  {'met' if figures['met'] else 'MISSED'}",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
