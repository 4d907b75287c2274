"""The command lines of the manifest-tool 2.x family, on the same core as ``fotabuild``.

``python -m fotabuild.cli.dropin.manifest_tool`` and so on; each has ``entry_point(argv) -> int``.
"""
