"""Chromium without a window, for a look at a page."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

# No call home: a page of ours must not need a network, and neither must its tests.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def look(page: Path, *flags: str) -> str:
    """Open a file and return what Chromium prints."""
    chromium = shutil.which("chromium")
    assert chromium is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        done = subprocess.run(
            [chromium, *_FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()],
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=True,
        )
    return done.stdout


def dom(page: Path) -> str:
    """Return the document as the browser understood it."""
    return look(page, "--dump-dom")


def screenshot(page: Path, picture: Path, *, width: int = 1100, dark: bool = False) -> bytes:
    """Return a PNG of the page."""
    dark_flag = ["--blink-settings=preferredColorScheme=0"] if dark else []
    look(page, f"--screenshot={picture}", f"--window-size={width},1400", *dark_flag)
    return picture.read_bytes()


def print_pages(page: Path, document: Path) -> bytes:
    """Return the page as printed: a PDF."""
    look(page, f"--print-to-pdf={document}", "--no-pdf-header-footer")
    return document.read_bytes()
