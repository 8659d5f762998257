"""Whatever rule is given: it is proved or it is said that it is not, and the engine decides."""

import re

import pytest
import re2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchkeeper.contract import Label
from watchkeeper.model import Matcher, MatchOperator
from watchkeeper.prove import Standing, prove_alert
from watchkeeper.prove.label_values import chosen_values
from watchkeeper.prove.regex_examples import examples
from watchkeeper.prove.sets import Verdict
from watchkeeper.prove.timeline import Timeline, Timing, fired

GAUGES = st.sampled_from(["depth", "pool_used", 'depth{queue="mail"}'])
COUNTERS = st.sampled_from(
    ["requests_total", 'requests_total{code=~"5.."}', 'jobs_total{status!="rejected"}']
)
RANGES = st.sampled_from(["1m", "5m", "10m"])
FLOWS = st.builds("{}({}[{}])".format, st.sampled_from(["rate", "increase"]), COUNTERS, RANGES)
SUMS = st.builds("{}({})".format, st.sampled_from(["sum", "avg", "max", "min"]), FLOWS | GAUGES)
VALUES = (
    SUMS | GAUGES | st.builds("{} / {}".format, SUMS, SUMS) | st.builds("{} - 3".format, GAUGES)
)
COMPARISONS = st.builds(
    "{} {} {}".format, VALUES, st.sampled_from([">", ">=", "<", "<=", "=="]), st.integers(0, 90)
)
EXPRESSIONS = COMPARISONS | st.builds(
    "{} {} {}".format,
    COMPARISONS,
    st.sampled_from(["and on ()", "or", "unless on ()"]),
    COMPARISONS,
)


@pytest.mark.timeout(600)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(expression=EXPRESSIONS)
def test_what_is_proved_fires_and_is_silent_where_it_must(
    expression, tmp_path, subject_from, rule_of
):
    subject = subject_from(tmp_path, rule_of(expression))
    ((group, rule),) = subject.alerts()
    proof = prove_alert(subject, group, rule)
    if proof.standing is not Standing.PROVED:
        assert proof.reasons
        return
    for one in proof.evidence:
        timeline = Timeline(one.series.phases, proof.setting.pace, (), subject.clock)
        held = 0
        fires = False
        for moment_ms in timeline.moments_ms[1:]:
            held = held + 1 if timeline.engine.vector(expression, moment_ms) else 0
            fires = fires or held > rule.for_seconds * 1000 // proof.setting.pace.step_ms
        assert fires or one.series.verdict is not Verdict.FIRES
        assert not fires or one.series.verdict is not Verdict.SILENT


@given(st.from_regex(r"[a-c]?(x|[1-3]\d)+(end)?(a{2,3}|b)", fullmatch=True))
def test_examples_of_a_pattern_are_taken_by_it(text):
    pattern = re.escape(text).replace("x", "(x|y)")
    found = examples(pattern)
    assert found
    assert all(re2.fullmatch(pattern, one) for one in found)


def test_every_alternative_comes_first():
    assert examples("database|cache|objects")[:3] == ["database", "cache", "objects"]
    assert len(examples(r"[1-5]\d\d")) == 500
    assert examples("(unclosed") == []


def test_values_are_those_that_matchers_tell_apart():
    code = Label("code", pattern=r"[1-5]\d\d")
    taken = Matcher("code", MatchOperator.REGEX, "5..")
    values = chosen_values(code, [taken], 1)
    assert {value[0] for value in values} == {"5", "1"}
    status = Label("status", values=("done", "failed"))
    assert chosen_values(status, [taken], 1) == ("done", "failed", "other")


def test_an_alert_fires_when_it_held_for_its_for_and_goes_on_for_what_it_keeps():
    import numpy as np

    present = np.array([0, 1, 1, 1, 0, 1, 1, 0, 0, 0], dtype=bool)
    assert fired(present, Timing(30_000), 15_000).nonzero()[0].tolist() == [3]
    kept = fired(present, Timing(30_000, 30_000), 15_000).nonzero()[0].tolist()
    assert kept == [3, 4, 5, 6, 7, 8]
