"""Which alert mutes which."""

from __future__ import annotations

from watchkeeper.model import Labels, labels
from watchkeeper.notify import Alert, matchers_of, parse_matchers
from watchkeeper.notify.inhibit import Inhibitor, InhibitRule


def rule(source: str, target: str, *equal: str) -> InhibitRule:
    return InhibitRule(
        matchers_of(parse_matchers(source)), matchers_of(parse_matchers(target)), equal
    )


def firing(**pairs: str) -> Alert:
    return Alert(labels(pairs), (), 1, 2, 1)


def is_muted(by: InhibitRule, target: Labels, *sources: Alert) -> bool:
    return Inhibitor([by], sources).source_of(target) is not None


CRITICAL_OVER_WARNING = rule('severity="critical"', 'severity="warning"', "site", "rack")
WARNING = labels({"severity": "warning", "site": "a", "rack": "1"})


def test_every_equal_label_must_agree() -> None:
    by = CRITICAL_OVER_WARNING
    assert is_muted(by, WARNING, firing(severity="critical", site="a", rack="1"))
    assert not is_muted(by, WARNING, firing(severity="critical", site="a", rack="2"))
    assert not is_muted(by, WARNING, firing(severity="critical", site="b", rack="1"))


def test_a_label_that_both_lack_agrees() -> None:
    target = labels({"severity": "warning"})
    assert is_muted(CRITICAL_OVER_WARNING, target, firing(severity="critical"))
    assert not is_muted(CRITICAL_OVER_WARNING, target, firing(severity="critical", site="a"))


def test_only_a_source_mutes_and_only_a_target_is_muted() -> None:
    source = firing(severity="critical", site="a", rack="1")
    assert not is_muted(CRITICAL_OVER_WARNING, WARNING, firing(severity="page"))
    assert not is_muted(CRITICAL_OVER_WARNING, source.labels, source)


def test_two_alerts_that_are_source_and_target_do_not_mute_each_other() -> None:
    by = rule('kind="down"', 'team="web"')
    one, two = firing(kind="down", team="web", n="1"), firing(kind="down", team="web", n="2")
    assert not is_muted(by, one.labels, one, two)
    assert is_muted(by, one.labels, firing(kind="down", team="db"))
