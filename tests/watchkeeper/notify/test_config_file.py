"""alertmanager.yml: what is wrong in it is named with its place, what is secret stays so."""

from __future__ import annotations

import subprocess

import pytest

from watchkeeper.errors import ConfigError

GOOD = """
global: {smtp_smarthost: "mail.example.org:587", smtp_from: watch@example.org}
route:
  receiver: team
  group_by: [alertname]
  group_wait: 10s
  routes:
    - matchers: ['severity="critical"', 'team=~"a|b"']
      receiver: pager
      group_by: ["..."]
    - match: {severity: warning}
      match_re: {team: "c.*"}
      repeat_interval: 12h
receivers:
  - name: team
    webhook_configs: [{url: "http://127.0.0.1:1/hook"}]
  - name: pager
    pagerduty_configs: [{routing_key: k3y}]
"""


def test_what_a_route_leaves_out_it_has_from_above(read_config) -> None:
    root = read_config(GOOD).route
    critical, warning = root.children
    assert (root.group_wait_ns, root.group_interval_ns) == (10 * 10**9, 300 * 10**9)
    assert (critical.group_wait_ns, critical.group_by) == (10 * 10**9, None)
    assert (warning.receiver, warning.group_by) == ("team", ("alertname",))
    assert warning.repeat_interval_ns == 12 * 3600 * 10**9
    assert critical.key == '{}/{severity="critical",team=~"a|b"}'
    assert warning.key == '{}/{severity="warning",team=~"c.*"}'


@pytest.mark.parametrize(
    ("wrong", "right", "complaint"),
    [
        ("group_wait: 10s", "group_wiat: 10s", r"\$\.route.*group_wiat"),
        ("group_wait: 10s", "group_wait: 10 seconds", r"\$\.route\.group_wait.*10 seconds"),
        ("receiver: pager", "receiver: nobody", r"routes\[0\]\.receiver.*nobody"),
        ('severity="critical"', 'severity=="critical"', r"routes\[0\]"),
        ('team=~"a|b"', 'team=~"a("', r"routes\[0\].*error parsing regexp"),
        ('["..."]', '["...", a]', r"routes\[0\]\.group_by.*stands alone"),
        ("routing_key: k3y", "routing_key_file: ''", r"pagerduty_configs\[0\].*routing_key"),
        ("routing_key: k3y", "routing_key: k3y, service_key: x", "service_key"),
        (
            "routing_key: k3y",
            "routing_key: k3y, description: '{{ .Status '",
            r"pagerduty_configs\[0\]\.description.*line 1, column 1.*not closed",
        ),
        ("name: pager", "name: team", "given twice"),
        ("pagerduty_configs", "sns_configs", r"receivers\[1\].*`sns_configs`.*not supported"),
        ("  receiver: team\n  group_by", "  group_by", "needs a receiver"),
        ("  group_wait", "  mute_time_intervals: [night]\n  group_wait", "night"),
        ("  group_wait: 10s", "  group_wait: 10s\n  group_wait: 1s", "line 7.*given twice"),
        ("  group_wait: 10s", "  group_interval: 0s", "cannot be zero"),
    ],
)
def test_a_mistake_is_named_with_its_place(read_config, wrong, right, complaint) -> None:
    assert wrong in GOOD
    with pytest.raises(ConfigError, match=complaint) as raised:
        read_config(GOOD.replace(wrong, right, 1))
    assert "alertmanager.yml" in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path) -> None:
    from watchkeeper.notify import load_config

    with pytest.raises(ConfigError, match=r"absent\.yml.*cannot be read"):
        load_config(tmp_path / "absent.yml")


def test_mail_without_a_server_is_refused(read_config) -> None:
    with pytest.raises(ConfigError, match=r"email_configs\[0\].*smtp_from"):
        read_config("route: {receiver: a}\nreceivers: [{name: a, email_configs: [{to: b}]}]")


def test_no_secret_is_ever_shown(read_config) -> None:
    config = read_config(
        """
global: {slack_api_url: "http://slack.test/hidden/path", smtp_auth_username: u,
  smtp_auth_password: hidden-password, smtp_smarthost: "m:25", smtp_from: "w@example.org",
  http_config: {authorization: {credentials: hidden-token}, proxy_url: "http://u:hidden@proxy"}}
route: {receiver: a}
receivers:
  - name: a
    webhook_configs: [{url: "http://u:hidden@webhook.test:1?token=hidden#hidden"}]
    slack_configs: [{channel: c}]
    email_configs: [{to: "t@example.org"}]
    pagerduty_configs: [{routing_key: hidden-key}]
"""
    )
    assert "hidden" not in config.original
    assert "hidden" not in repr(config)
    assert config.original.count("<secret>") == 6


def test_texts_can_be_defined_in_files_beside_the_configuration(read_config, tmp_path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "own.tmpl").write_text('{{ define "own" }}own text{{ end }}')
    config = read_config(
        "templates: ['texts/*.tmpl']\nroute: {receiver: a}\nreceivers: [{name: a, "
        "slack_configs: [{api_url: 'http://x', title: '{{ template \"own\" . }}'}]}]"
    )
    [slack] = config.receivers["a"].integrations
    assert slack.texts["title"].render(None) == "own text"


def test_a_configuration_that_is_shown_is_one_that_amtool_reads(
    read_config, program, tmp_path
) -> None:
    shown = read_config(
        """
route: {receiver: a}
receivers:
  - name: a
    webhook_configs: [{url: "http://127.0.0.1:1/hidden"}]
    slack_configs: [{api_url: "https://slack.test/hidden", channel: c}]
    pagerduty_configs: [{routing_key: hidden}]
"""
    ).original
    path = tmp_path / "shown.yml"
    path.write_text(shown)
    subprocess.run(
        [program("amtool"), "config", "routes", "test", f"--config.file={path}", "a=b"],
        capture_output=True,
        check=True,
        timeout=30,
    )


def test_a_setting_that_nothing_here_heeds_is_refused(read_config) -> None:
    with pytest.raises(ConfigError, match=r"oauth2"):
        read_config(
            "global: {http_config: {oauth2: {client_id: a, token_url: 'http://127.0.0.1:1/'}}}\n"
            "route: {receiver: a}\nreceivers: [{name: a}]"
        )


def test_a_mail_server_is_checked_against_its_own_name(read_config) -> None:
    with pytest.raises(ConfigError, match=r"leave out `server_name`"):
        read_config(
            "global: {smtp_smarthost: 'mail.test:587', smtp_from: a@shop.test}\n"
            "route: {receiver: a}\nreceivers:\n"
            "  - {name: a, email_configs: [{to: b@shop.test, tls_config: {server_name: c.test}}]}\n"
        )
