"""What the views show and do, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from watchkeeper.model import LogRecord, Severity

pytestmark = pytest.mark.browser


def test_the_overview_says_what_fires_since_when_and_who_is_told(watched):
    page = watched.open("/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("alert fires")
    card = page.locator(".active-alert")
    expect(card).to_contain_text("worker has not answered for a minute.")
    expect(card).to_contain_text("sent to on-call")
    expect(page.get_by_role("region", name="Errors")).to_contain_text("10 %")
    expect(page.locator(".checks li")).to_have_count(4)


def test_a_jobs_id_opens_its_trace_and_the_trace_shows_its_log_lines(watched, served):
    page = watched.open("/")
    page.keyboard.press("/")
    page.keyboard.type(served.job_id)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{served.url}/#/traces/{served.trace_id}")
    expect(page.locator(".span-name")).to_contain_text(["POST /jobs", "process job", "call model"])
    lines = page.get_by_role("region", name="Log lines of this trace").locator(".record")
    expect(lines).to_contain_text(["job started", "the model is slow", "the model timed out"])


def test_a_link_with_a_jobs_id_opens_its_trace(watched, served):
    page = watched.open(f"/jobs/{served.job_id}")
    expect(page).to_have_url(f"{served.url}/#/traces/{served.trace_id}")


def test_an_unknown_id_is_said_to_be_unknown(watched):
    page = watched.open("/")
    page.get_by_role("searchbox", name="Find a job").fill("no-such-job")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No job and no trace has this id.")).to_be_visible()


def test_a_span_opens_to_what_happened_in_it(watched, served):
    page = watched.open(f"/traces/{served.trace_id}")
    page.get_by_role("button", name="call model").click()
    details = page.locator(".span-details")
    expect(details).to_contain_text("TimeoutError")
    expect(details).to_contain_text("in call_model")
    expect(page).to_have_url(f"{served.url}/#/traces/{served.trace_id}?span={'3' * 16}")


def test_a_branch_of_a_trace_closes_and_opens_with_the_arrow_keys(watched, served):
    page = watched.open(f"/traces/{served.trace_id}")
    page.locator("#span-" + "1" * 16).get_by_role("button", name="POST /jobs").last.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".span")).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".span")).to_have_count(3)


def test_a_dashboard_draws_each_kind_of_panel(watched):
    page = watched.open("/dashboards/everything")
    panel = lambda name: page.get_by_role("region", name=name, exact=True)  # noqa: E731 - a phrase
    expect(panel("Response time").locator("canvas")).to_be_visible()
    expect(panel("Requests by duration").locator("canvas")).to_be_visible()
    expect(panel("Up").locator(".stat")).to_contain_text(["1", "0"])
    expect(panel("Share up").get_by_role("img")).to_have_accessible_name("up: 50 of 100")
    expect(panel("Targets").get_by_role("row")).to_have_count(3)
    expect(panel("Words")).to_contain_text("Bold words and <b>no HTML</b>")
    expect(panel("Pie")).to_contain_text("Panels of the type piechart are not drawn here")
    expect(panel("Nothing")).to_contain_text("No data in this time.")


def test_a_query_that_cannot_be_read_is_answered_in_its_panel(watched):
    page = watched.open("/dashboards/mistaken")
    wrong = page.get_by_role("region", name="Wrong", exact=True)
    expect(wrong.get_by_role("alert")).to_contain_text("parse error: unexpected end of input")


def test_a_variable_narrows_the_panels_that_use_it(watched):
    page = watched.open("/dashboards/everything")
    page.get_by_role("group", name="Variables").get_by_role("combobox").select_option("worker")
    up = page.get_by_role("region", name="Up", exact=True)
    expect(up.locator(".stat")).to_have_count(1)
    expect(up.locator(".stat")).to_contain_text("0")


def test_an_exemplar_leads_to_its_trace_by_keyboard(watched, served):
    page = watched.open("/dashboards/everything")
    page.get_by_text("1 exemplar").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{served.url}/#/traces/{served.trace_id}")


def test_a_click_on_a_graph_leads_to_the_traces_of_that_moment(watched):
    page = watched.open("/dashboards/everything")
    page.locator(".u-over").first.click(position={"x": 60, "y": 60})
    page.get_by_role("link", name="Traces of this moment").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Traces")
    assert "from=" in page.url


def test_a_stretch_of_a_graph_becomes_the_time_that_is_looked_at(watched):
    page = watched.open("/dashboards/everything")
    box = page.locator(".u-over").first.bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 40, steps=4)
    page.mouse.up()
    page.wait_for_url("**from=1699*")


def test_a_line_opens_to_its_fields_narrows_the_query_and_leads_to_its_trace(watched, served):
    page = watched.open("/logs?query=level:error")
    page.get_by_role("button", name="the model timed out").click()
    page.get_by_role("button", name=f"Only job_id {served.job_id}").click()
    expect(page.get_by_label("Query of the logs")).to_have_value(
        f"level:error job_id:{served.job_id}"
    )
    page.get_by_role("link", name="Open its trace").click()
    expect(page.locator(".span.open")).to_contain_text("process job")


def test_a_query_that_is_wrong_is_answered_in_words(watched):
    page = watched.open("/logs?query=level:loud")
    expect(page.get_by_role("alert")).to_contain_text("'loud' is not a level")


def test_a_line_that_is_stored_while_one_follows_appears_on_top(watched, served):
    page = watched.page
    page.goto(f"{served.url}/#/logs?live=1&query=fresh")
    expect(page.get_by_text("Following: new lines")).to_be_visible()
    served.backend.logs.append(
        [LogRecord(served.now * 10**9, Severity.INFO, "a fresh line", "worker")]
    )
    expect(page.locator(".record")).to_contain_text(["a fresh line"])


def test_an_alert_is_silenced_from_its_rule_and_the_silence_is_ended(watched):
    page = watched.open("/alerts?rule=TargetDown")
    page.get_by_role("link", name="Silence", exact=True).click()
    expect(page.get_by_text("Holds back 1 alert now: TargetDown")).to_be_visible()
    page.get_by_label("Your name").fill("Ines")
    page.get_by_label("Why").fill("The worker moves house")
    page.get_by_role("button", name="Silence", exact=True).click()
    silence = page.locator(".silence")
    expect(silence).to_contain_text("active")
    expect(silence).to_contain_text("The worker moves house")
    page.get_by_role("link", name="Rules").click()
    expect(page.get_by_role("button", name="TargetDown")).to_contain_text("silenced")
    page.get_by_role("link", name="Silences").click()
    page.get_by_role("button", name="End now").click()
    expect(silence).to_contain_text("expired")


def test_a_query_is_completed_run_and_shown_as_a_table(watched):
    page = watched.open("/explore")
    field = page.get_by_label("PromQL query")
    field.press_sequentially("http_requests_t")
    page.keyboard.press("Tab")
    expect(field).to_have_value("http_requests_total")
    page.keyboard.press("Enter")
    expect(page.locator("canvas")).to_be_visible()
    page.get_by_role("button", name="Table").click()
    expect(page.get_by_role("row")).to_have_count(3)


def test_the_keys_lead_through_the_page_and_are_listed(watched):
    page = watched.open("/")
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page.get_by_role("heading", level=1)).to_have_text("Traces")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_the_colours_that_somebody_chose_are_remembered(watched):
    page = watched.open("/")
    page.get_by_role("button", name="Colours: system").click()
    page.get_by_role("button", name="Colours: dark").click()
    page.reload()
    expect(page.get_by_role("button", name="Colours: light")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "light"


def test_the_time_that_is_looked_at_is_in_the_address_and_goes_along(watched):
    page = watched.open("/")
    page.get_by_role("button", name="Last 15 minutes").click()
    page.get_by_role("button", name="Last hour").click()
    page.get_by_role("link", name="Logs", exact=True).click()
    page.wait_for_url("**/#/logs?from=now-1h")


def test_a_backend_that_stops_answering_is_said_so(watched):
    page = watched.open("/logs")
    page.route("**/api/**", lambda route: route.abort())
    page.get_by_role("button", name="Refresh now").click()
    expect(page.get_by_role("alert").first).to_contain_text("The backend does not answer.")
