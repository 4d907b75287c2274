"""Make an envelope and run it on virtual devices, for steps and the command line."""

from __future__ import annotations

from fotabuild.device.suit_self_check import check_envelope
from fotabuild.formats.suit.description import Description
from fotabuild.formats.suit.envelope import CreatedEnvelope, create_envelope
from fotabuild.formats.suit.names import Profile


def make_envelope(
    description: Description, profile: Profile, *, severable: bool = False
) -> CreatedEnvelope:
    """Return an unsigned envelope that does on a device what its description says.

    Args:
        description: what the manifest shall say.
        profile: the wire format.
        severable: whether elements are severed even if the description does not say so.

    Raises:
        SuitProfileError: the profile cannot say something; the message says the way out.
        SuitInputError: a dependency of ``current`` without component id.
        VerificationError: a device would not end as described.
    """
    created = create_envelope(description, profile, severable=severable)
    report = check_envelope(description, created.data)
    report.require()
    warnings = (*description.warnings, *created.warnings, *report.warning_texts)
    return CreatedEnvelope(created.data, tuple(dict.fromkeys(warnings)))
