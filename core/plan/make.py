"""Fill single steps from a configuration. Hosts that want one artifact only use this directly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from fotabuild.config.kept_files import key_access, refuse_to_replace
from fotabuild.config.loader import LoadedConfig, Source
from fotabuild.errors import ConfigError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.steps.step import Step

# Each kind of step is imported where it is made: most commands make one, and all of them with
# their libraries take as long to import as the rest of the program.
if TYPE_CHECKING:
    from fotabuild.plan.build import Build
    from fotabuild.plan.deltas import PlannedDelta
    from fotabuild.steps.delta import DeltaStep
    from fotabuild.steps.factory import FactoryStep
    from fotabuild.steps.image import ImageStep
    from fotabuild.steps.manifest import EncryptedPayload, ManifestStep
    from fotabuild.steps.manifest_v1 import ManifestV1Step
    from fotabuild.steps.package import PackageStep
    from fotabuild.steps.payload_manifest import Precursor
    from fotabuild.steps.report import ReportStep
    from fotabuild.steps.resources import ResourcesStep
    from fotabuild.steps.suit import SuitStep

_AnyStep = TypeVar("_AnyStep", bound=Step)
_MAKE_BOTH = "'fotabuild init --credentials-only' makes key and certificate in keys/"
_HOW_TO_GIVE = {
    "url": "say where devices will download the payload, such as 'url: https://HOST/{file}' below "
    "'payload:'; an upload to a service puts the service's own URL into what it sends",
    "key": _MAKE_BOTH,
    "certificate": _MAKE_BOTH,
}


class StepMaker:
    """Makes steps for one project.

    No step may overwrite the configuration, or a key, certificate or vendor data named in it.

    Args:
        config: the project.
        signed_here: whether manifests are signed where the steps run; else no key is needed.
    """

    def __init__(self, config: LoadedConfig, *, signed_here: bool = True) -> None:
        self._config = config
        self._signed_here = signed_here
        self._project = config.project
        self._profile = config.project.device.to_profile()

    def resources(self, output: Path) -> ResourcesStep:
        """Return the step for ``update_default_resources.c``."""
        from fotabuild.steps.resources import ResourcesStep

        step = ResourcesStep(
            identity=self._config.identity,
            certificate=Path(self._need(self._project.credentials.certificate, "certificate")),
            profile=self._profile,
            output=output,
        )
        return self._checked(step)

    def image(self, source: Path, output: Path) -> ImageStep:
        """Return the step for the flat image."""
        from fotabuild.steps.image import ImageStep

        layout = self._project.layout
        address = None
        if layout is not None and layout.flash_start is not None:
            address = layout.flash_start + layout.application_offset
        return self._checked(ImageStep(source=source, output=output, address=address))

    def factory(self, application: Path, output: Path) -> FactoryStep:
        """Return the step for the factory image.

        Raises:
            ConfigError: the project has no layout, or one of header and header-offset is missing.
        """
        from fotabuild.steps.factory import FactoryStep, FlashFile

        layout = self._project.layout
        if layout is None:
            raise ConfigError("this project declares no layout", field="layout")
        if (layout.header is None) != (layout.header_offset is None):
            raise ConfigError("header and header-offset go together", field="layout.header")
        parts = [FlashFile("bootloader", Path(layout.bootloader), 0)]
        if layout.header is not None and layout.header_offset is not None:
            parts.append(FlashFile("header", Path(layout.header), layout.header_offset))
        parts.append(FlashFile("application", application, layout.application_offset))
        return self._checked(FactoryStep(parts=tuple(parts), fill=layout.fill, output=output))

    def delta(
        self,
        old_image: Path,
        new_image: Path,
        output: Path,
        *,
        old_digest: str | None = None,
        old_elf: Path | None = None,
        new_elf: Path | None = None,
    ) -> DeltaStep:
        """Return the step for a patch; its side file gets the suffix ``.yaml``.

        Args:
            old_image: the image as installed on devices.
            new_image: the image after the update.
            output: the patch.
            old_digest: SHA-256 that the old image must have, if somebody wrote it down.
            old_elf: linked file of the old image, for its symbols.
            new_elf: linked file of the new image; of use only with the other.
        """
        from fotabuild.formats.patch_sidecar import sidecar_of
        from fotabuild.steps.delta import DeltaStep

        delta = self._project.delta
        step = DeltaStep(
            old_image=old_image,
            new_image=new_image,
            block_size=delta.block_size,
            threshold=delta.threshold,
            device=self._profile.patch_device,
            output=output,
            sidecar=sidecar_of(output),
            effort=delta.effort,
            time_limit=None if delta.time_limit is None else float(delta.time_limit),
            old_elf=old_elf,
            new_elf=new_elf,
            old_digest=old_digest,
            reuse=True,
        )
        return self._checked(step)

    def package(self, built_image: Path | None, output: Path) -> PackageStep:
        """Return the step for the combined package.

        Raises:
            ConfigError: the project has no package, or one of its images is the built one and
                there is none.
        """
        from fotabuild.steps.package import PackageEntry, PackageStep

        package = self._project.package
        if package is None:
            raise ConfigError("this project declares no package", field="package")
        entries = []
        for index, image in enumerate(package.images):
            path = built_image if image.file_name is None else Path(image.file_name)
            if path is None:
                raise ConfigError(
                    "this image is the one of the build, and none is given",
                    field=f"package.images[{index}].file-name",
                    remedy="name a file, or give the built image",
                )
            entries.append(PackageEntry(image.sub_comp_name, image.vendor_data.encode(), path))
        step = PackageStep(entries=tuple(entries), profile=self._profile, output=output)
        return self._checked(step)

    def manifest(
        self,
        payload: Path,
        payload_format: PayloadFormat,
        version: FirmwareVersion,
        output: Path,
        *,
        component: str | None = None,
        sidecar: Path | None = None,
        precursor: Precursor | None = None,
        signed_here: bool = True,
        encrypted: EncryptedPayload | None = None,
        download: Path | None = None,
    ) -> ManifestStep:
        """Return the step for the manifest of one payload.

        Args:
            payload: the payload file; the plain one for encrypted formats.
            payload_format: what it is.
            version: the version after the update.
            output: the manifest.
            component: the component, if not the project's.
            sidecar: the side file of a patch; beside it with the suffix ``.yaml`` by default.
            precursor: where a patch starts from.
            signed_here: whether the step is run; else its key is not needed.
            encrypted: the encrypted form of the payload, if not the configured one.
            download: what devices download, if not ``payload``; the URL names it.

        Raises:
            ConfigError: URL, key or encrypted digest are missing.
        """
        from fotabuild.formats.patch_sidecar import sidecar_of
        from fotabuild.plan.url import expand_url
        from fotabuild.steps.manifest import ManifestStep

        project = self._project
        if payload_format is PayloadFormat.ARM_PATCH_STREAM and sidecar is None:
            sidecar = sidecar_of(payload)
        component = component or project.component
        values = {
            "file": (download or payload).name,
            "version": str(version),
            "component": component,
        }
        if precursor is not None and precursor.version is not None:
            values["from"] = str(precursor.version)
        vendor_data = project.vendor.custom_data_path
        certificate = project.credentials.certificate
        step = ManifestStep(
            identity=self._config.identity,
            component=component,
            priority=project.priority,
            version=version,
            url=expand_url(self._need(project.payload.url, "url", "payload"), values),
            payload_format=payload_format,
            payload=payload,
            key=self._key(signed_here),
            access=key_access(self._project.credentials, project.publish.access_key),
            certificate=None if certificate is None else Path(certificate),
            sign_image=project.sign_image,
            vendor_data=None if vendor_data is None else Path(vendor_data),
            profile=self._profile,
            sidecar=sidecar,
            precursor=precursor,
            encrypted=encrypted or self._encrypted(payload_format),
            output=output,
        )
        return self._checked(step)

    def manifest_v1(
        self,
        payload: Path,
        payload_format: PayloadFormat,
        timestamp: int,
        output: Path,
        *,
        sidecar: Path | None = None,
        precursor: Precursor | None = None,
        version: FirmwareVersion | None = None,
        signed_here: bool = True,
    ) -> ManifestV1Step:
        """Return the step for the v1 manifest of one payload.

        Args:
            payload: the payload file.
            payload_format: what it is.
            timestamp: the version after the update as a number.
            output: the manifest.
            sidecar: the side file of a patch; beside it with the suffix ``.yaml`` by default.
            precursor: where a patch starts from.
            version: what stands for ``{version}`` in the URL, if not the number.
            signed_here: whether the step is run; else its key is not needed.

        Raises:
            ConfigError: URL, key or certificate are missing, or a setting that v1 has nothing for.
        """
        from fotabuild.plan.url import expand_url
        from fotabuild.steps.manifest_v1 import ManifestV1Step

        project = self._project
        if project.sign_image:
            raise ConfigError(
                "v1 manifests carry no signature of the image",
                field="sign-image",
                remedy="set it to false, or make v3 manifests only",
            )
        if payload_format is PayloadFormat.ARM_PATCH_STREAM and sidecar is None:
            from fotabuild.formats.patch_sidecar import sidecar_of

            sidecar = sidecar_of(payload)
        text = str(timestamp if version is None else version)
        values = {"file": payload.name, "version": text, "component": project.component}
        if precursor is not None and precursor.version is not None:
            values["from"] = str(precursor.version)
        vendor_data = project.vendor.custom_data_path
        # Old clients without delta cannot read a manifest with a priority.
        given = self._config.origin("priority").source is not Source.DEFAULT
        step = ManifestV1Step(
            identity=self._config.identity,
            timestamp=timestamp,
            url=expand_url(self._need(project.payload.url, "url", "payload"), values),
            payload_format=payload_format,
            payload=payload,
            key=self._key(signed_here),
            access=key_access(project.credentials, project.publish.access_key),
            certificate=Path(self._need(project.credentials.certificate, "certificate")),
            profile=self._profile,
            output=output,
            priority=project.priority if given else None,
            vendor_data=None if vendor_data is None else Path(vendor_data),
            sidecar=sidecar,
            precursor=precursor,
        )
        return self._checked(step)

    def suit(
        self, payload: Path, version: FirmwareVersion, output: Path, *, component: str | None = None
    ) -> SuitStep:
        """Return the step for the SUIT manifest of an image.

        Args:
            payload: the image.
            version: its version, which the sequence number is made of.
            output: the envelope.
            component: what stands for ``{component}`` in the URI, if not the project's.

        Raises:
            ConfigError: URI or key are missing, or a component id is wrong.
        """
        from fotabuild.plan.suit_template import suit_template
        from fotabuild.steps.suit import SuitStep

        project = self._project
        certificate = project.credentials.certificate
        template = suit_template(
            self._config, payload, version, component=component or project.component
        )
        step = SuitStep(
            template=template,
            payloads=(payload, *(Path(extra.file) for extra in project.suit.components)),
            profile=project.suit.profile,
            key=self._key(),
            access=key_access(project.credentials, project.publish.access_key),
            certificate=None if certificate is None else Path(certificate),
            algorithm=project.suit.algorithm,
            key_id=project.suit.key_id or "",
            output=output,
        )
        return self._checked(step)

    def report(
        self, build: Build, artifacts: Iterable[Path], deltas: Sequence[PlannedDelta], output: Path
    ) -> ReportStep:
        """Return the step for the report on all artifacts of a build.

        Raises:
            ConfigError: the certificate is missing.
        """
        from fotabuild.steps.payload_manifest import Precursor
        from fotabuild.steps.report import ReportStep

        old_elfs = {str(one.since): one.step.old_elf for one in deltas if one.step.old_elf}
        model = self._project.device.model_name or build.name or build.image.stem
        step = ReportStep(
            title=f"{model} {build.version}",
            identity=self._config.identity,
            component=self._project.component,
            profile=self._profile,
            certificate=Path(self._need(self._project.credentials.certificate, "certificate")),
            link_speed=self._project.report.link_speed,
            artifacts=tuple(artifacts),
            precursors=tuple(Precursor(one.step.old_image, one.since) for one in deltas),
            # As for the deltas: the new symbols alone are not worth a dependency.
            new_elf=build.image if old_elfs else None,
            old_elfs=old_elfs,
            output=output,
        )
        return self._checked(step)

    def _checked(self, step: _AnyStep) -> _AnyStep:
        """Refuse a step that would overwrite what the project cannot be built without."""
        refuse_to_replace(self._config, step.outputs)
        return step

    def _encrypted(self, payload_format: PayloadFormat) -> EncryptedPayload | None:
        from fotabuild.steps.manifest import EncryptedPayload

        if not payload_format.encrypted:
            return None
        encrypted = self._project.payload.encrypted
        if encrypted is None:
            raise ConfigError(
                f"{payload_format.value} needs digest and size of the encrypted payload",
                field="payload.encrypted",
                remedy="take both from the service that encrypted it",
            )
        return EncryptedPayload(bytes.fromhex(encrypted.digest), encrypted.size)

    def _key(self, signed_here: bool = True) -> str:
        """Return the name of the key, or nothing where nothing is signed."""
        if not (signed_here and self._signed_here):
            return ""
        return self._need(self._project.credentials.key, "key")

    def _need(self, value: str | None, name: str, section: str = "credentials") -> str:
        if value is None:
            raise ConfigError(
                "this setting is needed and missing",
                file=self._config.file,
                field=f"{section}.{name}",
                remedy=_HOW_TO_GIVE.get(name),
            )
        return value
