"""Bring finished artifacts to devices: folders, storage, and update campaigns of a service."""
