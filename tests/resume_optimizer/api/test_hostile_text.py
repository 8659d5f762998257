"""Text that no file and no hash can hold, and addresses that lead elsewhere: refused, never a
fault of the program."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

JSON = {"content-type": "application/json"}


def refused(answer: httpx2.Response) -> bool:
    return (answer.status_code, answer.json()["error"]["code"]) == (422, "request_invalid")


@pytest.mark.parametrize("path", ["/api/register", "/api/login"])
@pytest.mark.parametrize("field", ["email", "password"])
async def test_half_a_character_is_no_credential(
    api: httpx2.AsyncClient, path: str, field: str
) -> None:
    credentials = {"email": "a@example.org", "password": "correct horse", field: "half \ud800"}

    assert refused(await api.post(path, content=_json(credentials), headers=JSON))


@pytest.mark.parametrize("field", ["posting_text", "posting_url"])
async def test_half_a_character_is_no_posting(person: Any, field: str) -> None:
    wanted = {"resume_id": await person.resume(), field: "half \ud800 " * 20}

    assert refused(await person.post("/api/jobs", content=_json(wanted), headers=JSON))


async def test_a_form_in_a_charset_that_is_none_is_refused(person: Any) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="+2AA-\xff.txt"\r\n\r\n'
        b"words\r\n"
        b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n+2AA-\xff\r\n--b--\r\n'
    )
    headers = {"content-type": "multipart/form-data; boundary=b; charset=undefined"}

    answer = await person.post("/api/resumes", content=body, headers=headers)

    assert refused(answer)


async def test_nobody_is_sent_to_the_host_that_a_request_names(api: httpx2.AsyncClient) -> None:
    answer = await api.get("/login/", headers={"host": "elsewhere.example"})

    assert answer.status_code == 404
    assert "location" not in answer.headers


def _json(fields: dict[str, str]) -> bytes:
    return json.dumps(fields).encode()
