"""The files that promtool's `test rules` reads, as types.

Source: prometheus.io, "Unit testing for rules".
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from watchkeeper.configuration import Duration, convert, read_yaml
from watchkeeper.errors import ConfigError


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a test file must say in no other words."""


class InputSeries(_Strict, frozen=True):
    """One series and its values, `interval` apart from the epoch on."""

    series: str
    values: str


class ExpectedAlert(_Strict, frozen=True):
    """One firing alert; the label alertname is that of its test."""

    exp_labels: dict[str, str | int | float | bool] | None = None
    exp_annotations: dict[str, str | int | float | bool] | None = None


class AlertTest(_Strict, frozen=True):
    """Which alerts of a name fire at a moment: these and no others."""

    eval_time: Duration = Duration(0)
    alertname: str = ""
    exp_alerts: list[ExpectedAlert] | None = None


class ExpectedSample(_Strict, frozen=True):
    """One element of an instant vector."""

    labels: str = ""
    value: float | str = 0.0
    histogram: str = ""


class ExpressionTest(_Strict, frozen=True):
    """What an expression gives at a moment."""

    expr: str = ""
    eval_time: Duration = Duration(0)
    exp_samples: list[ExpectedSample] | None = None


class RuleTest(_Strict, frozen=True):
    """Series, and what the rules make of them."""

    name: str = ""
    interval: Duration | None = None
    input_series: list[InputSeries] | None = None
    alert_rule_test: list[AlertTest] | None = None
    promql_expr_test: list[ExpressionTest] | None = None
    external_labels: dict[str, str] | None = None
    external_url: str = ""

    @property
    def last_moment_seconds(self) -> float:
        """When the last question is asked."""
        moments = [float(one.eval_time) for one in self.alerts]
        moments += [float(one.eval_time) for one in self.expressions]
        return max(moments, default=0.0)

    @property
    def alerts(self) -> list[AlertTest]:
        """The questions about alerts."""
        return self.alert_rule_test or []

    @property
    def expressions(self) -> list[ExpressionTest]:
        """The questions about expressions."""
        return self.promql_expr_test or []


class RuleTestFile(_Strict, frozen=True):
    """A whole file. Rule files are found beside it; `*` and its like are followed."""

    rule_files: list[str] | None = None
    evaluation_interval: Duration = Duration(60)
    group_eval_order: list[str] | None = None
    fuzzy_compare: bool = False
    tests: list[RuleTest] | None = None


def load_rule_tests(path: Path) -> RuleTestFile:
    """Return a file of rule tests. Raises ConfigError with the place of what is wrong."""
    document = read_yaml(path)
    file = convert({} if document is None else document, RuleTestFile, source=str(path))
    for position, test in enumerate(file.tests or []):
        for number, alert in enumerate(test.alerts):
            if not alert.alertname:
                raise ConfigError(
                    "a test of alerts needs the `alertname`",
                    source=str(path),
                    path=f"$.tests[{position}].alert_rule_test[{number}]",
                )
    return file


def rule_paths(file: RuleTestFile, path: Path) -> list[Path]:
    """Return the rule files that a test file at `path` names, each once."""
    found: dict[Path, None] = {}
    for pattern in file.rule_files or []:
        anchor, rest = (
            (Path("/"), pattern[1:]) if pattern.startswith("/") else (path.parent, pattern)
        )
        found.update(dict.fromkeys(sorted(anchor.glob(rest))))
    return list(found)
