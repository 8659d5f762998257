"""The index knows every line that the service really writes, field by field."""

import json
import logging
from datetime import datetime

import httpx2
import pytest
from elasticsearch.dsl import field as dsl
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from resume_optimizer.telemetry import CONTRACT
from watchkeeper import ContractError, Field, LogEvent, Settings, Signals, instrument
from watchkeeper.contract import Contract
from watchkeeper.render import elasticsearch

pytestmark = pytest.mark.anyio

VALUES = {str: "text", int: 7, float: 0.25, bool: True}
FITS = {
    "keyword": lambda value: isinstance(value, str),
    "text": lambda value: isinstance(value, str),
    "long": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "double": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "date_nanos": lambda value: datetime.fromisoformat(value[:26] + "Z").tzinfo is not None,
}


def bodies(contract):
    return {one.path.stem: json.loads(one.text) for one in elasticsearch.documents(contract)}


def misfits(line, properties, path=""):
    """Return the fields of a line that the mapping lacks or types otherwise."""
    for name, value in line.items():
        declared = properties.get(name)
        if declared is None:
            yield f"{path}{name} is not mapped"
        elif "properties" in declared:
            yield from misfits(value, declared["properties"], f"{path}{name}.")
        elif not FITS[declared["type"]](value):
            yield f"{path}{name} is a {declared['type']}, not {value!r}"


async def lines_of_everything(path):
    """Write every line that the contract knows: events, requests, exceptions."""

    async def works(request):
        return PlainTextResponse("fine")

    async def fails(request):
        raise ValueError("as asked")

    app = Starlette(routes=[Route("/works/{name}", works), Route("/fails", fails)])
    watch = instrument(app, CONTRACT, Settings(log=str(path), background=False))
    with watch:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
            await client.get("/works/42?token=secret")
            await client.get("/fails")
            await client.get("/nowhere")
        for event in CONTRACT.signals.events:
            watch.log(event, **{field.name: VALUES[field.type] for field in event.fields})
        try:
            raise LookupError("lost")
        except LookupError:
            logging.getLogger("shelf").exception("not found")
        watch.flush()
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_every_field_of_every_line_is_mapped_to_its_type(tmp_path):
    lines = await lines_of_everything(tmp_path / "service.jsonl")
    properties = bodies(CONTRACT)["index_template"]["template"]["mappings"]["properties"]
    assert {line.get("event") for line in lines} >= {one.name for one in CONTRACT.signals.events}
    assert any("exception" in line for line in lines)
    assert {line["status_code"] for line in lines if "status_code" in line} >= {200, 500, 404}
    assert [wrong for line in lines for wrong in misfits(line, properties)] == []


def test_every_type_of_the_mapping_is_one_of_elasticsearchs():
    template = bodies(CONTRACT)["index_template"]["template"]["mappings"]
    for name, declared in template["properties"].items():
        parts = declared.get("properties", {name: declared})
        for part in parts.values():
            dsl.construct_field(dict(part))


def test_the_template_names_the_policy_and_the_pipeline_that_are_rendered():
    found = bodies(CONTRACT)
    settings = found["index_template"]["template"]["settings"]
    name = elasticsearch.policy_name(CONTRACT)
    assert settings["index.lifecycle.name"] == settings["index.default_pipeline"] == name
    assert found["index_template"]["data_stream"] == {}
    assert elasticsearch.data_stream(CONTRACT).startswith(
        found["index_template"]["index_patterns"][0].removesuffix("*")
    )


def test_lines_go_after_the_declared_number_of_days():
    phases = bodies(CONTRACT)["lifecycle_policy"]["policy"]["phases"]
    assert phases["delete"]["min_age"] == f"{CONTRACT.log_retention_days}d"


def test_a_field_named_like_one_of_every_line_is_mapped_as_it_is_written():
    event = LogEvent("moved", "Moved", fields=(Field("service"), Field("level", int)))
    contract = Contract(service="shop", version="1", signals=Signals(events=(event,)))
    found = elasticsearch.properties(contract)
    assert found["service"] == {"type": "keyword"}
    assert found["service_"]["type"] == "keyword"
    assert found["level_"] == {"type": "long"}


def test_a_field_has_one_type_in_all_events():
    one = LogEvent("packed", "Packed", fields=(Field("size", int),))
    other = LogEvent("sent", "Sent", fields=(Field("size"),))
    with pytest.raises(ContractError, match="sent: field size is str, but int in packed"):
        Contract(service="shop", version="1", signals=Signals(events=(one, other)))
