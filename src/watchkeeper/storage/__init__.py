"""The embedded store; the only place that imports duckdb."""
