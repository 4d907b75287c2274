"""One file per artifact: read the inputs, make it, check it as a device would, write it."""
