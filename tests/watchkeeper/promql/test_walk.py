from __future__ import annotations

from watchkeeper.promql import format, map_durations, parse, selectors


def test_selectors_are_found_from_left_to_right_with_their_places() -> None:
    text = 'sum(rate(a_total{job="x"}[5m])) / on () (b or max_over_time({__name__="c"}[1h:]))'
    found = selectors(parse(text))
    assert [one.metric_name for one in found] == ["a_total", "b", "c"]
    assert text[found[0].start : found[0].end] == 'a_total{job="x"}'
    assert [(one.name, one.value) for one in found[0].matchers] == [("job", "x")]


def test_durations_are_mapped_wherever_they_stand() -> None:
    query = "rate(a[5m] offset 1m) + max_over_time(rate(b[10m])[1h:1m]) > 5m"
    mapped = map_durations(parse(query), lambda milliseconds: milliseconds // 10)
    assert format(mapped) == ("rate(a[30s] offset 6s) + max_over_time(rate(b[1m])[6m:6s]) > 300")


def test_mapping_takes_bare_seconds_for_a_duration_but_leaves_factors() -> None:
    mapped = map_durations(parse("rate(a[300]) + rate(b[5m * 2])"), lambda ms: ms * 2)
    assert format(mapped) == "rate(a[10m]) + rate(b[10m * 2])"
