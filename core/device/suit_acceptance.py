"""What a device checks of a SUIT envelope before it runs it: digests and signatures, by name."""

from __future__ import annotations

from collections.abc import Sequence

from fotabuild.device.report import AcceptanceReport, ReportBuilder
from fotabuild.device.suit_parameters import parameters_together
from fotabuild.errors import FormatError, VerificationError
from fotabuild.formats.suit import model
from fotabuild.formats.suit.cose_layout import to_be_signed
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.digests import (
    check_manifest_digest,
    check_severed_digests,
    compute_digest,
    dependency_digest,
    removed_elements,
)
from fotabuild.signing.cose_algorithm import KeyKind, algorithm_by_number
from fotabuild.signing.cose_verify import VerificationKey

_DAMAGED = "make or download the envelope again"


def accept_envelope(
    data: bytes, keys: Sequence[VerificationKey], *, require_all: bool = True
) -> AcceptanceReport:
    """Decode an envelope and check its digests, its signatures and its integrated payloads.

    Args:
        data: the envelope.
        keys: the keys that the device trusts; with none, signatures are not checked, which fails.
        require_all: whether every signature must be of one of the keys. Otherwise one is enough,
            and those that no key fits are skipped.
    """
    report = ReportBuilder()
    try:
        envelope = decode_envelope(data)
    except FormatError as error:
        report.check("envelope", False, str(error), remedy=error.remedy or _DAMAGED)
        return report.build()
    report.check("envelope", True, f"{len(data)} bytes decode as {envelope.profile.value}")
    _check_digests(report, envelope)
    if removed := removed_elements(envelope):
        names = ", ".join(element.value for element in removed)
        report.skip("removed-elements", f"of {names} only the digest is here")
    _check_integrated(report, envelope)
    _check_signatures(report, envelope, keys, require_all=require_all)
    return report.build()


def verify_envelope(
    data: bytes, keys: Sequence[VerificationKey], *, require_all: bool = True
) -> model.Envelope:
    """Return the envelope when a device would take it; see :func:`accept_envelope`.

    Raises:
        CborError, SuitError: ``data`` is no envelope.
        VerificationError: naming every failed check.
    """
    envelope = decode_envelope(data)
    accept_envelope(data, keys, require_all=require_all).require()
    return envelope


def _check_digests(report: ReportBuilder, envelope: model.Envelope) -> None:
    for name, check in (
        ("manifest-digest", check_manifest_digest),
        ("severed-digests", check_severed_digests),
    ):
        try:
            check(envelope)
        except VerificationError as error:
            report.check(name, False, str(error), remedy=_DAMAGED)
        else:
            report.check(name, True, "fits")


def _check_signatures(
    report: ReportBuilder,
    envelope: model.Envelope,
    keys: Sequence[VerificationKey],
    *,
    require_all: bool,
) -> None:
    report.check(
        "signed",
        bool(envelope.blocks),
        f"{len(envelope.blocks)} signatures",
        remedy="sign the envelope",
    )
    verified = 0
    for place, block in enumerate(envelope.blocks, 1):
        algorithm = algorithm_by_number(block.algorithm)
        known = f"COSE algorithm {block.algorithm}" if algorithm is None else algorithm.value
        problem = _block_problem(envelope, block, keys)
        verified += problem is None
        if problem is None:
            report.check(f"signature-{place}", True, f"{known} verified")
        elif require_all:
            report.check(
                f"signature-{place}",
                False,
                f"{known}: {problem}",
                remedy="give the key that signed it",
            )
        else:
            report.skip(f"signature-{place}", f"{known}: {problem}")
    if envelope.blocks and not require_all:
        report.check(
            "trusted",
            verified > 0,
            f"{verified} of {len(envelope.blocks)} signatures verified",
            remedy="give the key that signed it",
        )


def _block_problem(
    envelope: model.Envelope, block: model.CoseBlock, keys: Sequence[VerificationKey]
) -> str | None:
    """Return why no key verifies a block, or None when one does."""
    if block.payload is not None and block.payload != envelope.digest_bytes:
        return "it signs the digest of another manifest"
    algorithm = algorithm_by_number(block.algorithm)
    fitting = [key for key in keys if key.fits(block.algorithm)]
    if algorithm is None or not fitting:
        return "no given key is for this algorithm"
    if block.is_mac is not (algorithm.kind is KeyKind.HMAC):
        return "the algorithm is not for this COSE structure"
    data = to_be_signed(block.protected, envelope.digest_bytes, is_mac=block.is_mac)
    problem = ""
    for key in fitting:
        try:
            key.verify(block.algorithm, data, block.value)
        except VerificationError as error:
            problem = error.problem
        else:
            return None
    return problem


def _check_integrated(report: ReportBuilder, envelope: model.Envelope) -> None:
    """Compare payloads in the envelope with the digests in the manifest: no signature covers them.

    Which digest is for which payload only running the manifest tells.
    """
    if not envelope.integrated:
        return
    together = parameters_together(envelope.whole_manifest())
    if not removed_elements(envelope):
        named = {uri for each in together for uri in each.uris}
        for uri in envelope.integrated.keys() - named:
            report.check(
                "integrated-payloads", False, f"{uri}: no command fetches it", remedy=_DAMAGED
            )
    stated = {digest for each in together for digest in each.digests}
    algorithms = {digest.algorithm for digest in stated}
    for uri, payload in envelope.integrated.items():
        own = {compute_digest(algorithm, payload) for algorithm in algorithms}
        fits = bool(own & stated) or dependency_digest(payload) in stated
        changes = {name for each in together if uri in each.uris for name in each.changes}
        if not fits and changes:
            names = ", ".join(sorted(changes))
            report.skip("integrated-payloads", f"{uri}: {names} may change it on its way")
        else:
            report.check(
                "integrated-payloads", fits, f"{uri}: {len(payload)} bytes", remedy=_DAMAGED
            )
