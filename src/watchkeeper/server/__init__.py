"""The HTTP APIs and the page."""
