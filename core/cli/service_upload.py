"""``fotabuild upload`` to a service: who gets what, build what is missing, run the campaigns."""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from fotabuild.cli.commands.build import build_from
from fotabuild.cli.output import Output, counted
from fotabuild.cli.upload_events import Reporter
from fotabuild.cli.upload_plan import (
    Candidate,
    candidates,
    choose,
    manifest_maker,
    plan_for_service,
    schema_to_send,
)
from fotabuild.cli.upload_result import to_text, to_values, verdict
from fotabuild.config.loader import LoadedConfig
from fotabuild.config.model import ManifestFormat
from fotabuild.digest import sha256
from fotabuild.errors import (
    ExitStatus,
    JournalError,
    LeftoverError,
    NoDeviceError,
    ServiceError,
    UsageError,
)
from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.publish import journal as journals
from fotabuild.publish.access_key import read_access_key
from fotabuild.publish.address import ServiceAddress
from fotabuild.publish.connect import connect
from fotabuild.publish.events import Note
from fotabuild.publish.grouping import FULL, Group, group_devices
from fotabuild.publish.journal import Journal
from fotabuild.publish.names import artifacts_of, device_filter
from fotabuild.publish.outcome import Outcome
from fotabuild.publish.run import publish_updates
from fotabuild.publish.service import Service
from fotabuild.publish.updates import Cleanup, Publication, RunOptions, Update
from fotabuild.publish.watch import CampaignResult
from fotabuild.steps.step import Step


def open_service(url: str, key_source: str | None, report: Reporter) -> Service:
    """Connect to a service.

    Raises:
        DestinationError: the URL cannot be used.
        NoAccessKeyError: there is no access key.
    """
    return connect(
        ServiceAddress.parse(url),
        read_access_key(key_source),
        on_retry=lambda why: report(Note(f"trying again: {why}", warning=True)),
    )


