"""The query language of logs."""
