"""A bill of materials in the form of CycloneDX 1.6. Equal parts give equal bytes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fotabuild import __version__
from fotabuild.errors import MissingExtraError, PartsListError
from fotabuild.provenance.parts import Part

if TYPE_CHECKING:
    from cyclonedx.model.component import Component
    from cyclonedx.model.license import License
    from cyclonedx.model.tool import ToolRepository

_NAME_SPACE = uuid.UUID("5b1f3c52-2a0e-5ac9-9d0b-6f0b1c7a4f11")


def make_sbom(name: str, version: str, digest: bytes, parts: Sequence[Part]) -> bytes:
    """Return the bill of materials of a firmware.

    It has no date, and its serial number follows from its content.

    Args:
        name: what the firmware is called.
        version: its version.
        digest: SHA-256 of its image.
        parts: what it is made of.

    Raises:
        MissingExtraError: the extra ``sbom`` is not installed.
        PartsListError: a licence or package URL cannot be used.
    """
    try:
        from cyclonedx.model.bom import Bom, BomMetaData
        from cyclonedx.model.component import ComponentType
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError:
        raise MissingExtraError(
            "a bill of materials needs the extra 'sbom'",
            remedy="pip install 'fotabuild[sbom]'",
        ) from None
    firmware = _component(
        Part(name=name, version=version, sha256=digest.hex(), type="firmware"), "firmware"
    )
    components = [_component(part, f"part:{part.name}@{part.version or ''}") for part in parts]
    assert firmware.type is ComponentType.FIRMWARE
    bom = Bom(metadata=BomMetaData(component=firmware, tools=_tools()), components=components)
    bom.register_dependency(firmware, components)
    values: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    # Both would be of this moment.
    values["metadata"].pop("timestamp", None)
    values.pop("serialNumber", None)
    content = json.dumps(values, sort_keys=True)
    values["serialNumber"] = f"urn:uuid:{uuid.uuid5(_NAME_SPACE, content)}"
    return json.dumps(values, indent=1, sort_keys=True).encode() + b"\n"


def _tools() -> ToolRepository:
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.tool import ToolRepository

    return ToolRepository(
        components=[
            Component(
                name="fotabuild",
                version=__version__,
                type=ComponentType.APPLICATION,
                bom_ref="tool:fotabuild",
            )
        ]
    )


def _component(part: Part, reference: str) -> Component:
    from cyclonedx.exception import CycloneDxException
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.contact import OrganizationalEntity
    from packageurl import PackageURL

    try:
        return Component(
            name=part.name,
            version=part.version,
            type=ComponentType(part.type),
            bom_ref=reference,
            purl=None if part.purl is None else PackageURL.from_string(part.purl),
            licenses=[] if part.license is None else [_licence(part)],
            supplier=None if part.supplier is None else OrganizationalEntity(name=part.supplier),
            hashes=[]
            if part.sha256 is None
            else [HashType(alg=HashAlgorithm.SHA_256, content=part.sha256)],
        )
    except (ValueError, CycloneDxException) as error:
        raise PartsListError(f"cannot be used: {error}", field=part.name) from None


def _licence(part: Part) -> License:
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
    from cyclonedx.spdx import is_expression, is_supported_id

    assert part.license is not None
    if is_supported_id(part.license):
        return DisjunctiveLicense(id=part.license)
    if is_expression(part.license):
        return LicenseExpression(part.license)
    raise PartsListError(
        f"{part.license!r} is no SPDX licence", field=part.name, remedy="write it as SPDX does"
    )
