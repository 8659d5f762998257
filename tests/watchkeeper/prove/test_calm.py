"""Calm time left out of a delivery: the same people hear the same at the same moments."""

from watchkeeper.model import FiringAlert
from watchkeeper.notify import load_config
from watchkeeper.prove import delivery
from watchkeeper.prove.calm import Shortened, without_calm
from watchkeeper.prove.evaluated import Evaluated, Told

SECOND_NS = 1_000_000_000
ROUTES = """
route:
  receiver: team
  group_by: [alertname]
  group_wait: 10s
  group_interval: 1m
  routes:
  - {{receiver: others, matchers: ['alertname="Second"'], group_interval: 7m{muted}}}
receivers:
- name: team
  slack_configs: [{{api_url_file: url, channel: "#team", send_resolved: true}}]
- name: others
  slack_configs: [{{api_url_file: url, channel: "#others", send_resolved: true}}]
time_intervals:
- {{name: nights, time_intervals: [{{times: [{{start_time: "00:00", end_time: "06:00"}}]}}]}}
"""


def routes(tmp_path, muted=""):
    path = tmp_path / "alertmanager.yml"
    path.write_text(ROUTES.format(muted=muted), encoding="utf-8")
    return load_config(path)


def told(end_by_name, step_seconds=60, start_by_name=None):
    """Alerts by name that are told again every step until they end."""
    starts = start_by_name or {}
    found = []
    for at in range(0, max(end_by_name.values()) + 1, step_seconds):
        alerts = tuple(
            FiringAlert(
                (("alertname", name),),
                (),
                starts.get(name, 0) * SECOND_NS,
                (end if at >= end else at + 4 * step_seconds) * SECOND_NS,
            )
            for name, end in end_by_name.items()
            if starts.get(name, 0) <= at <= end
        )
        found.append(Told(at * 1000, alerts))
    return tuple(found)


def notices(config, all_told):
    """What is told, each repetition of a firing notice left out."""
    fired = Evaluated((), (), (), (), (), all_told)
    seen = {}
    for one in delivery.deliver(config, fired).notices:
        seen.setdefault((one.receiver, one.status), one)
    return seen


def test_most_of_a_month_is_left_out_and_the_end_stays_where_it_was(tmp_path):
    month = 30 * 86_400
    shortened = without_calm(told({"First": month}), routes(tmp_path).route)
    assert len(shortened.told) < 60
    last = shortened.told[-1]
    assert shortened.original_ns(last.at_ms * 1_000_000) == month * SECOND_NS
    assert shortened.original_ns(last.alerts[0].ends_at_ns) == month * SECOND_NS


def test_everybody_hears_the_same_at_the_same_moments_without_the_calm(tmp_path, monkeypatch):
    all_told = told(
        {"First": 40 * 3600, "Second": 90 * 3600}, start_by_name={"Second": 20 * 3600 + 60}
    )
    config = routes(tmp_path)
    fast = notices(config, all_told)
    assert len(without_calm(all_told, config.route).cuts) == 3
    monkeypatch.setattr(delivery, "without_calm", lambda told, root: Shortened(told))
    assert fast == notices(config, all_told)
    assert {key: one.after_seconds for key, one in fast.items()} == {
        ("team", "firing"): 10,
        ("team", "resolved"): 40 * 3600 + 10,
        ("others", "firing"): 20 * 3600 + 70,
        ("others", "resolved"): 90 * 3600 + 70,
    }


def test_a_gap_in_which_an_alert_ran_out_is_not_calm(tmp_path):
    early = told({"First": 3 * 3600})[:60]
    late = told({"First": 9 * 3600})[400:]
    shortened = without_calm((*early, *late), routes(tmp_path).route)
    assert any(
        shortened.original_ns(one.at_ms * 1_000_000) == 400 * 60 * SECOND_NS
        for one in shortened.told
    )


def test_nothing_is_left_out_where_the_time_of_the_day_decides(tmp_path):
    all_told = told({"First": 86_400})
    muted = routes(tmp_path, ", mute_time_intervals: [nights]")
    assert without_calm(all_told, muted.route).told == all_told
