"""SUIT manifests: one compiler and one model, and an encoding table for each wire format."""
