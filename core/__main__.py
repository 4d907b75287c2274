"""Run the command line as ``python -m fotabuild``."""

import sys

from fotabuild.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
