"""``manifest-dev-tool update`` and ``update-v1``: payload, manifest and campaign on the service."""

from __future__ import annotations

import argparse
import logging
from contextlib import ExitStack, closing
from dataclasses import replace

from fotabuild.cli.dropin.dev_manifest import known_config
from fotabuild.cli.dropin.dev_service import (
    LogOutput,
    journal_folder,
    open_service,
    tell_devices,
)
from fotabuild.cli.dropin.dev_update_manifest import MakerV1, MakerV3, ManifestMaker
from fotabuild.cli.dropin.log import Log
from fotabuild.cli.upload_events import Reporter
from fotabuild.cli.upload_result import to_text, verdict
from fotabuild.config.dev_cache import DevCache, identity_of
from fotabuild.digest import sha256
from fotabuild.files.folders import alone_in
from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.publish.events import Event, Made
from fotabuild.publish.grouping import FULL
from fotabuild.publish.interruption import interruptible
from fotabuild.publish.journal import begin
from fotabuild.publish.names import device_filter
from fotabuild.publish.run import publish_updates
from fotabuild.publish.service import Service
from fotabuild.publish.updates import Cleanup, Publication, RunOptions, Stored, Update
from fotabuild.publish.values import Kind

# Stands in the manifest that is made to see whether one can be made.
_STAND_IN = Stored("http://set-by-the-service.invalid/payload", "/payload", bytes(32))
_DESCRIPTION = "Development campaign"


def update(args: argparse.Namespace, log: Log) -> None:
    """Update devices with a v3 manifest."""
    cache = DevCache(args.cache_dir)
    _DevUpdate(args, cache, log).run(MakerV3(args, cache), encrypt=args.encrypt_payload)


def update_old_clients(args: argparse.Namespace, log: Log) -> None:
    """Update devices with a v1 manifest."""
    cache = DevCache(args.cache_dir)
    _DevUpdate(args, cache, log).run(MakerV1(args, cache), encrypt=False)


class _DevUpdate:
    def __init__(self, args: argparse.Namespace, cache: DevCache, log: Log) -> None:
        self._args = args
        self._cache = cache
        self._log = log
        self._known = known_config(cache)
        self._filter = device_filter(
            identity_of(self._known), () if args.device_id is None else (args.device_id,)
        )

    def run(self, maker: ManifestMaker, *, encrypt: bool) -> None:
        """Rehearse, upload, run the campaign, say how it ended.

        Raises:
            FotabuildError: it was no success.
        """
        args, log = self._args, self._log
        if not args.wait_for_completion and (args.timeout or args.no_cleanup):
            log.warning("--timeout and --no-cleanup count with --wait-for-completion only")
        payload = read_file(args.payload_path, READ_LIMITS.package, "payload")
        self._rehearse(maker, len(payload))
        with interruptible(), closing(open_service(self._cache, log)) as service:
            service.check_key()
            if self._options().start:
                tell_devices(service, self._filter, log)
            with Reporter(LogOutput(log)) as show:
                publication = self._publish(service, maker, payload, encrypt, show)
        log.result(to_text(publication))
        error = verdict(publication.results)
        if error is not None:
            raise error

    def _publish(
        self, service: Service, maker: ManifestMaker, payload: bytes, encrypt: bool, show: Reporter
    ) -> Publication:
        with ExitStack() as alone:

            def make(stored: Stored) -> bytes:
                # From reading the last version until there is a campaign, which saves the next.
                alone.enter_context(alone_in(self._cache.folder))
                return maker.make(stored, self._log)

            def report(event: Event) -> None:
                show(event)
                if isinstance(event, Made) and event.kind == Kind.CAMPAIGN.value:
                    maker.keep_version()
                    alone.close()

            path = self._args.payload_path
            update = Update(
                FULL, path, sha256(payload).hex(), len(payload), self._filter, make, encrypt
            )
            url = service.caller.url
            journal = begin(journal_folder(), url, {"program": "manifest-dev-tool"})
            try:
                return publish_updates(service, journal, [update], self._options(), report)
            finally:
                journal.close()

    def _options(self) -> RunOptions:
        args = self._args
        wait: bool = args.wait_for_completion
        return RunOptions(
            prefix="dev",
            description=_DESCRIPTION,
            start=wait or args.start_campaign,
            wait=wait,
            timeout=args.timeout,
            cleanup=Cleanup.NEVER if wait and args.no_cleanup else Cleanup.ALWAYS,
        )

    def _rehearse(self, maker: ManifestMaker, size: int) -> None:
        """Make the manifest once before anything is sent, unless another program signs it."""
        if self._known.signing_tool is None:
            stored = replace(_STAND_IN, encrypted_size=_encrypted_size(size))
            maker.make(stored, Log(logging.ERROR))


def _encrypted_size(size: int) -> int:
    """Return what a payload becomes: a tag for each page (device-management-api, section 1.5)."""
    return size + 8 * -(-size // 1016)
