"""Our artifacts and manifest-tool 2.6.2, run as a black box: each reads what the other wrote."""
