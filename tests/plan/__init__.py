"""Tests of the plan: which steps a build has, in which order, and what they would write."""
