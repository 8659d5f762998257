"""Labels and annotations of one alert, from its rule's templates and its sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watchkeeper.errors import QueryError, TemplateError
from watchkeeper.model import METRIC_NAME, Labels, labels
from watchkeeper.ports import Querier, VectorSample
from watchkeeper.rules.rule import AlertingRule
from watchkeeper.templates import Functions, Record, Template, prometheus_functions


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every template may refer to, whatever its alert."""

    querier: Querier
    external_labels: Mapping[str, str]
    external_url: str

    def functions(self, now_ns: int) -> Functions:
        """Return the template functions of an evaluation at `now_ns`."""

        def query(expression: str) -> list[tuple[Mapping[str, str], float]]:
            try:
                vector = self.querier.vector(expression, now_ns // 1_000_000)
            except QueryError as error:
                raise TemplateError(f"query {expression!r}: {error}") from None
            return [(dict(sample.labels), sample.value) for sample in vector]

        return prometheus_functions(query, external_url=self.external_url, now_ns=now_ns)


def expand(
    rule: AlertingRule, sample: VectorSample, surroundings: Surroundings, functions: Functions
) -> tuple[Labels, Labels]:
    """Return the label set and the annotations of the alert that `sample` is."""
    seen = dict(sample.labels)
    values: dict[str, object] = {
        "labels": seen,
        "value": sample.value,
        "externalLabels": surroundings.external_labels,
        "externalURL": surroundings.external_url,
    }
    data = Record(
        "AlertTemplateData",
        {
            "Labels": seen,
            "Value": sample.value,
            "ExternalLabels": surroundings.external_labels,
            "ExternalURL": surroundings.external_url,
        },
    )

    def rendered(templates: Mapping[str, Template]) -> dict[str, str]:
        return {
            name: template.render(data, functions, variables=values)
            for name, template in templates.items()
        }

    own = {name: value for name, value in seen.items() if name != METRIC_NAME}
    own.update(rendered(rule.labels))
    own["alertname"] = rule.name
    return labels(own), tuple(sorted(rendered(rule.annotations).items()))
