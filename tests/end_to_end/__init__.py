"""Build system, publisher, server and devices together."""
