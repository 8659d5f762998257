"""Formats, encoding and decoding side by side."""
