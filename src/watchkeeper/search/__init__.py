"""The query language of logs."""

from watchkeeper.search.log_query import parse_log_query

__all__ = ["parse_log_query"]
