"""Diagrams as immutable, content-addressed versions: parse, normalise, lint, keep."""
