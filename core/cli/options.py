"""Options that several commands share, and how they become a configuration."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fotabuild.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from fotabuild.config.loader import LoadedConfig
    from fotabuild.matrix.run import Workforce

#: What ``add_subparsers`` returns; argparse does not export its class.
Subparsers = Any
_CONFIG_NAME = "fotabuild.yaml"
#: The values of fotabuild.delta.effort.Effort, which --help must not import.
EFFORTS = ("fast", "balanced", "best", "max")


def utf8_text(value: str) -> str:
    """Return the value of an option whose text gets into outputs: a type for argparse.

    Raises:
        argparse.ArgumentTypeError: it is not UTF-8; Python has it all the same, as it has names of
            files.
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("this text is not UTF-8") from None
    return value


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose and override the configuration."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="YAML",
        help=f"project configuration (default: {_CONFIG_NAME}, here or in a folder above)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="override a setting, such as --set priority=3; may be repeated",
    )
    parser.add_argument(
        "--profile",
        choices=("default", "none"),
        help="none: enforce no features and limits of devices; for people who know theirs",
    )
    parser.add_argument(
        "--build-setting",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="like --set, with the rank of a build system: weaker than the environment",
    )


def add_signing(parser: argparse.ArgumentParser) -> None:
    """Add the options for key and certificate."""
    parser.add_argument(
        "-k",
        "--key",
        metavar="KEY",
        help="private key that signs: a PEM file, a pkcs11: or awskms: URI, or what the "
        "signing tool calls it",
    )
    parser.add_argument(
        "--update-certificate", metavar="CERT", help="certificate that the key must match"
    )
    parser.add_argument(
        "--passphrase",
        metavar="SOURCE",
        help="where passphrase or PIN come from: env:NAME, fd:NUMBER or prompt",
    )
    parser.add_argument(
        "--signing-tool", metavar="PROGRAM", help="external program that signs with that key"
    )


def add_workforce(parser: argparse.ArgumentParser, jobs: int = 0) -> None:
    """Add the options that say who makes deltas.

    Args:
        parser: of the command.
        jobs: processes by default; 0 for one per processor.
    """
    parser.add_argument(
        "-j",
        "--jobs",
        type=int,
        default=jobs,
        metavar="N",
        help=f"processes that make deltas (default: {jobs or 'one per processor'})",
    )
    parser.add_argument(
        "--memory",
        type=int,
        default=0,
        metavar="MB",
        help="memory for them together (default: half of what is free)",
    )
    parser.add_argument(
        "--scheduler",
        metavar="URL",
        help="make the deltas on a Dask cluster: address of its scheduler, such as tcp://host:8786",
    )
    parser.add_argument(
        "--patience",
        type=int,
        default=300,
        metavar="SECONDS",
        help="how long to wait for a cluster that makes no patch: its scheduler is lost, or no "
        "worker has one of ours (default: %(default)s)",
    )


def workforce_from(args: argparse.Namespace) -> Workforce:
    """Return who makes deltas, from the options of :func:`add_workforce`."""
    from fotabuild.matrix.run import Workforce

    for name, least in (("jobs", 0), ("memory", 0), ("patience", 1)):
        if getattr(args, name) < least:
            raise UsageError(f"--{name} must be {least} or more")
    return Workforce(args.jobs, args.memory << 20, args.scheduler, float(args.patience))


def add_dry_run(parser: argparse.ArgumentParser) -> None:
    """Add ``--dry-run``."""
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and write nothing"
    )


def read_config(args: argparse.Namespace, **extra: str | None) -> LoadedConfig:
    """Load the configuration that the options of a command describe.

    Args:
        args: parsed options, of :func:`add_config` and perhaps :func:`add_signing`.
        extra: further settings by name, dots as double underscores; None means not given.
    """
    from fotabuild.config.loader import load_config

    options = _settings("--set", args.set)
    build_system = _settings("--build-setting", args.build_setting)
    extra = {
        "device__profile": args.profile,
        "credentials__key": getattr(args, "key", None),
        "credentials__certificate": getattr(args, "update_certificate", None),
        "credentials__passphrase": getattr(args, "passphrase", None),
        "credentials__signing_tool": getattr(args, "signing_tool", None),
        **extra,
    }
    for name, given in extra.items():
        if given is not None:
            options[name.replace("__", ".").replace("_", "-")] = given
    return load_config(args.config or find_config(), options=options, build_system=build_system)


def _settings(option: str, texts: list[str]) -> dict[str, object]:
    settings: dict[str, object] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise UsageError(f"{option} needs NAME=VALUE, not {text!r}")
        settings[name] = value
    return settings


def find_config() -> Path:
    """Return the ``fotabuild.yaml`` of this folder or the nearest one above.

    Raises:
        ConfigError: there is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / _CONFIG_NAME).is_file():
            return folder / _CONFIG_NAME
    raise ConfigError(
        f"there is no {_CONFIG_NAME} here or in a folder above",
        remedy="make one with 'fotabuild init', or give --config",
    )
