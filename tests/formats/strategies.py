"""Random values of the formats, and the settings of all property tests."""

from __future__ import annotations

import dataclasses

from hypothesis import settings
from hypothesis import strategies as st

from fotabuild.formats.combined_package import PackageImage
from fotabuild.formats.identity import Identity
from fotabuild.formats.manifest_v1 import ManifestV1
from fotabuild.formats.manifest_v3 import ManifestV3, PayloadFormat

# The same examples in every run: a property test that fails, fails for everybody.
QUICK = settings(derandomize=True, deadline=None, max_examples=80)

digests = st.binary(min_size=32, max_size=32)
signatures = st.binary(min_size=64, max_size=64)
sizes = st.integers(min_value=0, max_value=2**63 - 1)
texts = st.text(max_size=300)
identities = st.builds(Identity, st.uuids(), st.uuids())

_plain = st.builds(
    ManifestV3,
    identity=identities,
    update_priority=sizes,
    component_name=texts,
    payload_version=texts,
    payload_digest=digests,
    payload_size=sizes,
    payload_uri=texts,
    payload_format=st.just(PayloadFormat.RAW_BINARY),
    installed_signature=st.just(b"") | signatures,
    vendor_data=st.none() | st.binary(max_size=300),
)


@st.composite
def manifests(draw: st.DrawFn) -> ManifestV3:
    """A manifest whose fields fit together."""
    payload_format = draw(st.sampled_from(PayloadFormat))
    manifest = dataclasses.replace(draw(_plain), payload_format=payload_format)
    if payload_format is PayloadFormat.RAW_BINARY:
        return manifest
    precursor = payload_format is PayloadFormat.ARM_PATCH_STREAM
    return dataclasses.replace(
        manifest,
        installed_size=draw(sizes),
        installed_digest=draw(digests),
        precursor_digest=draw(digests) if precursor else None,
    )


package_images = st.lists(
    st.builds(
        PackageImage,
        st.from_regex(r"[0-9a-zA-Z_-][0-9a-zA-Z_.-]{0,99}", fullmatch=True).filter(
            lambda name: name != "_desc_"
        ),
        st.binary(min_size=1, max_size=40),
        st.binary(max_size=1200),
    ),
    min_size=2,
    max_size=6,
    unique_by=lambda image: image.name,
)


@st.composite
def manifests_v1(draw: st.DrawFn) -> ManifestV1:
    """A v1 manifest whose fields fit together."""
    patch = draw(st.booleans())
    return ManifestV1(
        identity=draw(identities),
        timestamp=draw(sizes),
        payload_format=PayloadFormat.ARM_PATCH_STREAM if patch else PayloadFormat.RAW_BINARY,
        payload_digest=draw(digests),
        payload_size=draw(sizes),
        payload_uri=draw(texts),
        priority=draw(st.none() | sizes),
        vendor_info=draw(st.binary(max_size=300)),
        precursor_digest=draw(digests) if patch else None,
        installed_size=draw(sizes) if patch else None,
        installed_digest=draw(digests) if patch else None,
        device_id=draw(st.binary(max_size=16)),
        nonce=draw(st.binary(max_size=16)),
        apply_immediately=draw(st.booleans()),
        encryption_mode=draw(st.integers(0, 5)),
    )
