"""``fotabuild upload`` to a service: who gets what, build what is missing, run the campaigns."""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fotabuild.cli.commands.build import build_from
from fotabuild.cli.deltas import BuildDeltas
from fotabuild.cli.output import Output
from fotabuild.cli.upload_events import Reporter
from fotabuild.cli.upload_groups import find_groups
from fotabuild.cli.upload_payloads import Payloads
from fotabuild.cli.upload_plan import (
    Candidate,
    candidates,
    choose,
    manifest_maker,
    plan_for_service,
    schema_to_send,
)
from fotabuild.cli.upload_result import to_text, to_values, verdict
from fotabuild.cli.upload_settled import settle, settled_groups
from fotabuild.config.loader import LoadedConfig
from fotabuild.config.model import ManifestFormat
from fotabuild.errors import ExitStatus, LeftoverError, UsageError
from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.matrix.run import Workforce
from fotabuild.plan.plan import Plan
from fotabuild.publish.access_key import read_access_key
from fotabuild.publish.address import ServiceAddress
from fotabuild.publish.connect import connect
from fotabuild.publish.events import Note
from fotabuild.publish.grouping import FULL, Group
from fotabuild.publish.journal import Journal, begin
from fotabuild.publish.journal_folder import default_folder
from fotabuild.publish.names import device_filter
from fotabuild.publish.outcome import Outcome
from fotabuild.publish.run import publish_updates
from fotabuild.publish.service import Service
from fotabuild.publish.updates import Cleanup, Publication, RunOptions, Update
from fotabuild.publish.watch import CampaignResult
from fotabuild.steps.rerun import run_again


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
        self._notes: list[str] = []

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
        values = {**to_values(publication), "notes": self._notes}
        self._output.result(values, to_text(publication))
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
        with ExitStack() as stack:
            service = stack.enter_context(closing(open_service(self._url, source, report)))
            if resumed is not None and resumed.results is not None:
                return publish_updates(service, resumed, [], self._options(), report)
            schema, plan = self._schema(), self._plan(stack)
            service.check_key()
            payloads = self._payloads(plan, schema, report)
            return self._publish_to(service, payloads, report, details, resumed)

    def _publish_to(
        self,
        service: Service,
        payloads: Payloads,
        report: Reporter,
        details: dict[str, Any],
        resumed: Journal | None,
    ) -> Publication | None:
        args = self._args
        if resumed is not None and resumed.plan is not None:
            groups = settled_groups(resumed, payloads)
        else:
            asked = device_filter(self._config.identity, args.device_id)
            groups = find_groups(service, asked, payloads, report, preflight=args.preflight)
        if not groups:
            done = CampaignResult(FULL, "", Outcome.NOTHING_TO_DO)
            return Publication("", (done,))
        if args.dry_run:
            self._rehearse(groups, report)
            return None
        updates = [self._update(payloads[group.key], group, report) for group in groups]
        journal = resumed or begin(journal_folder(self._config), self._url, details)
        try:
            settle(journal, groups, updates)
            return publish_updates(service, journal, updates, self._options(), report)
        finally:
            journal.close()

    def _plan(self, stack: ExitStack) -> Plan:
        """Return the plan; that of a rehearsal makes its payloads in a folder that goes again."""
        build = build_from(self._args, self._config)
        plan = plan_for_service(self._config, build)
        if self._args.built or not self._args.dry_run:
            return plan
        aside = Path(stack.enter_context(TemporaryDirectory()))
        return plan_for_service(self._config, replace(build, folder=aside))

    def _payloads(self, plan: Plan, schema: ManifestFormat, report: Reporter) -> Payloads:
        args = self._args
        found = choose(
            candidates(plan, schema),
            full=args.full,
            package=args.package,
            delta_from=args.delta_from,
            encrypt=args.encrypt,
        )
        for note in plan.notes:
            report(Note(f"note: {note}"))
        # Whoever asks for one delta does not want the full image instead.
        required = args.delta_from is not None
        deltas = BuildDeltas(
            plan.steps,
            Workforce(),
            required,
            lambda text: report(Note(text)),
            plan.notes,
            run_again,
        )
        self._notes = deltas.notes
        return Payloads(found, deltas, built=args.built, report=report)

    def _rehearse(self, groups: Sequence[Group], report: Reporter) -> None:
        wanted = [{"key": group.key, "device_filter": self._filter(group)} for group in groups]
        for one in wanted:
            report(Note(f"would send {one['key']} to {one['device_filter']}"))
        values = {"event": "result", "dry-run": True, "campaigns": wanted, "notes": self._notes}
        self._output.result(values, "")

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


def journal_folder(config: LoadedConfig) -> Path:
    """Return where journals are."""
    folder = config.project.publish.journal
    return Path(folder) if folder else default_folder()


def _digest(path: Path) -> tuple[str, int]:
    data = read_file(path, READ_LIMITS.package, "payload")
    return hashlib.sha256(data).hexdigest(), len(data)
