import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from tests.resume_optimizer.conftest import serve

from resume_optimizer.devstack.vendor import DEVELOPMENT_KEY, Vendor, create_vendor
from resume_optimizer.llm.answer import read_answer
from resume_optimizer.llm.prompt import build_request
from resume_optimizer.llm.provider import (
    CompletionRequest,
    Provider,
    ProviderFailure,
    provider_from_settings,
)
from resume_optimizer.resumes.sample import POSTING, RESUME, read_text
from resume_optimizer.resumes.structure import structure
from resume_optimizer.settings import LlmSettings, SettingsError

pytestmark = pytest.mark.anyio

SAMPLE = structure(read_text(RESUME))
REQUEST = build_request(SAMPLE, read_text(POSTING))
MODELS = {"openai": "gpt-5.4-mini", "anthropic": "claude-sonnet-5"}
VENDORS = list(MODELS)


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A vendor that listens on loopback."""
    async with serve(create_vendor(Vendor()), grace_seconds=0) as url:
        yield url


def settings(vendor: str, address: str, **others: Any) -> LlmSettings:
    given = {
        "provider": vendor,
        "model": MODELS.get(vendor, ""),
        "api_key": DEVELOPMENT_KEY,
        "base_url": f"{address}/v1" if vendor == "openai" else address,
        "timeout_seconds": 60.0,
    }
    return LlmSettings(**{**given, **others})


async def put_in(address: str, mode: str, **others: float) -> None:
    async with httpx2.AsyncClient(timeout=60, trust_env=False) as client:
        response = await client.post(f"{address}/faults", json={"mode": mode, **others})
        assert response.status_code == 200, response.text


async def failure(provider: Provider, request: CompletionRequest = REQUEST) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as raised:
        await provider.complete(request)
    await provider.close()
    return raised.value


@pytest.mark.parametrize("vendor", VENDORS)
async def test_each_protocol_gets_a_usable_answer_and_its_usage(address: str, vendor: str) -> None:
    provider = provider_from_settings(settings(vendor, address))
    completion = await provider.complete(REQUEST)
    await provider.close()
    assert read_answer(completion.text, SAMPLE).skills[0] == "Kubernetes"
    assert completion.model == provider.model == MODELS[vendor]
    assert provider.name == vendor
    assert completion.usage.input_tokens > 500
    assert completion.usage.output_tokens > 100
    assert not completion.usage.estimated


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    ("mode", "kind"), [("errors", "error"), ("rate_limited", "rate_limited"), ("hang", "timeout")]
)
async def test_each_fault_is_a_failure_of_its_kind(
    address: str, vendor: str, mode: str, kind: str
) -> None:
    await put_in(address, mode)
    patience = {"timeout_seconds": 0.3} if mode == "hang" else {}
    provider = provider_from_settings(settings(vendor, address, **patience))
    assert (await failure(provider)).kind == kind
    await put_in(address, "none")
    again = provider_from_settings(settings(vendor, address))
    assert (await again.complete(REQUEST)).text
    await again.close()


async def test_a_slow_vendor_still_answers(address: str) -> None:
    await put_in(address, "slow", delay_seconds=0.05)
    provider = provider_from_settings(settings("openai", address))
    assert (await provider.complete(REQUEST)).text
    await provider.close()


async def test_garbage_is_an_answer_that_cannot_be_used(address: str) -> None:
    await put_in(address, "garbage")
    provider = provider_from_settings(settings("openai", address))
    assert (await provider.complete(REQUEST)).text.startswith("Certainly!")
    await provider.close()


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_wrong_key_is_refused_and_not_repeated_in_the_message(
    address: str, vendor: str
) -> None:
    provider = provider_from_settings(settings(vendor, address, api_key="the-wrong-key"))
    refused = await failure(provider)
    assert refused.kind == "refused"
    assert "the-wrong-key" not in refused.message
    assert "LLM_API_KEY" in refused.message


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_vendor_that_is_not_there_is_an_error(vendor: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert (await failure(provider_from_settings(settings(vendor, nobody)))).kind == "error"


async def test_models_are_listed_and_unknown_faults_are_refused(address: str) -> None:
    async with httpx2.AsyncClient(timeout=60, trust_env=False, base_url=address) as client:
        models = (await client.get("/v1/models")).json()
        assert {"gpt-5.4-mini"} <= {one["id"] for one in models["data"]}
        assert (await client.post("/faults", json={"mode": "earthquake"})).status_code == 400
        asked = await client.post(
            "/v1/chat/completions",
            content=b"not json",
            headers={"authorization": f"Bearer {DEVELOPMENT_KEY}"},
        )
        assert asked.status_code == 400
        assert asked.json()["error"]["type"] == "invalid_request_error"


async def test_rate_limits_say_when_to_come_back_in_the_vendors_words(address: str) -> None:
    await put_in(address, "rate_limited")
    async with httpx2.AsyncClient(timeout=60, trust_env=False, base_url=address) as client:
        asked = await client.post("/v1/messages", json={}, headers={"x-api-key": DEVELOPMENT_KEY})
    assert (asked.status_code, asked.headers["retry-after"]) == (429, "20")
    assert asked.json()["error"]["type"] == "rate_limit_error"


async def test_a_server_that_speaks_nonsense_is_an_error() -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi")
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    async with server:
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for vendor in VENDORS:
            provider = provider_from_settings(settings(vendor, base))
            assert (await failure(provider)).kind == "error"


@pytest.mark.parametrize(
    ("wrong", "variable"),
    [({"provider": "oracle"}, "LLM_PROVIDER"), ({"model": ""}, "LLM_MODEL")],
)
def test_a_setting_that_cannot_be_used_is_named(wrong: dict[str, str], variable: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        provider_from_settings(settings(**{"vendor": "openai", "address": "", **wrong}))
