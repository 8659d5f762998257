"""The mutation score: slips that a proof notices, those that mean the same, and those it misses."""

import pytest

from watchkeeper.promql import parse
from watchkeeper.prove import Fate, score
from watchkeeper.prove.declared import Declared
from watchkeeper.prove.equivalence import why_equivalent
from watchkeeper.prove.mutants import mutants_of
from watchkeeper.prove.regex_alternatives import without_one

RATIO = 'sum(rate(requests_total{code=~"5.."}[5m])) / sum(rate(requests_total[5m])) > 0.05'


@pytest.fixture
def declared(contract):
    return Declared.of(contract)


def trials(text, tmp_path, subject_from):
    from watchkeeper.prove import prove_alert

    subject = subject_from(tmp_path, text)
    return score(subject, [prove_alert(subject, group, rule) for group, rule in subject.alerts()])


def test_slips_of_a_ratio_are_noticed(tmp_path, subject_from, rule_of):
    found = trials(rule_of(RATIO), tmp_path, subject_from)
    assert found.share >= 0.95
    assert {one.mutant.kind for one in found.of(Fate.NOTICED)} >= {
        "number",
        "operator",
        "matcher",
        "range",
        "function",
        "for",
    }


def test_a_gauge_compared_with_a_number_leaves_no_slip_unnoticed(tmp_path, subject_from, rule_of):
    found = trials(rule_of("max by (queue) (depth) > 50"), tmp_path, subject_from)
    assert found.of(Fate.SURVIVED) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("up == 0", "up <= 0"),
        ('sum(jobs_total{status!="done"}) > 1', 'sum(jobs_total{status!~"done"}) > 1'),
        (
            "histogram_quantile(0.9, sum by (le) (rate(duration_seconds_bucket[5m]))) > 1",
            "histogram_quantile(0.9, avg by (le) (rate(duration_seconds_bucket[5m]))) > 1",
        ),
        ('depth{queue="a"} > 1 and depth{queue="a"} < 9', 'depth > 1 and depth{queue="a"} < 9'),
    ],
)
def test_a_slip_that_nothing_can_tell_is_known_as_such(before, after, declared):
    assert why_equivalent(parse(before), parse(after), declared)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("depth == 0", "depth <= 0"),
        ('sum(requests_total{code!="200"}) > 1', 'sum(requests_total{code!="201"}) > 1'),
        ("sum(depth) > 1", "avg(depth) > 1"),
        ('depth{queue="a"} > 1 or depth{queue="a"} < 9', 'depth > 1 or depth{queue="a"} < 9'),
        ('depth{queue="a"} > 1 and depth < 9', "depth > 1 and depth < 9"),
    ],
)
def test_a_slip_that_something_could_tell_is_not_excused(before, after, declared):
    assert not why_equivalent(parse(before), parse(after), declared)


def test_every_mutant_differs_from_the_rule_and_from_the_others(declared):
    found = [str(one.expression) for one in mutants_of(parse(RATIO), declared)]
    assert len(found) == len(set(found)) > 20
    assert str(parse(RATIO)) not in found


def test_an_alternative_of_a_regular_expression_can_be_forgotten():
    assert without_one("a|b(c|d)|[|]") == ["b(c|d)|[|]", "a|[|]", "a|b(c|d)"]
    assert without_one("5..") == []
