"""Calls of S3 by botocore, watched by OpenTelemetry's instrumentation: prints the spans.

Run in an environment of its own: botocore wants an older python-dateutil than the tests do.
"""

from __future__ import annotations

import json
import os
import sys

import botocore.exceptions
import botocore.session
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor

from watchkeeper import Contract, Signals, Span
from watchkeeper.testing import capture

WORK = Span("work", "Some work.")


def main() -> None:
    """Put an object, get it, and ask for one that is not there."""
    BotocoreInstrumentor().instrument()
    bucket = os.environ["OBJECTS_BUCKET"]
    client = botocore.session.get_session().create_client(
        "s3",
        region_name=os.environ["OBJECTS_REGION"],
        endpoint_url=os.environ["OBJECTS_ENDPOINT"],
        aws_access_key_id=os.environ["OBJECTS_ACCESS_KEY"],
        aws_secret_access_key=os.environ["OBJECTS_SECRET_KEY"],
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )
    contract = Contract(service="s", version="1", signals=Signals(spans=(WORK,)))
    with capture(contract) as seen:
        with seen.telemetry.span(WORK):
            client.put_object(Bucket=bucket, Key="theirs", Body=b"hello")
            read = client.get_object(Bucket=bucket, Key="theirs")["Body"].read()
            try:
                client.get_object(Bucket=bucket, Key="nowhere")
            except botocore.exceptions.ClientError as error:
                refused = error.response["Error"]["Code"]
        spans = [
            {
                "name": span.name,
                "scope": span.scope.name,
                "kind": span.kind.name,
                "status": span.status.name,
                "span_id": span.span_id,
                "parent": span.parent_span_id,
                "attributes": dict(span.attributes),
                "events": [event.name for event in span.events],
            }
            for span in seen.spans
        ]
    told = {"read": read.decode(), "refused": refused, "spans": spans}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
