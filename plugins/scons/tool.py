"""Construction variables and builders, added to an environment."""

from __future__ import annotations

from typing import Any

from fotabuild.delta.native_decoder import source_folder
from fotabuild.scons import artifacts, update
from fotabuild.scons.running import command_variable, signature_of_target, step_action
from fotabuild.steps.step import StepKind

_DEFAULTS: dict[str, Any] = {
    "FOTACONFIG": "fotabuild.yaml",
    "FOTASETTINGS": {},
    "FOTAVERSION": "",
    "FOTAFORMAT": "",
    "FOTAMANIFESTFORMAT": "v3",
    "FOTACOMPONENT": "",
    "FOTAPRECURSOR": "",
    "FOTAPRECURSORVERSION": "",
    "FOTARESOURCESCOMSTR": "Writing update resources $TARGET",
    "FOTAIMAGECOMSTR": "Extracting image $TARGET",
    "FOTADELTACOMSTR": "Making delta $TARGET",
    "FOTAPACKAGECOMSTR": "Packing $TARGET",
    "FOTAFACTORYCOMSTR": "Combining factory image $TARGET",
    "FOTAREPORTCOMSTR": "Writing report $TARGET",
    "FOTAMANIFESTCOMSTR": "Signing manifest $TARGET",
    "FOTAUPLOADFLAGS": (),
    "FOTAUPLOADCOMSTR": "Uploading update",
}


def add_to(env: Any) -> None:
    """Set the variables that the user did not set, and add the builders."""
    env.SetDefault(**_DEFAULTS, FOTASIGNATURE=signature_of_target)
    # The C source of the patch decoder, to be compiled into firmware.
    env.SetDefault(FOTADECODERDIR=str(source_folder()))
    for kind in StepKind:
        env.SetDefault(**{command_variable(kind): step_action(kind)})
    env.Append(BUILDERS=artifacts.make_builders())
    env.AddMethod(artifacts.fota_resources, "FotaResources")
    env.AddMethod(update.fota_update, "FotaUpdate")
