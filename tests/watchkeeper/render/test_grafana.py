import json
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from watchkeeper.contract import (
    Contract,
    Dashboard,
    Link,
    Panel,
    PanelKind,
    Query,
    Row,
    Signals,
    Threshold,
    Variable,
)
from watchkeeper.conventions import process
from watchkeeper.errors import ContractError
from watchkeeper.render import grafana, grafana_sources


def rendered(*panels: Panel, **options) -> dict:
    dashboard = Dashboard(
        uid="shop", title="Shop", description="A shop.", rows=(Row("Sales", panels),), **options
    )
    contract = Contract(service="shop", version="1", signals=Signals(), dashboards=(dashboard,))
    (document,) = grafana.dashboards(contract)
    return json.loads(document.text)


def drawn(*panels: Panel) -> list[dict]:
    return rendered(*panels)["panels"]


def panel(title: str, **options) -> Panel:
    return Panel(title=title, description="How to read it.", queries=(Query("up"),), **options)


def test_panels_stand_side_by_side_and_wrap_at_the_grid():
    _, first, second, third = drawn(panel("a"), panel("b", height=4), panel("c"))
    assert (first["gridPos"]["x"], first["gridPos"]["y"]) == (0, 1)
    assert (second["gridPos"]["x"], second["gridPos"]["y"]) == (12, 1)
    assert (third["gridPos"]["x"], third["gridPos"]["y"]) == (0, 9)


def test_a_row_is_a_heading_over_its_panels():
    heading, _ = drawn(panel("a"))
    assert heading["type"] == "row"
    assert heading["title"] == "Sales"


def test_a_unit_and_thresholds_reach_the_field():
    _, stat = drawn(
        panel(
            "a",
            kind=PanelKind.STAT,
            unit="s",
            thresholds=(Threshold(0, "green"), Threshold(5, "red")),
        )
    )
    defaults = stat["fieldConfig"]["defaults"]
    assert defaults["unit"] == "s"
    assert defaults["thresholds"]["steps"] == [
        {"color": "green", "value": None},
        {"color": "red", "value": 5},
    ]


def test_values_can_be_shown_by_name():
    _, stat = drawn(panel("a", kind=PanelKind.STAT, value_names={1: "up", 0: "down"}))
    assert stat["fieldConfig"]["defaults"]["mappings"] == [
        {"type": "value", "options": {"1": {"text": "up"}, "0": {"text": "down"}}}
    ]


@pytest.mark.parametrize("kind", list(PanelKind))
def test_every_panel_says_where_its_data_come_from_and_how_to_read_it(kind):
    _, made = drawn(panel("a", kind=kind))
    assert made["type"] == kind.value
    assert made["datasource"]["uid"] == "${datasource}"
    assert made["description"] == "How to read it."
    assert made["targets"][0]["expr"] == "up"


def test_exemplars_are_asked_for_where_buckets_are_drawn():
    buckets = Panel(title="a", description="b", queries=(Query("rate(x_bucket[5m])"),))
    assert drawn(buckets)[1]["targets"][0]["exemplar"] is True
    assert drawn(panel("a"))[1]["targets"][0]["exemplar"] is False


def test_a_variable_offers_the_values_of_a_label_and_all_of_them_at_first():
    outcome = Variable(name="outcome", title="Outcome", metric="orders_total", label="outcome")
    source, variable = rendered(panel("a"), variables=(outcome,))["templating"]["list"]
    assert source["type"] == "datasource"
    assert variable["query"]["query"] == "label_values(orders_total, outcome)"
    assert variable["includeAll"]
    assert variable["allValue"] == ".*"


def test_a_variable_has_one_meaning():
    one = Variable(name="job", title="Job", metric="up", label="job")
    with pytest.raises(ContractError, match="a variable is declared twice"):
        rendered(panel("a"), variables=(one, one))
    with pytest.raises(ContractError, match="lower_snake_case"):
        Variable(name="$job", title="Job", metric="up", label="job")


def test_deploys_are_marked_on_every_panel():
    [deploys] = rendered(panel("a"), annotations=(process.DEPLOYS,))["annotations"]["list"]
    assert deploys["name"] == "Deploys"
    assert deploys["expr"] == process.DEPLOYS.expression
    assert deploys["titleFormat"] == "{{version}}"


def test_a_dashboard_leads_to_the_log_lines_of_the_same_time():
    [link] = rendered(panel("a"))["links"]
    pane = json.loads(parse_qs(urlsplit(link["url"]).query)["panes"][0])["logs"]
    assert pane["queries"][0]["query"] == 'service:"shop"'
    assert pane["range"] == {"from": "${__from}", "to": "${__to}"}


def test_data_sources_lead_to_one_another():
    contract = Contract(service="corner-shop", version="1", signals=Signals())
    sources, _ = grafana_sources.provisioning(contract)
    by_uid = {one["uid"]: one for one in yaml.safe_load(sources.text)["datasources"]}
    assert sum(one.get("isDefault", False) for one in by_uid.values()) == 1
    metrics, traces, logs, alerts = (
        by_uid[f"watchkeeper-{kind}"]["jsonData"]
        for kind in ("metrics", "traces", "logs", "alerts")
    )
    assert metrics["exemplarTraceIdDestinations"][0]["datasourceUid"] in by_uid
    assert metrics["alertmanagerUid"] in by_uid
    assert traces["tracesToLogsV2"]["datasourceUid"] in by_uid
    assert logs["dataLinks"][0]["datasourceUid"] in by_uid
    assert logs["index"] == "logs-corner_shop-*"
    assert alerts["implementation"] == "prometheus"


def test_what_grafana_fills_in_itself_is_kept_from_its_environment():
    contract = Contract(service="shop", version="1", signals=Signals())
    sources, _ = grafana_sources.provisioning(contract)
    assert 'trace_id:"$${__span.traceId}"' in sources.text
    assert "url: $${__value.raw}" in sources.text


def test_a_panel_leads_on():
    links = (Link("Runbook", "https://wiki.example/x"), Link("Day", "/d/day?from=${__from}"))
    assert drawn(panel("a", links=links))[1]["links"] == [
        {"title": "Runbook", "url": "https://wiki.example/x", "targetBlank": True},
        {"title": "Day", "url": "/d/day?from=${__from}", "targetBlank": False},
    ]
    assert "links" not in drawn(panel("a"))[1]
