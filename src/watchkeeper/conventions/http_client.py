"""HTTP requests that a service makes."""

from watchkeeper.contract import Histogram, Label, Signals, Span
from watchkeeper.conventions.http import METHOD
from watchkeeper.model import SpanKind

NO_ANSWER = "none"
"""The status code of a request that was not answered."""

REQUEST_DURATION = Histogram(
    name="http_client_request_duration_seconds",
    help="Time of an HTTP request to another system, those that were not answered too.",
    labels=(
        METHOD,
        Label("host", limit=50),
        Label("status_code", pattern=rf"[1-5]\d\d|{NO_ANSWER}", limit=60),
    ),
    unit="seconds",
)
REQUEST_SPAN = Span(
    "HTTP client request",
    "One request to another system, named by its method.",
    SpanKind.CLIENT,
    attributes=(
        "http.request.method",
        "http.response.status_code",
        "server.address",
        "server.port",
        "url.full",
        "error.type",
    ),
)

SIGNALS = Signals(metrics=(REQUEST_DURATION,), spans=(REQUEST_SPAN,))
