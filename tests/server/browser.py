"""Chromium without a window, driven by its own driver over the WebDriver protocol."""

from __future__ import annotations

import base64
import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_PATIENCE = 60


@dataclass
class Browser:
    """One browser with an empty profile."""

    port: int
    session: str = ""

    def call(self, method: str, path: str, values: Any = None) -> Any:
        """Send a command and return its value."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        prefix = f"/session/{self.session}" if self.session else ""
        body = None if method in ("GET", "DELETE") else json.dumps(values or {}).encode()
        try:
            connection.request(method, prefix + path, body, {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(answer, dict) and "error" in answer:
            raise AssertionError(f"{method} {path}: {answer['message'][:500]}")
        return answer

    def open(self, url: str) -> None:
        """Go to a page."""
        self.call("POST", "/url", {"url": url})

    @property
    def url(self) -> str:
        """Where it is."""
        found = self.call("GET", "/url")
        assert isinstance(found, str)
        return found

    def find(self, css: str) -> str:
        """Return an element."""
        found = self.call("POST", "/element", {"using": "css selector", "value": css})
        assert isinstance(found, dict)
        return str(found[_ELEMENT])

    def click(self, css: str) -> None:
        """Click on an element."""
        self.call("POST", f"/element/{self.find(css)}/click")

    def type(self, css: str, text: str) -> None:
        """Type into an element."""
        self.call("POST", f"/element/{self.find(css)}/value", {"text": text})

    def text(self, css: str = "main") -> str:
        """Return what people read of an element."""
        return str(self.call("GET", f"/element/{self.find(css)}/text"))

    def run(self, script: str) -> Any:
        """Run a script in the page."""
        return self.call("POST", "/execute/sync", {"script": script, "args": []})

    def screenshot(self, path: Path) -> bytes:
        """Write what it shows to a file; return its bytes."""
        data = base64.b64decode(self.call("GET", "/screenshot"))
        path.write_bytes(data)
        return data

    def log(self) -> list[str]:
        """Return what went wrong in the pages since the last call."""
        entries = self.call("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries]


@contextmanager
def browsing(*, dark: bool = False, script: bool = True) -> Iterator[Browser]:
    """Run a browser until the end of the block.

    Args:
        dark: people prefer dark pages.
        script: pages may run scripts.
    """
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    assert driver is not None
    process = subprocess.Popen(
        [driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )
    try:
        assert process.stdout is not None
        port = None
        while port is None:
            line = process.stdout.readline()
            assert line, "the driver ended"
            found = re.search(r"on port (\d+)\.$", line.strip())
            port = found and int(found[1])
        browser = Browser(port)
        options = {
            "binary": chromium,
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--hide-scrollbars", "--window-size=1100,900", "--no-proxy-server",
                *(["--blink-settings=preferredColorScheme=0"] if dark else []),
            ],
            "prefs": {} if script else {"profile.managed_default_content_settings.javascript": 2},
        }  # fmt: skip
        capabilities = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        answer = browser.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        browser.session = answer["sessionId"]
        try:
            yield browser
        finally:
            browser.call("DELETE", "")
    finally:
        process.terminate()
        process.wait(_PATIENCE)
        if process.stdout is not None:
            process.stdout.close()
