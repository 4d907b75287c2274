"""File permissions that also hold for root, as whom tests often run in containers."""

from __future__ import annotations

import ctypes
import os
import sys

# From linux/prctl.h and linux/capability.h.
_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2

#: Command line to put before another, which then has no more rights than file modes give.
OBEYING_MODES = (sys.executable, "-B", __file__)


def main() -> None:
    """Give up the right to ignore file modes, then become the program in the arguments."""
    if os.geteuid() == 0:
        library = ctypes.CDLL(None, use_errno=True)
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            if library.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "cannot drop a capability")
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
