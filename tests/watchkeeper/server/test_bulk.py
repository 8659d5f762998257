"""Elasticsearch's bulk API: what its clients send is kept, and answered item by item."""

import gzip
import socket
import threading
from collections.abc import Iterator

import httpx2
import orjson
import pytest
import uvicorn

from watchkeeper.backend import Backend
from watchkeeper.clock import SystemClock
from watchkeeper.errors import OverloadError, StoreFullError
from watchkeeper.server.access import Access
from watchkeeper.server.application import Application

NOW = "2023-11-14T22:13:19Z"
NDJSON = {"content-type": "application/x-ndjson"}


def lines(*documents: object) -> bytes:
    return b"".join(orjson.dumps(document) + b"\n" for document in documents)


SOLD = lines({"create": {"_index": "shop"}}, {"@timestamp": NOW, "message": "sold a lamp"})


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/elasticsearch/_bulk", "/elasticsearch/web/_bulk"])
async def test_what_is_acknowledged_can_be_found(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.post(path, content=SOLD, headers=NDJSON)
    assert answer.status_code == 200
    assert answer.json()["errors"] is False
    assert answer.json()["items"][0]["create"]["status"] == 201
    found = (await client.get("/api/logs", params={"query": "lamp"})).json()["records"]
    assert [record["service"] for record in found] == ["shop"]


@pytest.mark.anyio
async def test_one_bad_document_does_not_spoil_the_others(client: httpx2.AsyncClient) -> None:
    bad = lines({"index": {"_index": "shop"}}, {"@timestamp": "yesterday"})
    answer = await client.post("/elasticsearch/_bulk", content=bad + SOLD, headers=NDJSON)
    first, second = answer.json()["items"]
    assert answer.json()["errors"] is True
    assert (first["index"]["status"], second["create"]["status"]) == (400, 201)
    assert "not a time" in first["index"]["error"]["reason"]


@pytest.mark.anyio
async def test_a_compressed_request_is_taken(client: httpx2.AsyncClient) -> None:
    headers = NDJSON | {"content-encoding": "gzip"}
    content = gzip.compress(SOLD)
    answer = await client.post("/elasticsearch/_bulk", content=content, headers=headers)
    assert answer.json()["errors"] is False


@pytest.mark.anyio
async def test_a_shipper_is_told_what_it_asks_before_it_sends(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/elasticsearch/")
    assert answer.headers["x-elastic-product"] == "Elasticsearch"
    assert answer.json()["version"]["number"]
    license = await client.get("/elasticsearch/_license", params={"human": "false"})
    assert license.json()["license"]["status"] == "active"
    features = (await client.get("/elasticsearch/_xpack")).json()["features"]
    assert features["ilm"] == {"available": False, "enabled": False}
    health = (await client.get("/elasticsearch/_cluster/health")).json()
    assert (health["status"], health["timed_out"]) == ("green", False)
    assert (await client.head("/elasticsearch/")).status_code == 200
    assert (await client.get("/elasticsearch")).json() == answer.json()


@pytest.mark.anyio
async def test_what_a_shipper_would_set_up_is_there_already(client: httpx2.AsyncClient) -> None:
    template = await client.get("/elasticsearch/_index_template/filebeat-8.19.0")
    assert template.json()["index_templates"][0]["name"] == "filebeat-8.19.0"
    policy = await client.get("/elasticsearch/_ilm/policy/filebeat")
    assert "filebeat" in policy.json()
    stream = await client.get("/elasticsearch/_data_stream/logs-shop-default")
    assert stream.json()["data_streams"][0]["name"] == "logs-shop-default"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/elasticsearch/_nodes/http", 404),
        ("POST", "/elasticsearch/shop/_search", 404),
        ("PUT", "/elasticsearch/_index_template/mine", 405),
    ],
)
async def test_what_is_not_done_is_refused_in_elasticsearchs_words(
    client: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["x-elastic-product"] == "Elasticsearch"
    assert answer.json()["status"] == status
    assert path in answer.json()["error"]["reason"]


@pytest.mark.anyio
async def test_what_cannot_be_read_is_refused_for_good(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/elasticsearch/_bulk", content=b"nonsense\n", headers=NDJSON)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "illegal_argument_exception"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "status"), [(StoreFullError("no room"), 503), (OverloadError("too much"), 429)]
)
async def test_what_may_be_tried_again_says_when(
    client: httpx2.AsyncClient,
    backend: Backend,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
) -> None:
    def refuse(records: object) -> None:
        raise error

    monkeypatch.setattr(backend.store.logs, "append", refuse)
    answer = await client.post("/elasticsearch/_bulk", content=SOLD, headers=NDJSON)
    assert answer.status_code == status
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["status"] == status


@pytest.fixture
def address(backend: Backend) -> Iterator[str]:
    """The server itself, on a port of its own."""
    application = Application(backend, access=Access(), clock=SystemClock())
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/elasticsearch"
        server.should_exit = True
        thread.join()
    application.close()


def test_elasticsearchs_own_client_sends_to_it(address: str, backend: Backend) -> None:
    elasticsearch = pytest.importorskip("elasticsearch")
    from elasticsearch.helpers import bulk

    documents = [{"@timestamp": NOW, "message": f"sold {number}"} for number in range(25)]
    with elasticsearch.Elasticsearch(address, http_compress=True) as shipper:
        assert shipper.info()["version"]["number"]
        kept, _ = bulk(shipper, documents, index="shop", chunk_size=10)
    assert kept == 25
    assert sum(backend.bulk.statistics().received.values()) == 25
