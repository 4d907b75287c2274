"""Build for QEMU's mps2-an386. PlatformIO reads this for every environment of the platform."""

import shlex
import sys
from pathlib import Path

from SCons.Script import COMMAND_LINE_TARGETS, Builder, Default, DefaultEnvironment

env = DefaultEnvironment()
EXAMPLE = Path(env.PioPlatform().get_dir()).resolve().parent
BOARD = EXAMPLE / "board" / "mps2-an386"
sys.path.insert(0, str(EXAMPLE))
from toolchain import LINKER_SCRIPT, ToolchainMissingError, find_toolchain  # noqa: E402

QEMU = (
    "qemu-system-arm -M mps2-an386 -display none -serial stdio -monitor none "
    '-semihosting-config enable=on,target=native -kernel "$SOURCE"'
)

try:
    toolchain = find_toolchain(Path(env.subst("$PROJECT_DIR")))
except ToolchainMissingError as error:
    sys.stderr.write(f"Error: {error}\n")
    env.Exit(1)

# PlatformIO wants commands as texts.
compiler = shlex.join(toolchain.cc)


def tool(name: str) -> str:
    """Return the command of a tool that comes with the compiler."""
    if toolchain.cc[0].endswith("-gcc"):
        return shlex.quote(f"{toolchain.cc[0].removesuffix('gcc')}{name}")
    return shlex.join([*toolchain.cc[:-1], name])


# What stands between $( and $) does not decide whether to build again: this flag holds a path.
ccflags = []
for flag in toolchain.cflags:
    ccflags += ["$(", flag, "$)"] if flag.startswith("-ffile-prefix-map") else [flag]

env.Replace(
    AR=tool("ar"),
    AS=compiler,
    CC=compiler,
    CXX=compiler,
    LINK=compiler,
    OBJCOPY=tool("objcopy"),
    RANLIB=tool("ranlib"),
    PROGSUFFIX=".elf",
)
env.Append(
    CCFLAGS=ccflags,
    CPPPATH=[str(BOARD)],
    LINKFLAGS=[
        flag.replace(LINKER_SCRIPT, str(EXAMPLE / LINKER_SCRIPT)) for flag in toolchain.linkflags
    ],
    BUILDERS={
        "ElfToBin": Builder(
            action=env.VerboseAction("$OBJCOPY -O binary $SOURCE $TARGET", "Building $TARGET"),
            suffix=".bin",
        )
    },
)
if env.get("PROGNAME") == "program":
    env.Replace(PROGNAME="firmware")

if "nobuild" in COMMAND_LINE_TARGETS:
    elf, image = "$BUILD_DIR/${PROGNAME}.elf", "$BUILD_DIR/${PROGNAME}.bin"
else:
    env.BuildSources("$BUILD_DIR/board", str(BOARD))
    elf = env.BuildProgram()
    env.Depends(elf, str(EXAMPLE / LINKER_SCRIPT))
    image = env.ElfToBin("$BUILD_DIR/${PROGNAME}", elf)

env.AddPlatformTarget(
    "qemu", elf, env.VerboseAction(QEMU, "Running $SOURCE"), "Run", "Run the firmware in QEMU"
)
env.AlwaysBuild(env.Alias("nobuild", image))
Default(env.Alias("buildprog", image))
