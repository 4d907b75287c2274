"""Devices that are no hardware: they poll a server, check, download, install and report."""
