import threading
from dataclasses import replace
from threading import Event
from typing import Any

import httpx2
import pytest

from watchkeeper.backend import Backend
from watchkeeper.clock import SystemClock
from watchkeeper.errors import QueryLimitError
from watchkeeper.promql import Expression, parse
from watchkeeper.server import prometheus_parameters
from watchkeeper.server.access import Access
from watchkeeper.server.application import Application
from watchkeeper.server.prometheus_lookups import unescape_name

pytestmark = pytest.mark.anyio

API = "/prometheus/api/v1"
NOW = 1_700_000_000


async def data(client: httpx2.AsyncClient, path: str, **parameters: Any) -> Any:
    answer = await client.get(f"{API}/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    content = answer.json()
    assert content["status"] == "success"
    return content["data"]


async def test_an_instant_query_is_answered_by_get_and_by_form(client: httpx2.AsyncClient) -> None:
    expected = {
        "resultType": "vector",
        "result": [{"metric": {"__name__": "up", "job": "api"}, "value": [NOW, "1"]}],
    }
    query = {"query": 'up{job="api"}', "time": str(NOW)}
    assert await data(client, "query", **query) == expected
    posted = await client.post(f"{API}/query", data=query)
    assert posted.json()["data"] == expected


async def test_grafanas_health_query_is_a_scalar(client: httpx2.AsyncClient) -> None:
    assert await data(client, "query", query="1+1") == {
        "resultType": "scalar",
        "result": [NOW, "2"],
    }


async def test_a_range_query_has_a_value_a_step(client: httpx2.AsyncClient) -> None:
    found = await data(client, "query_range", query="sum(up)", start=NOW - 120, end=NOW, step="1m")
    assert found["resultType"] == "matrix"
    assert found["result"][0]["values"] == [[NOW - 120, "1"], [NOW - 60, "1"], [NOW, "1"]]


async def test_more_series_than_the_limit_are_cut_with_a_warning(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.get(f"{API}/query", params={"query": "up", "limit": "1"})
    assert len(answer.json()["data"]["result"]) == 1
    assert answer.json()["warnings"] == ["results truncated due to limit"]


@pytest.mark.parametrize(
    ("path", "parameters", "status", "kind", "message"),
    [
        (
            "query",
            {"query": "sum("},
            400,
            "bad_data",
            'invalid parameter "query": 1:5: parse error',
        ),
        ("query", {}, 400, "bad_data", 'invalid parameter "query"'),
        ("query", {"query": "1", "time": "x"}, 400, "bad_data", 'cannot parse "x"'),
        ("query", {"query": "1", "limit": "x"}, 400, "bad_data", 'invalid parameter "limit"'),
        ("series", {}, 400, "bad_data", "no match[] parameter provided"),
        ("series", {"match[]": "{"}, 400, "bad_data", 'invalid parameter "match[]"'),
        ("series", {"match[]": "{}"}, 400, "bad_data", "must contain at least one non-empty"),
        ("rules", {"group_next_token": "x"}, 400, "bad_data", "group_limit needs to be present"),
        ("rules", {"group_limit": "0"}, 400, "bad_data", "needs to be greater than 0"),
        ("rules", {"group_limit": "x"}, 400, "bad_data", "needs to be a valid number"),
        ("status/tsdb", {"limit": "0"}, 400, "bad_data", "limit must be a positive number"),
        ("rules", {"type": "x"}, 400, "bad_data", 'not supported value "x"'),
        ("nothing", {}, 404, "not_found", "not part of this API"),
    ],
)
async def test_an_error_has_prometheus_type_and_text(
    client: httpx2.AsyncClient,
    path: str,
    parameters: dict[str, str],
    status: int,
    kind: str,
    message: str,
) -> None:
    answer = await client.get(f"{API}/{path}", params=parameters)
    assert answer.status_code == status
    assert answer.json()["errorType"] == kind
    assert message in answer.json()["error"]


async def test_a_query_beyond_the_limits_is_an_execution_error(
    client: httpx2.AsyncClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **more: object) -> None:
        raise QueryLimitError("too many samples")

    monkeypatch.setattr(backend.engine, "instant", refuse)
    answer = await client.get(f"{API}/query", params={"query": "up"})
    assert (answer.status_code, answer.json()["errorType"]) == (422, "execution")


async def test_a_query_that_takes_too_long_is_a_timeout_and_is_told_to_stop(
    client: httpx2.AsyncClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, stopped = Event(), Event()

    def wait(query: str, moment_ms: int, *, lookback_ms: int | None, cancelled: Any) -> None:
        began.set()
        while not cancelled():
            stopped.wait(0.01)
        stopped.set()
        raise QueryLimitError("the query was cancelled")

    monkeypatch.setattr(backend.engine, "instant", wait)
    # On a busy machine the time may be over before a thread has begun: nothing is to stop then.
    while not began.is_set():
        answer = await client.get(f"{API}/query", params={"query": "up", "timeout": "20ms"})
        assert (answer.status_code, answer.json()["errorType"]) == (503, "timeout")
        assert answer.json()["error"] == "query timed out in expression evaluation"
    assert stopped.wait(30)


async def test_a_query_whose_client_went_away_is_told_to_stop(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = Event()

    def wait(query: str, moment_ms: int, *, lookback_ms: int | None, cancelled: Any) -> None:
        for _ in range(500):
            if cancelled():
                stopped.set()
                break
            stopped.wait(0.01)
        raise QueryLimitError("the query was cancelled")

    monkeypatch.setattr(backend.engine, "instant", wait)
    messages = [{"type": "http.request", "body": b"", "more_body": False}]
    sent = []

    async def receive() -> Any:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": f"{API}/query",
        "query_string": b"query=up",
        "headers": [(b"host", b"localhost")],
    }
    application = Application(backend, access=Access(), clock=SystemClock())
    await application(scope, receive, send)
    application.close()
    assert stopped.is_set()
    assert sent[0]["status"] == 422


async def test_series_and_labels_are_found_by_any_of_several_selectors(
    client: httpx2.AsyncClient,
) -> None:
    match = {"match[]": ['up{job="api"}', 'up{job="worker"}', 'up{job=~"a.*"}']}
    assert await data(client, "series", **match) == [
        {"__name__": "up", "job": "api"},
        {"__name__": "up", "job": "worker"},
    ]
    assert await data(client, "labels", **match) == ["__name__", "job"]
    assert await data(client, "label/job/values") == ["api", "worker"]
    assert await data(client, "label/job/values", **{"match[]": 'up{job!="api"}'}) == ["worker"]


async def test_rules_can_be_asked_for_by_kind(client: httpx2.AsyncClient) -> None:
    (group,) = (await data(client, "rules"))["groups"]
    assert [rule["type"] for rule in group["rules"]] == ["recording", "alerting", "alerting"]
    (group,) = (await data(client, "rules", type="alert"))["groups"]
    assert [rule["name"] for rule in group["rules"]] == ["TargetDown", "Watchdog"]
    assert (await data(client, "rules", **{"rule_name[]": "Nothing"}))["groups"] == []


async def test_rules_can_be_asked_for_by_label_and_without_alerts(
    client: httpx2.AsyncClient, backend: Backend
) -> None:
    backend.evaluator.evaluate_group(backend.configuration.groups[0], NOW * 10**9)
    match = {"match[]": '{severity="critical"}'}
    (group,) = (await data(client, "rules", **match))["groups"]
    (rule,) = group["rules"]
    assert (rule["name"], len(rule["alerts"])) == ("TargetDown", 1)
    (group,) = (await data(client, "rules", **match, exclude_alerts="true"))["groups"]
    assert group["rules"][0]["alerts"] == []


async def test_rule_groups_come_page_by_page(
    client: httpx2.AsyncClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    (group,) = backend.groups()
    names = ["a", "b", "c"]
    monkeypatch.setattr(backend, "groups", lambda: [replace(group, name=name) for name in names])
    first = await data(client, "rules", group_limit="2")
    assert [one["name"] for one in first["groups"]] == ["a", "b"]
    rest = await data(client, "rules", group_limit="2", group_next_token=first["groupNextToken"])
    assert [one["name"] for one in rest["groups"]] == ["c"]
    assert "groupNextToken" not in rest
    names.remove("c")
    changed = {"group_limit": "2", "group_next_token": first["groupNextToken"]}
    answer = await client.get(f"{API}/rules", params=changed)
    assert answer.status_code == 400
    assert "were rule groups changed?" in answer.json()["error"]


async def test_where_the_series_come_from_is_counted(client: httpx2.AsyncClient) -> None:
    found = await data(client, "status/tsdb")
    assert found["headStats"]["numSeries"] == 2
    assert found["seriesCountByMetricName"] == [{"name": "up", "value": 2}]
    assert found["labelValueCountByLabelName"] == [
        {"name": "job", "value": 2},
        {"name": "__name__", "value": 1},
    ]
    assert found["memoryInBytesByLabelName"][0] == {"name": "job", "value": len("apiworker")}
    assert found["seriesCountByLabelValuePair"][0] == {"name": "__name__=up", "value": 2}
    assert len((await data(client, "status/tsdb", limit="1"))["seriesCountByLabelValuePair"]) == 1


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("job", "job"),
        ("U__k8s_2e_pod", "k8s.pod"),
        ("U__a__b", "a_b"),
        ("U__x_1F600_", "x\U0001f600"),
        ("U__x_D800_", "U__x_D800_"),
        ("U__x_zz_", "U__x_zz_"),
    ],
)
def test_a_label_name_in_a_path_may_be_escaped(written: str, name: str) -> None:
    assert unescape_name(written) == name


async def test_an_alert_that_fires_is_listed(client: httpx2.AsyncClient, backend: Backend) -> None:
    backend.evaluator.evaluate_group(backend.configuration.groups[0], NOW * 10**9)
    alert, _ = (await data(client, "alerts"))["alerts"]
    assert alert["labels"] == {"alertname": "TargetDown", "job": "worker", "severity": "critical"}
    assert alert["annotations"] == {"summary": "worker is down"}
    assert alert["state"] == "firing"


async def test_targets_are_listed_with_their_health(
    client: httpx2.AsyncClient, backend: Backend
) -> None:
    found = await data(client, "targets")
    assert found["droppedTargets"] == []
    assert found["activeTargets"] == []


async def test_the_build_says_which_prometheus_this_follows(client: httpx2.AsyncClient) -> None:
    build = await data(client, "status/buildinfo")
    assert build["version"].startswith("3.")
    assert set(build) == {"version", "revision", "branch", "buildUser", "buildDate", "goVersion"}


@pytest.mark.parametrize("path", ["runtimeinfo", "flags", "tsdb", "config"])
async def test_the_status_pages_are_answered(client: httpx2.AsyncClient, path: str) -> None:
    assert await data(client, f"status/{path}")


async def test_a_query_is_formatted(client: httpx2.AsyncClient) -> None:
    assert await data(client, "format_query", query="sum(up)by(job)") == "sum by (job) (up)"


async def test_metadata_and_exemplars_are_empty_where_nothing_was_said(
    client: httpx2.AsyncClient,
) -> None:
    assert await data(client, "metadata") == {}
    query = {"query": "rate(up[5m])", "start": NOW - 60, "end": NOW}
    assert await data(client, "query_exemplars", **query) == []


@pytest.mark.parametrize("path", ["healthy", "ready"])
async def test_the_probes_are_answered(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(f"/prometheus/-/{path}")).status_code == 200


@pytest.mark.parametrize(
    "path", ["query", "query_range", "format_query", "query_exemplars", "series"]
)
async def test_a_query_is_never_parsed_on_the_event_loop(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    seen = []

    def parse_and_note(text: str) -> Expression:
        seen.append(threading.current_thread())
        return parse(text)

    monkeypatch.setattr(prometheus_parameters, "parse", parse_and_note)
    given = {"query": "up", "match[]": "up", "start": "0", "end": "60", "step": "15"}
    answer = await client.post(f"/prometheus/api/v1/{path}", data=given)
    assert answer.status_code == 200, answer.text
    assert seen
    assert threading.main_thread() not in seen
