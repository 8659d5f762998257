"""Expressions of many shapes: good ones are proved, faulty ones are not, and it is said why."""

import pytest

from watchkeeper.prove import Standing

ERRORS = 'sum(rate(requests_total{code=~"5.."}[5m]))'
REQUESTS = "sum(rate(requests_total[5m]))"
UP_RULE = "  - alert: Gone\n    expr: up == 0\n    for: 1m\n"


@pytest.mark.parametrize(
    "expression",
    [
        f"{ERRORS} / {REQUESTS} > 0.05",
        f"100 * {ERRORS} / {REQUESTS} >= 5",
        f"1 - {ERRORS} / {REQUESTS} < 0.95",
        f"0.05 < {ERRORS} / {REQUESTS}",
        f"({ERRORS} or vector(0)) / ({REQUESTS} > 0) > 0.05",
        f"{ERRORS} / {REQUESTS} > 0.05 and {REQUESTS} > 1",
        'sum by (job) (rate(requests_total{code="500"}[5m])) > 10',
        (
            'sum(increase(jobs_total{status="failed"}[10m]))'
            ' / sum(increase(jobs_total{status!="rejected"}[10m])) > 0.1'
        ),
        "sum(increase(cost_usd_total[1h])) > 5",
        "irate(cost_usd_total[5m]) > 2",
        "max by (queue) (depth) > 50",
        "avg(depth) > 50",
        "depth > 50",
        'depth{queue="mail"} > 50',
        "count(up == 0) > 3",
        "sum(pool_used) / sum(pool_most) > 0.9",
        "pool_used / on (job, instance) pool_most > 0.9",
        "pool_most - pool_used < 5 and up == 1",
        "max_over_time(depth[10m]) > 50",
        "avg_over_time(depth[10m]) > 50",
        "quantile_over_time(0.9, depth[10m]) > 50",
        "histogram_quantile(0.95, sum by (le) (rate(duration_seconds_bucket[5m]))) > 1",
        "histogram_quantile(0.9, sum by (le, route) (rate(duration_seconds_bucket[5m]))) > 0.7",
        (
            'sum(rate(duration_seconds_bucket{le="0.5"}[5m]))'
            " / sum(rate(duration_seconds_count[5m])) < 0.9"
        ),
        "rate(duration_seconds_sum[5m]) / rate(duration_seconds_count[5m]) > 2",
        "absent(depth)",
        'absent_over_time(depth{queue="mail"}[10m])',
        (
            'min by (dependency) (dependency_up{dependency="db"}) == 0'
            ' or absent(dependency_up{dependency="db"})'
        ),
        "dependency_up != 1 or absent(dependency_up)",
        "depth > 50 unless on (job) pool_used > 7",
        "predict_linear(disk_free_bytes[1h], 4 * 3600) < 0 or absent(disk_free_bytes)",
        "predict_linear(pool_used[6h], 86400) < 0 and pool_used / pool_most < 0.3",
        "deriv(depth[10m]) > 0.5",
        "time() - last_run_timestamp_seconds > 600",
        "up == 0",
        "sum(depth) > 1.5 * 1024 ^ 3",
        "abs(depth) > 10",
        "clamp_min(depth - 5, 0) > 10",
        "sum without (instance) (depth) > 10",
        "topk(1, depth) > 10",
    ],
)
def test_a_good_alert_is_proved(expression, proof_of):
    proof = proof_of(expression, beside=UP_RULE)
    assert (proof.standing, proof.reasons) == (Standing.PROVED, ())


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        # What a well-meant guide has: a label that the metric has not.
        (
            'rate(requests_total{status=~"5.."}[5m]) / rate(requests_total[5m]) > 0.05',
            "requests_total has no label status; its labels: code, method",
        ),
        # Series divided by themselves: 1 wherever it exists, whatever the threshold.
        (
            'rate(requests_total{code=~"5.."}[5m]) / rate(requests_total[5m]) > 0.05',
            "the threshold decides nothing",
        ),
        # Below zero there is no number of series that are not there.
        ("depth == 0", "is gone, not low: this alert is silent then"),
        ("sum(pool_used) < 2", "add `or absent(...)`, or an alert on `up == 0`"),
        (f"{ERRORS} / {REQUESTS} > 1.5", "the left side of `>` stays 0.5 below the right one"),
        (
            "histogram_quantile(0.95, sum by (le) (rate(duration_seconds_bucket[5m]))) > 5",
            "stays",
        ),
        ("histogram_quantile(0.95, sum(rate(duration_seconds_bucket[5m]))) > 1", "never meet"),
        ('sum(rate(jobs_total{status="broken"}[5m])) > 1', "no declared value of status"),
        ("nobody_knows_it > 1", "the contract declares no metric nobody_knows_it"),
        ('up{job="mail"} == 0', "no scrape job is taken by"),
        (
            'sum(rate(duration_seconds_bucket{le="0.7"}[5m])) > 1',
            'has no bucket that le="0.7" takes; its bounds: 0.1, 0.5, 1.0, 5.0, +Inf',
        ),
        ("depth > 5 and depth < 3", "do not hold together"),
        ("sum by (job) (depth) > 5 * sum by (queue) (pool_used)", "never meet"),
        ("vector(0) > 1", "it asks for no series, and does not hold"),
        ("depth > 1 or depth <= 1", "it still fires after all is well again"),
        (
            "sum(rate(requests_total[5m])) < 0.5 * sum(rate(requests_total[5m] offset 1h))",
            "it compares series with their own past",
        ),
    ],
)
def test_a_faulty_alert_is_not_proved_and_it_is_said_why(expression, reason, proof_of):
    proof = proof_of(expression)
    assert proof.standing is Standing.UNPROVED
    assert reason in "; ".join(proof.reasons)
