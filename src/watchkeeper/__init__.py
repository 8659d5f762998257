"""Watchkeeper: monitoring for Python services that proves the watching works."""