class ServiceUpload:
    """One upload.

    Args:
        args: the parsed options.
        output: where to print.
        config: the project.
        url: the service.
    """

    def __init__(
        self, args: argparse.Namespace, output: Output, config: LoadedConfig, url: str
    ) -> None:
        self._args = args
        self._output = output
        self._config = config
        self._url = ServiceAddress.parse(url).url

    def run(self, details: dict[str, Any], resumed: Journal | None) -> int:
        """Do it.

        Args:
            details: goes into a new journal, for ``--resume``.
            resumed: the journal of the run to go on with.
        """
        if self._args.wait and self._args.start and not self._args.timeout and "CI" in os.environ:
            self._output.warn("no --timeout: this job waits as long as the campaign takes")
        with Reporter(self._output) as report:
            publication = self._publish(report, details, resumed)
        if publication is None:
            return ExitStatus.OK  # A rehearsal, which has told what would be sent.
        self._output.result(to_values(publication), to_text(publication))
        error = verdict(publication.results)
        if error is None and publication.left and self._args.strict_cleanup:
            error = LeftoverError(
                f"{len(publication.left)} objects are left on the service",
                remedy=f"'fotabuild cleanup {publication.run}' tries again",
            )
        if error is None:
            return ExitStatus.OK
        self._output.fail(error)
        return error.exit_status

    def _publish(
        self, report: Reporter, details: dict[str, Any], resumed: Journal | None
    ) -> Publication | None:
        source = self._config.project.publish.access_key
        with closing(open_service(self._url, source, report)) as service:
            return self._publish_to(service, report, details, resumed)

    def _publish_to(
        self, service: Service, report: Reporter, details: dict[str, Any], resumed: Journal | None
    ) -> Publication | None:
        args = self._args
        if resumed is not None and resumed.results is not None:
            return publish_updates(service, resumed, [], self._options(), report)
        schema = self._schema()
        plan = plan_for_service(self._config, build_from(args, self._config))
        service.check_key()
        found = choose(
            candidates(plan, schema),
            full=args.full,
            package=args.package,
            delta_from=args.delta_from,
            encrypt=args.encrypt,
        )
        groups = self._groups_of(resumed) or self._groups(service, found, report)
        by_key = {candidate.key: candidate for candidate in found}
        if not groups:
            done = CampaignResult(FULL, "", Outcome.NOTHING_TO_DO)
            return Publication("", (done,))
        if args.dry_run:
            self._rehearse(groups, report)
            return None
        chosen = [by_key[artifacts_of(group.key)] for group in groups]
        self._build(chosen, report)
        updates = [
            self._update(candidate, group, report)
            for candidate, group in zip(chosen, groups, strict=True)
        ]
        journal = resumed or journals.begin(journal_folder(self._config), self._url, details)
        try:
            self._settle(journal, groups, updates)
            return publish_updates(service, journal, updates, self._options(), report)
        finally:
            journal.close()

    def _rehearse(self, groups: Sequence[Group], report: Reporter) -> None:
        wanted = [{"key": group.key, "device_filter": self._filter(group)} for group in groups]
        for one in wanted:
            report(Note(f"would send {one['key']} to {one['device_filter']}"))
        self._output.result({"event": "result", "dry-run": True, "campaigns": wanted}, "")

    def _schema(self) -> ManifestFormat:
        args = self._args
        schema = schema_to_send(self._config, args.manifest)
        if schema is ManifestFormat.V1 and (args.encrypt or args.short_url or args.package):
            raise UsageError("v1 manifests know no encryption, no short URL and no packages")
        return schema

    def _options(self) -> RunOptions:
        args = self._args
        cleanup = Cleanup.ON_SUCCESS if args.keep_failed else Cleanup.ALWAYS
        return RunOptions(
            prefix=args.campaign_name,
            description=args.description,
            start=args.start,
            wait=args.wait,
            timeout=args.timeout,
            approval=args.approval,
            start_at=args.start_at,
            cleanup=cleanup if args.cleanup else Cleanup.NEVER,
        )

    def _groups(
        self, service: Service, found: Sequence[Candidate], report: Reporter
    ) -> list[Group]:
        """Ask which devices there are, and give each group its payload."""
        args = self._args
        payloads = [candidate.payload() for candidate in found]
        whole = next((p for p in payloads if p.precursor is None), None)
        asked = device_filter(self._config.identity, args.device_id)
        if not args.preflight:
            return [_everyone(payloads)]
        try:
            devices = list(service.devices(asked))
        except ServiceError as error:
            if error.status not in (400, 403, 404, 405):
                raise
            report(Note(f"the devices cannot be listed ({error.status}): no grouping", True))
            return [_everyone(payloads)]
        if not devices:
            raise NoDeviceError(
                f"no device matches {asked}",
                remedy="compare vendor and class with those of the devices, or give "
                "--no-preflight to make the campaign all the same",
            )
        image = self._image_digest(found)
        grouping = group_devices(devices, payloads, image)
        report(Note(f"{counted(len(devices), 'device')} found, {grouping.up_to_date} up to date"))
        for group in grouping.groups:
            report(Note(f"{group.key}: {counted(group.devices, 'device')}"))
        if grouping.silent:
            report(
                Note(
                    f"{counted(grouping.silent, 'device')} not registered now; the campaign waits "
                    "for them (--device-id names those that count)",
                    True,
                )
            )
        if not grouping.groups and grouping.up_to_date < len(devices):
            raise NoDeviceError(
                "no device runs the image that the delta starts from",
                remedy="send the full image" if whole is None else None,
            )
        return list(grouping.groups)

    def _groups_of(self, journal: Journal | None) -> list[Group]:
        if journal is None or journal.plan is None:
            return []
        return [
            Group(
                one["key"],
                0,
                tuple(one["device-ids"]),
                tuple(one["checksums"]),
                tuple(one["excluded"]),
            )
            for one in journal.plan["groups"]
        ]

    def _settle(self, journal: Journal, groups: Sequence[Group], updates: Sequence[Update]) -> None:
        """Write down who gets what; on a resumed run make sure that it is still the same."""
        plan = {
            "groups": [
                {
                    "key": group.key,
                    "device-ids": list(group.device_ids),
                    "checksums": list(group.checksums),
                    "excluded": list(group.excluded),
                    "sha256": update.digest,
                }
                for group, update in zip(groups, updates, strict=True)
            ]
        }
        if journal.plan is None:
            journal.record_plan(plan)
        elif journal.plan != plan:
            raise JournalError(
                "the payloads are not those that this run began with",
                file=journal.path,
                remedy=f"'{journal.cleanup_command}' undoes it; then upload anew",
            )

    def _image_digest(self, found: Sequence[Candidate]) -> str:
        """Return the digest of the image that all payloads lead to, built if need be."""
        step = next((s for c in found for s in c.steps if s.kind.value == "image"), None)
        if step is None:
            return ""
        path = step.outputs[0]
        if not self._args.dry_run and not self._args.built:
            step.run()
        return sha256(read_file(path, READ_LIMITS.image, "image")).hex() if path.exists() else ""

    def _build(self, chosen: Sequence[Candidate], report: Reporter) -> None:
        if self._args.built:
            return
        steps: dict[Step, None] = {}
        for candidate in chosen:
            steps.update(dict.fromkeys(candidate.steps))
        for step in steps:
            result = step.run()
            report(Note(f"{step.kind.value:<10}{step.outputs[0].name}: {result.summary}"))
            for warning in result.warnings:
                report(Note(warning, True))

    def _update(self, candidate: Candidate, group: Group, report: Reporter) -> Update:
        payload = candidate.manifest.payload
        digest, size = _digest(payload)
        return Update(
            key=group.key,
            payload=payload,
            digest=digest,
            size=size,
            device_filter=self._filter(group),
            make_manifest=manifest_maker(
                candidate,
                encrypt=self._args.encrypt,
                short_url=self._args.short_url,
                warn=lambda text: report(Note(text, True)),
            ),
            encrypt=self._args.encrypt,
        )

    def _filter(self, group: Group) -> str:
        ids = group.device_ids or tuple(self._args.device_id)
        return device_filter(self._config.identity, ids, group.checksums, group.excluded)


def _everyone(payloads: Sequence[Any]) -> Group:
    """Return the one group when nothing is known of the devices: a delta goes to its own only."""
    for payload in payloads:
        if payload.precursor is None:
            return Group(payload.key, 0)
    return Group(payloads[0].key, 0, checksums=(payloads[0].precursor,))


def journal_folder(config: LoadedConfig) -> Path:
    """Return where journals are."""
    folder = config.project.publish.journal
    return Path(folder) if folder else journals.default_folder()


def _digest(path: Path) -> tuple[str, int]:
    data = read_file(path, READ_LIMITS.package, "payload")
    return hashlib.sha256(data).hexdigest(), len(data)
