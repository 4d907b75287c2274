"""``cli.md`` and the overview in the README, from the parser of the command line."""

from __future__ import annotations

import argparse
import os
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

from fotabuild.cli.main import make_parser
from fotabuild.cli.parser import PROGRAM_OPTIONS
from fotabuild.errors import ExitStatus

from .markdown import NOTE, sentence, table

_README_COLUMNS = 88
_SYNOPSIS_COLUMNS = 88
_STATUSES = {
    ExitStatus.OK: "Done.",
    ExitStatus.FAILED: "Failed: a file, a setting, a key or an input cannot be used.",
    ExitStatus.USAGE: "Wrong usage: an unknown option, a missing argument.",
    ExitStatus.VERIFICATION_FAILED: "A device would refuse the artifact that was checked, or that "
    "was about to be written.",
    ExitStatus.SERVICE: "The service cannot be reached, refused something, or holds something "
    "that could not be removed.",
    ExitStatus.CAMPAIGN: "The campaign was no success: devices failed, or it ended early.",
    ExitStatus.NO_DEVICE: "No device matched, so that nothing was updated.",
    ExitStatus.TIMED_OUT: "The campaign was not over in the time of `--timeout`.",
    ExitStatus.INTERRUPTED: "Interrupted by Ctrl-C.",
    ExitStatus.TERMINATED: "Ended by SIGTERM, after cleaning up.",
}
*_FIRST, _LAST = (f"`{names[-1]}`" for names, _ in PROGRAM_OPTIONS)
_INTRODUCTION = """\
# Command line

`fotabuild [OPTIONS] COMMAND ...`, or `python -m fotabuild` with the same arguments. Results go to
stdout, everything for people to stderr, so that pipes and variables get results only. Settings that
options override stand in [config.md](config.md).

"""
_AFTER_STATUSES = """
On failure no incomplete file stands under its final name; files of steps that were finished before
stay. What shows in advance ends `build` before its first output: an input that is not there, a key
that cannot be opened or is not that of the certificate, an extra that is not installed. With
`--dry-run` it ends in the same way, but reads no private key. Dry runs of commands that make a
single artifact look at no input: build systems describe what is not there yet with them.

The last line on stderr is `error: ... [FBnnnn]`, see [errors.md](errors.md); arguments that
do not parse are reported with the usage instead.

With `--json` stdout gets one object with `schema_version`; `upload` prints one per event, each on a
line, the result last. On failure it holds `error.code` and
`error.message`; `manifest verify` prints its results then, too.
"""


def overview() -> str:
    """Return what ``fotabuild --help`` prints."""
    with _columns(_README_COLUMNS):
        return make_parser().format_help()


def page() -> str:
    """Return the page."""
    statuses = [(str(int(status)), _STATUSES[status]) for status in ExitStatus]
    parts = [NOTE, _INTRODUCTION, "## Exit statuses\n\n"]
    parts += [table(("status", "meaning"), statuses), _AFTER_STATUSES]
    with _columns(10_000):
        parts += _command(make_parser(), 2)
    return "".join(parts)


def _command(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    """Yield the section of a command and those of its verbs."""
    is_command = level > 2
    heading = f"`{parser.prog}`" if is_command else "Options of the whole program"
    yield f"\n{'#' * level} {heading}\n\n"
    if not is_command:
        yield f"{', '.join(_FIRST)} and {_LAST} may also stand anywhere behind the command.\n\n"
    elif parser.description:
        yield f"{sentence(parser.description)}\n\n"
    yield f"```text\n{_synopsis(parser, whole=not is_command)}\n```\n"
    rows = [
        (f"`{_invocation(action)}`", _meaning(parser, action))
        for action in parser._actions
        if not isinstance(action, (argparse._HelpAction, argparse._SubParsersAction))
        and not (is_command and _is_of_program(action))
    ]
    if rows:
        yield "\n"
        yield table(("argument", "meaning"), rows)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from _command(child, level + 1)


def _is_of_program(action: argparse.Action) -> bool:
    """Whether an option of a command is one that every command has."""
    return any(set(action.option_strings) == set(names) for names, _ in PROGRAM_OPTIONS)


def _synopsis(parser: argparse.ArgumentParser, *, whole: bool) -> str:
    """Return the usage, cut into lines here because each Python cuts it differently.

    Args:
        parser: of the program or a command.
        whole: with the options that every command has.
    """
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    if not whole:
        usage = usage.replace("".join(f" [{names[0]}]" for names, _ in PROGRAM_OPTIONS), "")
    together = re.sub(r"\[[^]]*\]|-\S+ [A-Z]+", lambda found: found[0].replace(" ", "\0"), usage)
    lines = textwrap.wrap(
        together,
        _SYNOPSIS_COLUMNS,
        subsequent_indent="    ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    return "\n".join(lines).replace("\0", " ")


def _invocation(action: argparse.Action) -> str:
    choices = "{" + ",".join(action.choices) + "}" if action.choices else ""
    if not action.option_strings:
        return choices or str(action.metavar or action.dest)
    names = ", ".join(action.option_strings)
    value = choices or action.metavar or action.dest.upper()
    return names if action.nargs == 0 else f"{names} {value}"


def _meaning(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = (action.help or "") % {"default": action.default}
    for group in parser._mutually_exclusive_groups:
        if action in group._group_actions:
            others = (other for other in group._group_actions if other is not action)
            text += f"; not with `{'`, `'.join(other.option_strings[-1] for other in others)}`"
    return sentence(f"required: {text}" if action.required and action.option_strings else text)


@contextmanager
def _columns(width: int) -> Iterator[None]:
    """Let argparse format for a terminal of this width, without colours."""
    before = dict(os.environ)
    os.environ.update(COLUMNS=str(width), NO_COLOR="1")
    os.environ.pop("FORCE_COLOR", None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
