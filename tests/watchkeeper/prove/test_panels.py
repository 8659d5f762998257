"""Panels and variables over declared signals: which show something, and why others do not."""

from dataclasses import replace

import pytest

from watchkeeper.prove import prove_dashboards

from .conftest import rule_text, subject_of


def board(*expressions, variables=()):
    return {
        "title": "Board",
        "time": {"from": "now-6h"},
        "templating": {"list": list(variables)},
        "panels": [
            {"title": f"Panel {n}", "targets": [{"expr": one}]} for n, one in enumerate(expressions)
        ],
    }


@pytest.fixture
def shown(tmp_path):
    def prove(*expressions, variables=()):
        subject = subject_of(tmp_path, rule_text("up == 0"))
        content = board(*expressions, variables=variables)
        found = prove_dashboards(replace(subject, dashboards={"board.json": content}))
        return {one.title: one.fault for one in found}

    return prove


def test_a_panel_over_declared_signals_shows_something(shown):
    faults = shown(
        "sum by (code) (rate(requests_total[$__rate_interval]))",
        "histogram_quantile(0.9, sum by (le) (rate(duration_seconds_bucket[${__range}])))",
        "sum(increase(jobs_total[$__interval])) or vector(0)",
    )
    assert set(faults.values()) == {""}


def test_a_panel_that_can_show_nothing_says_why(shown):
    faults = shown(
        'sum(rate(requests_total{status=~"5.."}[5m]))', "nobody_knows_it", "depth > $floor"
    )
    assert faults == {
        "Panel 0": "requests_total has no label status; its labels: code, method",
        "Panel 1": "the contract declares no metric nobody_knows_it",
        "Panel 2": "the dashboard has no variable floor",
    }


def test_a_variable_takes_its_values_from_declared_labels(shown):
    faults = shown(
        'sum(rate(jobs_total{status=~"$status", job="$job"}[5m]))',
        variables=(
            {
                "name": "job",
                "type": "query",
                "query": {"query": "label_values(jobs_total, job)"},
            },
            {
                "name": "status",
                "type": "query",
                "query": 'label_values(jobs_total{job="$job"}, status)',
                "multi": True,
            },
        ),
    )
    assert faults == {"variable job": "", "variable status": "", "Panel 0": ""}


def test_a_variable_without_values_says_so(shown):
    variable = {"name": "region", "type": "query", "query": "label_values(depth, region)"}
    assert shown(variables=(variable,)) == {"variable region": "it has no value"}
