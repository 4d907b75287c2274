"""SUIT manifests."""
