"""Compile a generated C source and print every symbol of it: its type, its size, its bytes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ARRAYS = (
    "arm_uc_vendor_id",
    "arm_uc_class_id",
    "arm_uc_default_fingerprint",
    "arm_uc_default_certificate",
    "arm_uc_update_public_key",
)
# The public key has no size symbol (update-resources-c, section 1).
SIZES = tuple(f"{name}_size" for name in ARRAYS[:-1])
_DEFINITION = re.compile(r"^(?!\s)[\w ]*?\b(\w+)(?:\[[^\]]*\])? = ", re.MULTILINE)

# As the update client declares them; a definition of another type does not compile behind it.
_DECLARATIONS = "".join(
    [
        *(f"extern const uint8_t {name}[];\n" for name in ARRAYS),
        *(f"extern const uint16_t {name};\n" for name in SIZES),
    ]
)
_PRINT = """
static void dump(const char *name, const uint8_t *bytes, size_t size)
{
    printf("%s=", name);
    for (size_t i = 0; i < size; i++) printf("%02x", bytes[i]);
    printf("\\n");
}
"""


def compiler() -> list[str]:
    """The C compiler of this machine, as the marker ``cc`` promises one."""
    return ["cc"] if shutil.which("cc") else [sys.executable, "-m", "ziglang", "cc"]


def defined_symbols(source: Path) -> set[str]:
    """Names of everything that a source defines with external linkage."""
    return set(_DEFINITION.findall(source.read_text(encoding="utf-8")))


def dump(source: Path, folder: Path) -> dict[str, str]:
    """Values of all symbols of ``source`` by name, as the compiler sees them."""
    folder.mkdir()
    arrays = "".join(f'    dump("{name}", {name}, sizeof {name});\n' for name in ARRAYS)
    sizes = "".join(f'    printf("{name}=%u\\n", {name});\n' for name in SIZES)
    program = folder / "dump.c"
    program.write_text(
        "#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n"
        f'{_DECLARATIONS}#include "{source.name}"\n{_PRINT}'
        f"int main(void)\n{{\n{arrays}{sizes}    return 0;\n}}\n",
        encoding="utf-8",
    )
    warnings = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    command = [*compiler(), *warnings, f"-I{source.parent}", str(program), "-o", "dump"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = subprocess.run(
        [str(folder / "dump")], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}
