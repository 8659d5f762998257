import json

import pytest

from watchkeeper.contract import (
    Contract,
    Dashboard,
    Panel,
    PanelKind,
    Query,
    Row,
    Signals,
    Threshold,
)
from watchkeeper.render import grafana


def drawn(*panels: Panel) -> list[dict]:
    dashboard = Dashboard(
        uid="shop", title="Shop", description="A shop.", rows=(Row("Sales", panels),)
    )
    contract = Contract(service="shop", version="1", signals=Signals(), dashboards=(dashboard,))
    (document,) = grafana.dashboards(contract)
    return json.loads(document.text)["panels"]


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
