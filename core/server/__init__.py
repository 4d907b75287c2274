"""The local update server: Device Management's API without an account, and a device side."""
