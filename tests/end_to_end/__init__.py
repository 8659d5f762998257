"""Tests over one running stack. A package, so that what it shares ends with its last test."""
