"""Simulated devices against a scripted server."""
