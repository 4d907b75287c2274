"""Tests of the delta encoder and of both decoders."""
