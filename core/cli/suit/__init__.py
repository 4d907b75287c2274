"""What ``fotabuild suit`` and ``suit-tool`` have in common."""
