"""The ``fotabuild`` command line."""
