"""Parts: a piece of a service that is watched as a whole, as a convention declares it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchkeeper.contract.alert import Alert, RecordingRule, RuleGroup
from watchkeeper.contract.dashboard import Annotation, Row, Variable
from watchkeeper.contract.runbook import Runbook
from watchkeeper.contract.signals import NO_SIGNALS, Signals
from watchkeeper.errors import ContractError

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Signals, and the alerts, recording rules, panels and runbooks that come with them.

    A contract takes parts whole: `Contract(parts=(http.watched(), database.watched()), ...)`.
    """

    name: str
    signals: Signals = NO_SIGNALS
    alerts: tuple[Alert, ...] = ()
    recordings: tuple[RecordingRule, ...] = ()
    rows: tuple[Row, ...] = ()
    variables: tuple[Variable, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    runbooks: tuple[Runbook, ...] = ()

    def __post_init__(self) -> None:
        if not NAME.match(self.name):
            raise ContractError(f"part {self.name!r}: a name is lower-case words joined by hyphens")

    @property
    def rule_group(self) -> RuleGroup:
        """Its rules, recorded ones first."""
        return RuleGroup(name=f"part-{self.name}", rules=self.recordings + self.alerts)
