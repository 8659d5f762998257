"""HTTP requests that a service makes."""

from watchkeeper.contract import (
    Alert,
    Histogram,
    Label,
    Panel,
    Part,
    Query,
    Row,
    Runbook,
    Signals,
    Span,
    Urgency,
)
from watchkeeper.conventions.http import METHOD
from watchkeeper.conventions.queries import quantile
from watchkeeper.model import SpanKind

NO_ANSWER = "none"
"""The status code of a request that was not answered."""

REQUEST_DURATION = Histogram(
    name="http_client_request_duration_seconds",
    help="Time of an HTTP request to another system, those that were not answered too.",
    labels=(
        METHOD,
        Label("host", limit=20),
        Label("status_code", pattern=rf"[1-5]\d\d|{NO_ANSWER}", limit=15),
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

FAILED = f'{REQUEST_DURATION.name}_count{{status_code=~"5..|{NO_ANSWER}"}}'
ROW = Row(
    "Requests to others",
    (
        Panel(
            title="Requests to others",
            description="Requests a second by host and status code.",
            queries=(
                Query(
                    f"sum by (host, status_code) (rate({REQUEST_DURATION.name}_count[5m]))",
                    "{{host}} {{status_code}}",
                ),
            ),
            unit="reqps",
        ),
        Panel(
            title="Response time of others",
            description="How long 95 of a hundred requests to each host take at most.",
            queries=(Query(quantile(0.95, REQUEST_DURATION.name, "host"), "{{host}}"),),
            unit="s",
        ),
    ),
)


def watched(failure_ratio: float = 0.1) -> Part:
    """Return requests to others with an alert on a host that fails more than `failure_ratio`."""
    whole = f"{REQUEST_DURATION.name}_count"
    return Part(
        name="http-client",
        signals=SIGNALS,
        rows=(ROW,),
        alerts=(
            Alert(
                name="UpstreamFailures",
                expression=(
                    f"sum by (host) (rate({FAILED}[5m]))"
                    f" / sum by (host) (rate({whole}[5m])) > {failure_ratio:g}"
                ),
                for_seconds=120,
                severity=Urgency.WARNING,
                summary="Requests to {{ $labels.host }} fail",
                description=(
                    "{{ $value | humanizePercentage }} of the requests of the last 5 minutes"
                    " failed or were not answered."
                ),
            ),
        ),
        runbooks=(
            Runbook(
                "UpstreamFailures",
                "A system that the service asks fails or does not answer.",
                (
                    "Look at *Requests to others*: which status code? Is it their outage?",
                    "Ask less, wait longer between tries, or do without it.",
                ),
            ),
        ),
    )
