"""The command: what it shows, what it mends, what it lets be, how it ends."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from watchkeeper.cli import main

SNAPSHOT = """# HELP orders_total Orders.
# TYPE orders_total counter
orders_total{outcome="paid"} 3
"""
RULES = """groups:
  - name: shop  # of the shop
    rules:
      # orders must come in
      - alert: OrdersStopped
        expr: sum(rate(orders_total{outcome=~"paid"}[30s])) < 0.1
        for: 0s
        labels: {severity: warning}
        annotations:
          summary: No orders
          runbook_url: https://runbooks.example/orders
"""
MENDED = """groups:
  - name: shop  # of the shop
    rules:
      # orders must come in
      - alert: OrdersStopped
        expr: sum(rate(orders_total{outcome="paid"}[1m])) < 0.1
        labels: {severity: warning}
        annotations:
          summary: No orders
          runbook_url: https://runbooks.example/orders
"""
ROUTES = """route:
  receiver: team
  group_by: [alertname]
  routes:
    - match:  # the loud ones
        severity: critical
      receiver: team
    - receiver: team
      match_re:
        severity: info|none
      continue: true
receivers:
  - name: team
    slack_configs:
      - channel: "#shop"  # everybody reads it
        api_url_file: /etc/secrets/slack
    email_configs: [{to: team@shop.example}]
    pagerduty_configs:
      - routing_key_file: /etc/secrets/pagerduty
"""
MENDED_ROUTES = """route:
  receiver: team
  group_by: [alertname]
  routes:
    - match:  # the loud ones
        severity: critical
      receiver: team
    - receiver: team
      matchers:
        - severity=~"info|none"
      continue: true
receivers:
  - name: team
    slack_configs:
      - send_resolved: true
        channel: "#shop"  # everybody reads it
        api_url_file: /etc/secrets/slack
    email_configs: [{send_resolved: true, to: team@shop.example}]
    pagerduty_configs:
      - routing_key_file: /etc/secrets/pagerduty
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "snapshot.prom").write_text(SNAPSHOT)
    (tmp_path / "rules.yml").write_text(RULES)
    return tmp_path


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def test_findings_are_told_with_place_reason_and_repair(folder):
    result = check("rules.yml", "--metrics", "snapshot.prom")
    assert "rules.yml:6:54: warning [range-too-short] alert OrdersStopped: 30s holds 2 scrapes" in (
        result.output
    )
    assert "    why: A rate needs two samples" in result.output
    assert "    repair: Write [1m].  (--fix does it)" in result.output
    assert result.output.endswith("3 warnings\n")
    assert result.exit_code == 0


def test_warnings_fail_the_command_when_told_so(folder):
    assert check("rules.yml", "--fail-on", "warning").exit_code == 1


def test_an_error_fails_the_command(folder):
    (folder / "rules.yml").write_text(RULES.replace("orders_total", "order_total"))
    result = check("rules.yml", "--metrics", "snapshot.prom")
    assert 'no metric is called order_total; did you mean "orders_total"?' in result.output
    assert result.exit_code == 1


def test_informations_are_shown_on_wish(folder):
    assert "alert-without-owner" not in check("rules.yml").output
    assert "alert-without-owner" in check("rules.yml", "--severity", "info").output


def test_fix_mends_rules_and_keeps_comments_and_layout(folder):
    result = check("rules.yml", "--fix", "--fail-on", "warning")
    assert (folder / "rules.yml").read_text() == MENDED
    assert result.exit_code == 0


def test_fix_keeps_the_line_ends_of_a_file(folder):
    (folder / "rules.yml").write_bytes(RULES.replace("\n", "\r\n").encode())
    check("rules.yml", "--fix")
    assert (folder / "rules.yml").read_bytes() == MENDED.replace("\n", "\r\n").encode()


