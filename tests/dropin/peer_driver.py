"""Runs in the environment of manifest-tool 2.6.2: calls its programs, one request a line.

A request is JSON, ``{"tool", "argv", "cwd"}``; the answer is ``{"status", "output"}``. Its own
output goes to a file, also that of its native code.
"""

import importlib
import json
import os
import sys
import tempfile

MODULES = {
    "manifest-tool": "manifesttool.mtool.mtool",
    "manifest-delta-tool": "manifesttool.delta_tool.delta_tool",
    "manifest-package-tool": "manifesttool.package_tool.package_tool",
    "manifest-dev-tool": "manifesttool.dev_tool.dev_tool",
}


def main() -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    with tempfile.TemporaryFile() as capture:
        os.dup2(capture.fileno(), 1)
        os.dup2(capture.fileno(), 2)
        for line in sys.stdin:
            request = json.loads(line)
            os.chdir(request["cwd"])
            capture.seek(0)
            capture.truncate()
            try:
                entry_point = importlib.import_module(MODULES[request["tool"]]).entry_point
                status = entry_point(request["argv"])
            except SystemExit as stop:
                status = stop.code
            except Exception as error:
                sys.stdout.write(f"{error!r}\n")
                status = 1
            sys.stdout.flush()
            sys.stderr.flush()
            capture.seek(0)
            output = capture.read().decode("utf-8", "replace")
            answers.write(json.dumps({"status": status or 0, "output": output}) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
