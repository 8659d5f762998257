"""The trace of a job is one tree, across the processes that had a part in it."""

from __future__ import annotations

import gzip
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from resume_optimizer.devstack.servers import RunningServers
from resume_optimizer.resumes import sample
from resume_optimizer.services import Services

pytestmark = [pytest.mark.anyio, pytest.mark.servers]


class Collector:
    """Takes spans as a backend does."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.app = Starlette(
            routes=[
                Route("/v1/traces", self._traces, methods=["POST"]),
                Route("/v1/logs", self._logs, methods=["POST"]),
            ]
        )

    async def _traces(self, request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return Response(media_type="application/x-protobuf")

    async def _logs(self, request: Request) -> Response:
        return Response(media_type="application/x-protobuf")

    def tree(self, trace_id: str) -> dict[bytes, Span]:
        wanted = bytes.fromhex(trace_id)
        return {span.span_id: span for span in self.spans if span.trace_id == wanted}


@pytest.fixture
async def deployed(
    services: Services, servers: RunningServers, serve: Any, process: Any, tmp_path: Path
) -> AsyncIterator[tuple[httpx2.AsyncClient, Collector]]:
    """The API on an inherited socket, a worker, and a collector for both."""
    collector = Collector()
    async with serve(collector.app) as collected_at:
        environment = {
            **servers.environment,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collected_at,
            "WORKER_METRICS_ADDRESS": "127.0.0.1:0",
            "WATCHKEEPER_LOG": str(tmp_path / "log.jsonl"),
        }
        with socket.create_server(("127.0.0.1", 0)) as listening:
            number = listening.fileno()
            async with (
                process("resume_optimizer.api", environment, "--fd", str(number), fd=number),
                process("resume_optimizer.jobs", environment),
                httpx2.AsyncClient(
                    base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=60.0
                ) as client,
            ):
                yield client, collector


async def test_request_queue_parse_llm_sql_and_s3_are_one_tree(
    deployed: tuple[httpx2.AsyncClient, Collector], eventually: Any, tmp_path: Path
) -> None:
    client, collector = deployed
    credentials = {"email": "ada@example.org", "password": "correct horse battery"}
    token = (await client.post("/api/register", json=credentials)).json()["token"]
    client.headers["authorization"] = f"Bearer {token}"
    files = {"file": ("resume.pdf", sample.read(sample.PDF))}
    resume_id = (await client.post("/api/resumes", files=files)).json()["id"]
    wanted = {"resume_id": resume_id, "posting_text": sample.read_text(sample.POSTING)}
    job = (await client.post("/api/jobs", json=wanted)).json()

    async def look() -> dict[bytes, Span] | None:
        tree = collector.tree(job["trace_id"])
        names = {span.name for span in tree.values()}
        return tree if {"POST /api/jobs", "process optimise_resume"} <= names else None

    tree = await eventually(look)

    roots = [span.name for span in tree.values() if span.parent_span_id not in tree]
    assert roots == ["POST /api/jobs"]
    assert path_of(tree, "llm_api_call") == [
        "POST /api/jobs",
        "enqueue jobs",
        "process optimise_resume",
        "resume_optimization_job",
        "llm_api_call",
    ]
    assert path_of(tree, "file_processing")[-2] == "resume_optimization_job"
    assert path_of(tree, "write_documents")[-2] == "resume_optimization_job"
    assert path_of(tree, "get resume-optimizer")[-2] == "resume_optimization_job"
    assert path_of(tree, "put resume-optimizer")[-2] == "resume_optimization_job"
    assert path_of(tree, "INSERT results")[-2] == "resume_optimization_job"
    job_span = next(span for span in tree.values() if span.name == "resume_optimization_job")
    attributes = {each.key: each.value for each in job_span.attributes}
    assert attributes["job.id"].string_value == job["id"]
    assert attributes["job.outcome"].string_value == "success"
    lines = [orjson.loads(line) for line in (tmp_path / "log.jsonl").read_bytes().splitlines()]
    of_the_job = [line for line in lines if line.get("job_id") == job["id"]]
    of_the_job.sort(key=lambda line: line["@timestamp"])
    assert [line["message"] for line in of_the_job] == [
        "Job requested",
        "Job started",
        "Job completed",
    ]
    assert {line["trace_id"] for line in of_the_job} == {job["trace_id"]}


def path_of(tree: dict[bytes, Span], name: str) -> list[str]:
    """Return the names from the root to the first span of this name."""
    span = next(span for span in tree.values() if span.name == name)
    path = [span.name]
    while span.parent_span_id in tree:
        span = tree[span.parent_span_id]
        path.insert(0, span.name)
    return path
