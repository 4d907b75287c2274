"""Bad input: what must be refused, and how."""
