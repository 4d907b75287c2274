"""The same project, declared in the two ways: as a whole, and artifact by artifact."""

from __future__ import annotations

from dataclasses import dataclass

from .project import LINK

WHOLE = (
    LINK
    + """\
import fotabuild.scons
env = Environment(tools=[fotabuild.scons.generate])
env.Replace(FOTAVERSION=ARGUMENTS.get("VERSION", "1.1.0"))
if "PRIORITY" in ARGUMENTS:
    env["FOTASETTINGS"] = {"priority": ARGUMENTS["PRIORITY"]}
resources = env.FotaResources("build/update_default_resources.c")
firmware = env.Command(
    "build/app.elf", ["table.bin", "app.txt", resources], Action(link, "Linking $TARGET")
)
env.FotaUpdate(firmware)
"""
)

SINGLE = (
    LINK
    + """\
import fotabuild.scons
env = Environment(tools=[fotabuild.scons.generate])
env.Replace(FOTAVERSION=ARGUMENTS.get("VERSION", "1.1.0"))
if "PRIORITY" in ARGUMENTS:
    env["FOTASETTINGS"] = {"priority": ARGUMENTS["PRIORITY"]}
resources = env.FotaResources("build/update_default_resources.c")
firmware = env.Command(
    "build/app.elf", ["table.bin", "app.txt", resources], Action(link, "Linking $TARGET")
)
image = env.FotaImage("build/app", firmware)
env.FotaManifest("build/app", image)
for since in ("0.9.0", "1.0.0"):
    old = f"releases/app-{since}.bin"
    patch = env.FotaDelta(f"build/since-{since}.patch", [old, image])
    env.FotaManifest(
        f"build/since-{since}.manifest", patch, FOTAPRECURSOR=old, FOTAPRECURSORVERSION=since
    )
package = env.FotaPackage("build/bundle", image)
env.FotaManifest("build/bundle", package, FOTACOMPONENT="BUNDLE")
"""
)


OLD = ("0.9.0", "1.0.0")


@dataclass(frozen=True)
class Way:
    """One way to declare the artifacts.

    Attributes:
        name: for test ids.
        sconstruct: the text of the ``SConstruct``.
        versioned: whether file names hold the version.
    """

    name: str
    sconstruct: str
    versioned: bool

    def artifacts(
        self, version: str = "1.1.0", since: tuple[str, ...] = OLD
    ) -> dict[str, list[str]]:
        """Return the files of each artifact by a short name, by default of the first build.

        Args:
            version: the version of the firmware.
            since: the releases that the configuration names.
        """
        begin, between, bundle = "build/app", "build/since-{}", "build/bundle"
        if self.versioned:
            begin = f"build/update/app-{version}"
            between, bundle = f"build/update/app-{{}}-to-{version}", f"{begin}.package"
        found = {
            "resources": ["build/update_default_resources.c"],
            "firmware": ["build/app.elf"],
            "image": [f"{begin}.bin"],
            "manifest": [f"{begin}.manifest"],
            "package": [f"{bundle}.tar"],
            "package manifest": [f"{bundle}.manifest"],
        }
        if self.versioned:
            found["factory"] = [f"{begin}.factory.bin"]
        for old in since if self.versioned else OLD:
            stem = between.format(old)
            found[f"delta {old}"] = [f"{stem}.patch", f"{stem}.yaml"]
            found[f"delta manifest {old}"] = [f"{stem}.manifest"]
        return found

    def files(self) -> list[str]:
        """Return all files of a first build."""
        return [file for files in self.artifacts().values() for file in files]


WAYS = (Way("whole", WHOLE, versioned=True), Way("single", SINGLE, versioned=False))
