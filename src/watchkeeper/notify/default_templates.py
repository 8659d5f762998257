"""Our own default texts: what is wrong, since when, and where to look.

They stand in default.tmpl and go by Alertmanager's names, so that files under `templates:` can
call or replace them.
"""

from __future__ import annotations

from importlib import resources

from watchkeeper.templates import Library, alertmanager_functions

PAGERDUTY_DETAILS = {
    "firing": '{{ range .Alerts.Firing }}{{ template "__alert_text" . }}\n\n{{ end }}',
    "resolved": '{{ range .Alerts.Resolved }}{{ template "__alert_text" . }}\n\n{{ end }}',
    "num_firing": "{{ .Alerts.Firing | len }}",
    "num_resolved": "{{ .Alerts.Resolved | len }}",
}
"""What an incident holds besides what its receiver's `details` add."""


def default_library() -> Library:
    """Return the default texts, to which files of the configuration are added."""
    source = resources.files("watchkeeper.notify").joinpath("default.tmpl").read_text("utf-8")
    return Library(frozenset(alertmanager_functions())).with_text(source, name="default.tmpl")
