"""Prometheus remote write: POST /prometheus/api/v1/write, versions 1.0 and 2.0.

Source: prometheus.io, "Remote-Write 1.0" and "2.0". 4xx means never again, 429 and 5xx mean
later; what is acknowledged is on disk.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watchkeeper.ingest.remote_write import RemoteWriteReceiver, Written
from watchkeeper.server.answers import Endpoint, Refusal
from watchkeeper.server.intake import Intake, not_taken
from watchkeeper.wire.remote_write import Version

PATH = "/prometheus/api/v1/write"
_MEDIA_TYPE = "application/x-protobuf"
_WRITTEN = "x-prometheus-remote-write-{}-written"


def routes(receiver: RemoteWriteReceiver, intake: Intake) -> list[Route]:
    """Return the endpoint."""
    return [Route(PATH, _endpoint(receiver, intake), methods=["POST"])]


def _endpoint(receiver: RemoteWriteReceiver, intake: Intake) -> Endpoint:
    async def write(request: Request) -> Response:
        try:
            version = _version(request)
            written = await intake.read(
                request, lambda data, tenant: receiver.receive(data, version, tenant)
            )
        except Exception as error:  # noqa: BLE001 - the edge: not_taken logs what is unexpected
            # Of what Prometheus may send again, only 5xx are always sent again.
            failure = not_taken(error, overload_status=503)
            headers = failure.headers | _counts(Written(0, 0, 0, ""))
            return PlainTextResponse(f"{failure.message}\n", failure.status, headers)
        if written.problem:
            return PlainTextResponse(f"{written.problem}\n", 400, _counts(written))
        return Response(None, 204, _counts(written))

    return write


def _version(request: Request) -> Version:
    """Return what a request holds, 1.0 unless it says otherwise. Raises Refusal 415."""
    encoding = request.headers.get("content-encoding", "snappy").strip().lower()
    if encoding != "snappy":
        raise Refusal(415, "bad_encoding", f"Content-Encoding {encoding!r}: send snappy")
    kind = request.headers.get("content-type", _MEDIA_TYPE)
    media_type, *parameters = [part.strip() for part in kind.split(";")]
    names = dict(part.split("=", 1) for part in parameters if "=" in part)
    message = names.get("proto", Version.V1.value).strip('"')
    if media_type.lower() != _MEDIA_TYPE or message not in list(Version):
        wanted = " or ".join(f"{_MEDIA_TYPE};proto={version}" for version in Version)
        raise Refusal(415, "bad_content_type", f"Content-Type {kind!r}: send {wanted}")
    return Version(message)


def _counts(written: Written) -> dict[str, str]:
    counts = {
        "samples": written.samples,
        "histograms": written.histograms,
        "exemplars": written.exemplars,
    }
    return {_WRITTEN.format(name): str(count) for name, count in counts.items()}
