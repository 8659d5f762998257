"""The catalogue of a small shop is golden/catalogue.md; how it is found out is told here."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.watchkeeper.contract.shop import SHOP
from tests.watchkeeper.conventions.service import EVERYTHING

from resume_optimizer.telemetry import CONTRACT
from watchkeeper.catalogue import catalogue, emitters_in, runbooks, usages
from watchkeeper.cli import main

GOLDEN = Path(__file__).parent / "golden"
ROOT = Path(__file__).parents[3]
SERVICE = {
    "__init__.py": "",
    "telemetry/__init__.py": "from bakery.telemetry.signals import LOAVES, BAKING as OVEN\n",
    "telemetry/signals.py": (
        "from watchkeeper import Counter, Span\n"
        "LOAVES = Counter(name='loaves_total', help='Loaves.')\n"
        "BAKING = Span('baking', 'Bread in the oven.')\n"
        "IDLE: Counter = Counter(name='idle_total', help='Nobody counts these.')\n"
    ),
    "broken.py": "def (:\n",
    "oven.py": (
        "from bakery.telemetry import OVEN\n"
        "from bakery import telemetry as own\n"
        "def bake(watch):\n"
        "    with watch.span(OVEN):\n"
        "        watch.counter(own.LOAVES).inc()\n"
    ),
    "shop.py": (
        "from watchkeeper.conventions import users as people\n"
        "from bakery.telemetry.signals import LOAVES\n"
        "SHOWN = (LOAVES,)\n"
        "async def login(watch):\n"
        "    watch.counter(people.LOGINS).inc()\n"
    ),
}


@pytest.fixture
def bakery(tmp_path, monkeypatch):
    for name, text in SERVICE.items():
        path = tmp_path / "bakery" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return emitters_in("bakery")


def test_a_signal_is_emitted_by_the_modules_whose_functions_name_it(bakery):
    assert bakery["loaves_total"] == ("bakery.oven",)
    assert bakery["baking"] == ("bakery.oven",)
    assert bakery["user_logins_total"] == ("bakery.shop",)
    assert "idle_total" not in bakery


def test_constants_of_one_name_are_told_apart_by_their_modules(bakery):
    assert bakery["llm_request_duration_seconds"] == ("watchkeeper.instrument.llm",)
    assert "watchkeeper.instrument.cache" in bakery["cache_errors_total"]
    assert "watchkeeper.instrument.cache" not in bakery["object_errors_total"]


def test_a_package_that_is_not_there_emits_nothing_of_its_own():
    assert "loaves_total" not in emitters_in("no_such_bakery")


def test_every_signal_of_the_application_is_emitted_somewhere():
    emitters = emitters_in("resume_optimizer")
    signals = CONTRACT.signals
    names = {one.name for one in (*signals.metrics, *signals.spans, *signals.events)}
    assert names - emitters.keys() == set()


def test_what_an_objective_records_leads_back_to_its_metric():
    used = usages(SHOP)
    assert used["orders_total"].objectives == ["SLO orders"]
    assert used["model_cost_usd_total"].objectives == ["budget models-daily"]
    assert used["orders_total"].alerts == []


def test_alerts_and_panels_are_named_with_the_metrics_they_read():
    used = usages(EVERYTHING)
    assert used["http_requests_total"].alerts == ["HighErrorRate"]
    panels = used["http_requests_total"].panels
    assert panels == ["everything - Overview / Request rate", "everything - Overview / Error rate"]
    assert used["user_registrations_total"].alerts == []


def test_the_catalogue_is_the_golden_one():
    text = catalogue(SHOP, {"orders_total": ("shop.orders",)}, folder="docs")
    assert text == (GOLDEN / "catalogue.md").read_text("utf-8")


def test_runbooks_have_the_sections_that_alerts_lead_to():
    for contract in (SHOP, EVERYTHING):
        text = runbooks(contract)
        for alert in contract.alerts:
            anchor = alert.runbook.partition("#")[2]
            assert f"\n## {anchor}\n" in text.lower()


def test_the_committed_catalogue_is_what_the_contract_says(monkeypatch):
    monkeypatch.chdir(ROOT)
    wanted = ["docs", "resume_optimizer.telemetry:CONTRACT", "--output", "docs/catalogue.md"]
    result = CliRunner().invoke(main, [*wanted, "--check"])
    assert result.exit_code == 0, result.output


def test_what_is_stale_fails_the_check_and_is_written_without_it(tmp_path):
    command = ["docs", "resume_optimizer.telemetry:CONTRACT"]
    places = ["--output", str(tmp_path / "a.md"), "--runbooks", str(tmp_path / "docs" / "b.md")]
    assert CliRunner().invoke(main, [*command, *places, "--check"]).exit_code == 1
    assert not (tmp_path / "a.md").exists()
    assert CliRunner().invoke(main, [*command, *places]).exit_code == 0
    assert CliRunner().invoke(main, [*command, *places, "--check"]).exit_code == 0
    (tmp_path / "a.md").write_text("by hand")
    stale = CliRunner().invoke(main, [*command, *places, "--check"])
    assert (stale.exit_code, stale.output.count("\n")) == (1, 1)
    assert CliRunner().invoke(main, command).output.startswith("# Catalogue of resume-optimizer")