def test_fix_mends_routes_but_leaves_commented_matchers_alone(folder):
    (folder / "alertmanager.yml").write_text(ROUTES)
    check("alertmanager.yml", "--fix")
    mended = (folder / "alertmanager.yml").read_text()
    assert mended == MENDED_ROUTES
    assert yaml.safe_load(mended)["receivers"][0]["slack_configs"][0]["send_resolved"] is True


def test_fix_unwraps_a_dashboard_and_renews_its_panels(folder):
    panel = {
        "title": "Orders",
        "type": "graph",
        "targets": [{"expr": "rate(x_total[$__interval])"}],
    }
    path = folder / "dashboard.json"
    path.write_text(json.dumps({"dashboard": {"title": "Shop", "panels": [panel]}}, indent=2))
    check("dashboard.json", "--fix")
    mended = json.loads(path.read_text())
    assert mended["panels"][0]["type"] == "timeseries"
    assert mended["panels"][0]["targets"][0]["expr"] == "rate(x_total[$__rate_interval])"


def test_a_second_run_of_fix_finds_nothing_more_to_mend(folder):
    (folder / "alertmanager.yml").write_text(ROUTES)
    check(".", "--fix")
    before = {path.name: path.read_text() for path in folder.iterdir()}
    check(".", "--fix")
    assert {path.name: path.read_text() for path in folder.iterdir()} == before


def test_json_has_what_a_program_needs(folder):
    found = json.loads(check("rules.yml", "--format", "json").output)
    fault = next(one for one in found if one["check"] == "range-too-short")
    assert (fault["file"], fault["line"], fault["column"]) == ("rules.yml", 6, 54)
    assert (fault["end_line"], fault["end_column"], fault["fixable"]) == (6, 57, True)


def test_sarif_names_rules_places_and_fixes(folder):
    log = json.loads(check("rules.yml", "--format", "sarif").output)
    assert (log["version"], log["$schema"].rpartition("/")[2]) == ("2.1.0", "sarif-2.1.0.json")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        region = result["locations"][0]["physicalLocation"]["region"]
        assert 1 <= region["startLine"] <= region["endLine"]
    fault = next(one for one in run["results"] if one["ruleId"] == "range-too-short")
    change = fault["fixes"][0]["artifactChanges"][0]
    assert change["artifactLocation"]["uri"] == "rules.yml"
    assert change["replacements"][0]["insertedContent"] == {"text": "1m"}
    assert change["replacements"][0]["deletedRegion"]["startColumn"] == 54


def test_github_shows_findings_at_their_lines(folder):
    line = check("rules.yml", "--format", "github").output.splitlines()[0]
    assert line.startswith("::warning file=rules.yml,line=6,col=37,endLine=6,endColumn=52,title=")
    assert "%" not in line.partition("::warning ")[2].partition("::")[0]


def test_output_goes_to_a_file_and_its_sum_to_the_terminal(folder):
    result = check("rules.yml", "--format", "json", "--output", "found.json")
    assert result.stderr == "found.json: 3 warnings\n"
    assert len(json.loads((folder / "found.json").read_text())) == 3


def test_a_baseline_leaves_out_what_was_there_also_when_lines_move(folder):
    check("rules.yml", "--write-baseline", "known.json")
    (folder / "rules.yml").write_text("# moved\n\n" + RULES)
    result = check("rules.yml", "--baseline", "known.json", "--fail-on", "warning")
    assert (result.output, result.exit_code) == ("nothing found\n", 0)


def test_a_baseline_does_not_hide_the_same_fault_a_second_time(folder):
    check("rules.yml", "--write-baseline", "known.json")
    again = RULES.split("rules:\n")[1].replace("for: 0s", "for: 5m")
    (folder / "rules.yml").write_text(RULES + again)
    result = check("rules.yml", "--baseline", "known.json")
    assert "[range-too-short]" in result.output


def test_a_broken_baseline_is_refused(folder):
    (folder / "known.json").write_text("[]")
    result = check("rules.yml", "--baseline", "known.json")
    assert result.exit_code == 2
    assert "known.json: is no baseline" in result.stderr


