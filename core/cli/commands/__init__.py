"""One file per command. Importing them is cheap: the work's imports stand inside ``run``."""
