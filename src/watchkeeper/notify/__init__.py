"""Notification: routes, groups, inhibition, silences and receivers, as in Alertmanager."""

from watchkeeper.notify.alert import Alert, fingerprint
from watchkeeper.notify.config_file import AlertmanagerConfig, load_config
from watchkeeper.notify.matchers import Matchers, matcher, matchers_of, parse_matchers
from watchkeeper.notify.notifier import Notifier, NotifierSettings
from watchkeeper.notify.pipeline import MutingSettings
from watchkeeper.notify.route import Route
from watchkeeper.notify.silence import Silence, SilenceState
from watchkeeper.notify.snapshot import (
    AlertStatus,
    DeliveryRecord,
    GroupStatus,
    ReceiverStatus,
)

__all__ = [
    "Alert",
    "AlertStatus",
    "AlertmanagerConfig",
    "DeliveryRecord",
    "GroupStatus",
    "Matchers",
    "MutingSettings",
    "Notifier",
    "NotifierSettings",
    "ReceiverStatus",
    "Route",
    "Silence",
    "SilenceState",
    "fingerprint",
    "load_config",
    "matcher",
    "matchers_of",
    "parse_matchers",
]
