"""Run the command line as ``python -m fotabuild``."""

from fotabuild.cli.start import run

if __name__ == "__main__":
    run()
