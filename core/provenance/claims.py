"""What somebody says about a build that its files do not show."""

from __future__ import annotations

from dataclasses import dataclass

from fotabuild.provenance.statement import Material


@dataclass(frozen=True)
class Claims:
    """Who made a build, and from what.

    Attributes:
        builder: URI of who ran it.
        invocation: name of the run.
        sources: commits, with where they can be had.
        files: files that the build read.
    """

    builder: str | None = None
    invocation: str | None = None
    sources: tuple[Material, ...] = ()
    files: tuple[Material, ...] = ()

    def completed(self, earlier: Claims) -> Claims:
        """Return these, and those of ``earlier`` about what these say nothing of."""
        return Claims(
            self.builder or earlier.builder,
            self.invocation or earlier.invocation,
            self.sources or earlier.sources,
            self.files or earlier.files,
        )

    def lacking(self, earlier: Claims) -> tuple[str, ...]:
        """Return the options of the command line for what ``earlier`` says and these do not."""
        return tuple(
            option
            for option, ours, theirs in (
                ("--builder-id", self.builder, earlier.builder),
                ("--invocation-id", self.invocation, earlier.invocation),
                ("--source", self.sources, earlier.sources),
                ("--material", self.files, earlier.files),
            )
            if theirs and not ours
        )
