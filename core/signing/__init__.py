"""Keys, certificates and signatures. Knows nothing of what is signed."""
