"""The PlatformIO plugin in real ``pio`` runs on a tiny project, without any registry."""
