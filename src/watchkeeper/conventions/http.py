"""HTTP requests that a service answers: rate, errors, duration (the RED method)."""

from watchkeeper.contract import Counter, Field, Histogram, Label, Signals, Span
from watchkeeper.model import SpanKind

UNMATCHED = "unmatched"
"""The endpoint of a request that no route took: one value, whatever was asked for."""

METHOD = Label("method", values=("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))
ENDPOINT = Label("endpoint", limit=200)
STATUS_CODE = Label("status_code", pattern=r"[1-5]\d\d", limit=60)

REQUESTS = Counter(
    name="http_requests_total",
    help="HTTP requests answered, by method, route template and status code.",
    labels=(METHOD, ENDPOINT, STATUS_CODE),
)
REQUEST_DURATION = Histogram(
    name="http_request_duration_seconds",
    help="Time from the first byte of a request to the last of its answer.",
    labels=(METHOD, ENDPOINT),
    unit="seconds",
)
REQUEST_SPAN = Span(
    "HTTP request",
    "One request, named by method and route template.",
    SpanKind.SERVER,
    attributes=(
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "url.path",
        "url.scheme",
        "client.address",
        "user_agent.original",
        "error.type",
    ),
)
BACKGROUND_SPAN = Span(
    "background task",
    "Work that a request left for after its answer, named by its function, linked to the request.",
    attributes=("code.function.name", "error.type"),
)

ACCESS_FIELDS = (
    Field("method"),
    Field("endpoint"),
    Field("status_code", int),
    Field("path"),
    Field("duration_seconds", float),
    Field("client"),
    Field("error_type"),
)
"""What the access line of a request says beside the fields that every line has."""

SIGNALS = Signals(metrics=(REQUESTS, REQUEST_DURATION), spans=(REQUEST_SPAN, BACKGROUND_SPAN))