def test_a_comment_with_a_reason_allows_a_finding_in_what_follows(folder):
    allowed = RULES.replace(
        "      # orders must come in\n",
        "      # watchkeeper: allow needless-regex, needless-for: because upstream has it\n",
    )
    (folder / "rules.yml").write_text(allowed)
    output = check("rules.yml").output
    assert "[range-too-short]" in output
    assert "1 warning\n" in output


def test_a_comment_for_the_file_allows_it_everywhere(folder):
    (folder / "rules.yml").write_text(
        "# watchkeeper: allow-file range-too-short: because it is scraped every second\n" + RULES
    )
    assert "[range-too-short]" not in check("rules.yml").output


def test_a_comment_of_one_rule_does_not_stand_for_the_next(folder):
    second = RULES.split("rules:\n")[1].replace("OrdersStopped", "OrdersGone")
    commented = RULES.replace("# orders must", "# watchkeeper: allow needless-for: why not. must")
    (folder / "rules.yml").write_text(commented + second)
    output = check("rules.yml").output
    assert "[needless-for] alert OrdersGone" in output
    assert "[needless-for] alert OrdersStopped" not in output


def test_a_comment_without_a_reason_allows_nothing(folder):
    (folder / "rules.yml").write_text(
        RULES.replace("# orders must come in", "# watchkeeper: allow needless-for")
    )
    output = check("rules.yml").output
    assert "[needless-for]" in output
    assert "[exception-without-reason]" in output


def test_a_comment_for_a_check_that_does_not_exist_is_told(folder):
    (folder / "rules.yml").write_text(
        RULES.replace("# orders must come in", "# watchkeeper: allow needles-for: because")
    )
    assert "needles-for: there is no such check" in check("rules.yml").output


def test_a_project_sets_severities_parameters_and_exceptions(folder):
    (folder / "pyproject.toml").write_text(
        """[tool.watchkeeper.check]
metrics = ["snapshot.prom"]
[tool.watchkeeper.check.rules.range-too-short]
scrapes = 2
[tool.watchkeeper.check.rules.needless-for]
severity = "off"
[[tool.watchkeeper.check.allow]]
check = "needless-regex"
file = "rul*.yml"
subject = "alert Orders*"
because = "it is copied from upstream"
"""
    )
    result = check("rules.yml", "--fail-on", "warning")
    assert (result.output, result.exit_code) == ("nothing found\n", 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[tool.watchkeeper.check]\nrule = 1\n", "unknown key 'rule'"),
        ("[tool.watchkeeper.check.rules.needles-for]\n", "there is no check 'needles-for'"),
        ('[tool.watchkeeper.check.rules.needless-for]\nseverity = "loud"\n', "is no severity"),
        ("[tool.watchkeeper.check.rules.needless-for]\nmost = 1\n", "has no number 'most'"),
        ('[[tool.watchkeeper.check.allow]]\ncheck = "needless-for"\n', "because"),
        ('[tool.watchkeeper.check]\nscrape-interval = "soon"\n', "not a duration"),
        ("[tool", "is not TOML"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_their_place(folder, text, reason):
    (folder / "pyproject.toml").write_text(text)
    result = check("rules.yml")
    assert result.exit_code == 2
    assert result.stderr.startswith("watchkeeper: pyproject.toml")
    assert reason in result.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["missing.yml"], "missing.yml: cannot be read (No such file or directory)"),
        (["no.such.module:CONTRACT"], "there is no module no"),
        (["rules.yml", "--prometheus", "http://127.0.0.1:1"], "does not answer"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(folder, arguments, reason):
    result = check(*arguments)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_file_that_cannot_be_read_is_a_finding_and_the_others_are_checked(folder):
    (folder / "broken.yml").write_text("groups: [\n")
    (folder / "broken.json").write_text("{")
    result = check(".")
    assert "broken.yml:2:1: error [unreadable]" in result.output
    assert "broken.json:1:2: error [unreadable]" in result.output
    assert "rules.yml:6:54: warning [range-too-short]" in result.output
