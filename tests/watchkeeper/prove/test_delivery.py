"""A fired alert on its way: who hears of it, in which words, and of its end."""

from watchkeeper.notify import load_config
from watchkeeper.prove import Standing, deliver
from watchkeeper.prove.template_labels import missing_labels

ROUTES = """
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 10s
  group_interval: 1m
  routes:
  - receiver: team
    matchers: ['alertname="Subject"']
receivers:
- name: nobody
- name: team
  slack_configs:
  - api_url_file: url
    channel: "#team"
    send_resolved: {resolved}
{text}
"""


def routes(tmp_path, *, resolved="true", text=""):
    path = tmp_path / "alertmanager.yml"
    path.write_text(ROUTES.format(resolved=resolved, text=text), encoding="utf-8")
    return load_config(path)


def test_the_receiver_of_its_route_hears_of_the_alert_and_of_its_end(proof_of, tmp_path):
    proof = proof_of("depth > 50")
    delivery = deliver(routes(tmp_path), proof.fired)
    assert delivery.faults == ()
    assert [(one.receiver, one.way, one.status) for one in delivery.notices] == [
        ("team", "slack", "firing"),
        ("team", "slack", "resolved"),
    ]
    assert delivery.notices[0].after_seconds == 10
    assert "Subject" in delivery.notices[0].text


def test_a_recovery_that_is_not_sent_is_a_fault(proof_of, tmp_path):
    delivery = deliver(routes(tmp_path, resolved="false"), proof_of("depth > 50").fired)
    assert delivery.faults == ("team (slack) is never told of the end: set send_resolved",)


def test_a_text_that_its_template_breaks_is_a_fault(proof_of, tmp_path):
    broken = "    text: '{{ .CommonAnnotations.Missing.Deeper }}'"
    delivery = deliver(routes(tmp_path, text=broken), proof_of("depth > 50").fired)
    assert any("error expanding template" in fault for fault in delivery.faults)


def test_a_route_that_ends_at_nobody_is_a_fault(proof_of, tmp_path):
    path = tmp_path / "alertmanager.yml"
    path.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n", encoding="utf-8")
    delivery = deliver(load_config(path), proof_of("depth > 50").fired)
    assert delivery.faults == ("nobody is told: its route ends at nobody",)


def test_a_label_that_a_text_asks_for_and_the_alert_has_not_is_named(proof_of):
    proof = proof_of(
        "sum(depth) > 50", hold="1m\n    annotations:\n      summary: '{{ $labels.queue }}'"
    )
    assert proof.standing is Standing.PROVED
    fired = [labels for labels, _ in proof.fired.annotations]
    assert missing_labels(proof.rule, fired) == [
        "annotation summary shows $labels.queue, which the alert has not"
    ]
