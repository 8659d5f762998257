"""Go's text/template as Prometheus' annotations and Alertmanager's messages use it."""

from watchkeeper.templates.functions import (
    QueryFunction,
    alertmanager_functions,
    prometheus_functions,
)
from watchkeeper.templates.moment import ZERO_NS, Moment, Span
from watchkeeper.templates.template import Functions, Library, Template, compile
from watchkeeper.templates.values import KeyValues, Pairs, Record, SafeHtml

__all__ = [
    "ZERO_NS",
    "Functions",
    "KeyValues",
    "Library",
    "Moment",
    "Pairs",
    "QueryFunction",
    "Record",
    "SafeHtml",
    "Span",
    "Template",
    "alertmanager_functions",
    "compile",
    "prometheus_functions",
]
