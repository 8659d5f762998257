from typing import Any

import httpx2
import pytest
import yaml

from watchkeeper.backend import Backend
from watchkeeper.model import FiringAlert, labels

pytestmark = pytest.mark.anyio

API = "/alertmanager/api/v2"
NOW_NS = 1_700_000_000_000_000_000
LATER = "2023-11-14T23:13:20Z"
EARLIER = "2023-11-14T22:00:00Z"
SILENCE = {
    "matchers": [{"name": "job", "value": "work.*", "isRegex": True, "isEqual": True}],
    "startsAt": EARLIER,
    "endsAt": LATER,
    "createdBy": "someone",
    "comment": "known",
}


@pytest.fixture
def firing(backend: Backend) -> None:
    backend.notifier.put(
        [
            FiringAlert(
                labels({"alertname": "TargetDown", "job": job, "severity": severity}),
                labels({"summary": f"{job} is down"}),
                NOW_NS - 60 * 10**9,
                None,
            )
            for job, severity in (("api", "warning"), ("worker", "critical"))
        ]
    )


async def jobs(client: httpx2.AsyncClient, **parameters: Any) -> list[str]:
    answer = await client.get(f"{API}/alerts", params=parameters)
    assert answer.status_code == 200, answer.text
    return sorted(alert["labels"]["job"] for alert in answer.json())


async def test_the_status_shows_the_configuration_without_its_secrets(
    client: httpx2.AsyncClient,
) -> None:
    status = (await client.get(f"{API}/status")).json()
    original = status["config"]["original"]
    assert yaml.safe_load(original)["route"]["receiver"] == "everybody"
    assert "secret-path" not in original
    assert status["uptime"].startswith("2023-11-14")


@pytest.mark.usefixtures("firing")
async def test_an_alert_says_whom_it_goes_to(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"{API}/alerts", params={"filter": 'severity="critical"'})
    (alert,) = answer.json()
    assert alert["receivers"] == [{"name": "on-call"}]
    assert alert["status"]["state"] == "active"
    assert len(alert["fingerprint"]) == 16
    assert alert["startsAt"] == "2023-11-14T22:12:20.000Z"


@pytest.mark.usefixtures("firing")
async def test_alerts_are_filtered(client: httpx2.AsyncClient) -> None:
    assert await jobs(client) == ["api", "worker"]
    assert await jobs(client, filter=['job=~"a.*"', 'severity!="critical"']) == ["api"]
    assert await jobs(client, receiver="on-.*") == ["worker"]
    assert await jobs(client, active="false") == []


@pytest.mark.usefixtures("firing")
async def test_a_silence_suppresses_until_it_is_expired(client: httpx2.AsyncClient) -> None:
    posted = await client.post(f"{API}/silences", json=SILENCE)
    silence_id = posted.json()["silenceID"]
    assert await jobs(client, silenced="false") == ["api"]
    shown = (await client.get(f"{API}/silence/{silence_id}")).json()
    assert shown["status"] == {"state": "active"}
    assert shown["matchers"] == SILENCE["matchers"]
    assert (await client.get(f"{API}/silences", params={"filter": 'job="x"'})).json() == []
    assert (await client.delete(f"{API}/silence/{silence_id}")).status_code == 200
    assert await jobs(client, silenced="false") == ["api", "worker"]


@pytest.mark.parametrize(
    "change",
    [
        {"endsAt": EARLIER},
        {"endsAt": "soon"},
        {"matchers": []},
        {"matchers": [{"name": "job", "value": "(", "isRegex": True}]},
        {"matchers": "all"},
    ],
)
async def test_what_cannot_be_a_silence_is_refused_with_a_sentence(
    client: httpx2.AsyncClient, change: dict[str, Any]
) -> None:
    answer = await client.post(f"{API}/silences", json=SILENCE | change)
    assert answer.status_code == 400
    assert isinstance(answer.json(), str)


async def test_a_silence_that_is_not_known_is_404(client: httpx2.AsyncClient) -> None:
    for answer in (
        await client.get(f"{API}/silence/none"),
        await client.delete(f"{API}/silence/none"),
        await client.post(f"{API}/silences", json=SILENCE | {"id": "none"}),
    ):
        assert answer.status_code == 404


async def test_what_is_not_part_of_the_api_is_said_as_json(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"{API}/nothing")
    assert answer.status_code == 404
    assert answer.json() == f"{API}/nothing is not part of this API"
    answer = await client.put(f"{API}/silences")
    assert (answer.status_code, answer.json()) == (405, f"{API}/silences does not take PUT")


async def test_good_alerts_count_even_beside_bad_ones(client: httpx2.AsyncClient) -> None:
    good = {"labels": {"alertname": "Posted", "job": "batch"}, "generatorURL": "http://x"}
    answer = await client.post(f"{API}/alerts", json=[good, {"labels": {}}])
    assert answer.status_code == 400
    assert await jobs(client) == ["batch"]


@pytest.mark.usefixtures("firing")
async def test_groups_hold_what_is_notified_together(client: httpx2.AsyncClient) -> None:
    groups = (await client.get(f"{API}/alerts/groups")).json()
    assert sorted(group["receiver"]["name"] for group in groups) == ["everybody", "on-call"]
    (alert,) = groups[0]["alerts"]
    assert alert["labels"]["alertname"] == "TargetDown"


@pytest.mark.parametrize(
    "parameters", [{"filter": "nonsense"}, {"active": "maybe"}, {"receiver": "("}]
)
async def test_a_filter_that_makes_no_sense_is_refused(
    client: httpx2.AsyncClient, parameters: dict[str, str]
) -> None:
    assert (await client.get(f"{API}/alerts", params=parameters)).status_code == 400


async def test_receivers_are_listed(client: httpx2.AsyncClient) -> None:
    names = (await client.get(f"{API}/receivers")).json()
    assert names == [{"name": "everybody"}, {"name": "on-call"}]


async def test_a_silence_whose_end_could_not_be_listed_is_refused(
    client: httpx2.AsyncClient,
) -> None:
    endless = {**SILENCE, "endsAt": "9999-12-31T23:59:59-01:00"}
    assert (await client.post(f"{API}/silences", json=endless)).status_code == 400
    assert (await client.get(f"{API}/silences")).json() == []
