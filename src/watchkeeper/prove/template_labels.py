"""Labels that an alert's texts ask for: Prometheus leaves the place empty where there is none."""

from __future__ import annotations

import re
from collections.abc import Iterable

from watchkeeper.model import Labels
from watchkeeper.rules.rule import AlertingRule

ASKED = re.compile(r"(?:\$labels|\.Labels)\.(\w+)|index\s+(?:\$labels|\.Labels)\s+\"(\w+)\"")


def missing_labels(rule: AlertingRule, fired: Iterable[Labels]) -> list[str]:
    """Return what the texts of a rule ask for and one of its alerts has not."""
    own = set(rule.labels)
    found = []
    for kind, templates in (("annotation", rule.annotations), ("label", rule.labels)):
        for name, template in templates.items():
            asked = {one or other for one, other in ASKED.findall(template.source)}
            for labels in fired:
                missing = sorted(asked - {key for key, _ in labels} - own)
                found += [
                    f"{kind} {name} shows $labels.{one}, which the alert has not" for one in missing
                ]
    return list(dict.fromkeys(found))
