"""Which releases deserve a delta."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fotabuild.errors import ImportListError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.releases.release import Entry, Release
from fotabuild.releases.table import read_table


@dataclass(frozen=True)
class Selection:
    """Conditions for a delta; a release must meet all that are given.

    Attributes:
        last: it is one of so many newest.
        since: its version is this or a later one.
        until: its version is this or an earlier one.
        min_share: so many per cent of the devices have it.
    """

    last: int | None = None
    since: FirmwareVersion | None = None
    until: FirmwareVersion | None = None
    min_share: float | None = None


@dataclass(frozen=True)
class Chosen:
    """A release in the field, with the reason why it gets no delta, if it gets none."""

    release: Release
    reason: str | None = None


def select(
    entries: Sequence[Entry],
    component: str,
    newer: FirmwareVersion | None,
    selection: Selection,
    shares: Mapping[FirmwareVersion, float] | None = None,
) -> tuple[Chosen, ...]:
    """Return the releases of a component that are in the field, oldest first.

    Args:
        entries: all of the store.
        component: the component that is built.
        newer: the version that is built; releases that are not older do not count as the last.
        selection: which of them get a delta.
        shares: per cent of devices by version; a version that is absent has none.
    """
    mine = sorted(
        (e.release for e in entries if e.release.component == component and e.retired is None),
        key=lambda release: release.number,
    )
    older = [release for release in mine if newer is None or release.number < newer]
    last = older if selection.last is None else older[max(0, len(older) - selection.last) :]
    return tuple(Chosen(r, _reason(r, r in last or r not in older, selection, shares or {}))
                 for r in mine)  # fmt: skip


def _reason(
    release: Release,
    is_last: bool,
    selection: Selection,
    shares: Mapping[FirmwareVersion, float],
) -> str | None:
    number = release.number
    if not release.takes_patches:
        return "its image has no patch decoder"
    if not is_last:
        return f"not among the last {selection.last} releases"
    if selection.since is not None and number < selection.since:
        return f"older than {selection.since}"
    if selection.until is not None and number > selection.until:
        return f"newer than {selection.until}"
    share = shares.get(number, 0.0)
    if selection.min_share is not None and share < selection.min_share:
        return f"on {share:.3g} % of the devices, less than {selection.min_share:g} %"
    return None


def read_shares(data: bytes) -> dict[FirmwareVersion, float]:
    """Return per cent of devices by version, from a CSV with ``version`` and ``devices`` or
    ``share``.

    Counts of devices become shares of their sum.

    Raises:
        ImportListError: with the line at fault.
    """  # noqa: D205
    rows = read_table(data, required=("version",))
    column = "devices" if rows and "devices" in rows[0].columns else "share"
    shares: dict[FirmwareVersion, float] = {}
    for row in rows:
        version = row.version("version")
        if version in shares:
            raise ImportListError(f"{version} stands twice", line=row.line)
        shares[version] = row.number(column)
    if column == "devices":
        total = sum(shares.values())
        return {v: 100 * count / total if total else 0.0 for v, count in shares.items()}
    if sum(shares.values()) > 100.5:
        raise ImportListError(
            f"the shares add up to {sum(shares.values()):.4g} %",
            remedy="give per cent, or name the column 'devices' for counts",
        )
    return shares
