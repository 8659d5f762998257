"""HTTP requests that a service answers: rate, errors, duration (the RED method)."""

from watchkeeper.contract import (
    Alert,
    Counter,
    Field,
    Histogram,
    Label,
    Panel,
    PanelKind,
    Part,
    Query,
    Row,
    Runbook,
    Signals,
    Span,
    Urgency,
)
from watchkeeper.conventions.queries import GOOD_BELOW_ONE_PERCENT, quantiles, share, slower
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
        "http.request.method_original",
        "http.route",
        "http.response.status_code",
        "url.path",
        "url.scheme",
        "client.address",
        "user_agent.original",
        "websocket.close_code",
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

ERRORS = f'{REQUESTS.name}{{status_code=~"5.."}}'
ROW = Row(
    "Requests",
    (
        Panel(
            title="Request rate",
            description="Requests a second by method and route template.",
            queries=(
                Query(
                    f"sum by (method, endpoint) (rate({REQUESTS.name}[5m]))",
                    "{{method}} {{endpoint}}",
                ),
            ),
            unit="reqps",
            width=10,
        ),
        Panel(
            title="Response time",
            description="How long requests take: half, 95 and 99 of a hundred are faster.",
            queries=quantiles(REQUEST_DURATION.name),
            unit="s",
            width=10,
        ),
        Panel(
            title="Error rate",
            description="Share of requests answered with a server error, over 5 minutes.",
            kind=PanelKind.STAT,
            queries=(
                Query(
                    f"(sum(rate({ERRORS}[5m])) or 0 * sum(rate({REQUESTS.name}[5m])))"
                    f" / sum(rate({REQUESTS.name}[5m]))",
                    "errors",
                ),
            ),
            unit="percentunit",
            thresholds=GOOD_BELOW_ONE_PERCENT,
            width=4,
        ),
    ),
)


def watched(error_ratio: float = 0.05, slow_seconds: float = 5.0) -> Part:
    """Return requests with alerts on more errors than `error_ratio` and on a 95th percentile
    above `slow_seconds`."""
    # The short window beside the long one lets the alert end when the errors do.
    both = " and ".join(
        f"{share(ERRORS, REQUESTS.name, window)} > {error_ratio:g}" for window in ("5m", "1m")
    )
    return Part(
        name="http",
        signals=SIGNALS,
        rows=(ROW,),
        alerts=(
            Alert(
                name="HighErrorRate",
                expression=both,
                for_seconds=120,
                severity=Urgency.CRITICAL,
                summary="High error rate",
                description=(
                    "{{ $value | humanizePercentage }} of the requests of the last 5 minutes were"
                    " answered with a server error."
                ),
            ),
            Alert(
                name="HighResponseTime",
                expression=slower(REQUEST_DURATION, slow_seconds),
                for_seconds=300,
                severity=Urgency.WARNING,
                summary="High response time",
                description=(
                    "One request in twenty takes longer than {{ $value | humanizeDuration }}."
                ),
            ),
        ),
        runbooks=(
            Runbook(
                "HighErrorRate",
                "Too many requests are answered with a server error.",
                (
                    "Look at *Error rate* and at traces with errors: the red span is the place.",
                    "After a deploy: roll back first, look for the reason later.",
                ),
            ),
            Runbook(
                "HighResponseTime",
                "One request in twenty takes too long.",
                (
                    "Look at *Response time* and the slowest traces: which span grew?",
                    "CPU at its limit: add processes. One dependency: see its own alerts.",
                ),
            ),
        ),
    )
