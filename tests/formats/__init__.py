"""Tests of the formats: against golden files, by properties, and on damaged bytes."""
