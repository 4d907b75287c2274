"""Statements and bills of materials."""
