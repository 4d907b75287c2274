"""The four programs of the older tool family."""
