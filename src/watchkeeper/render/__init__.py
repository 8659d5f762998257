"""From a contract to the files that Prometheus, Alertmanager and Grafana read."""

from watchkeeper.render.document import Document
from watchkeeper.render.files import differences, documents, render
from watchkeeper.render.pace import quicken

__all__ = ["Document", "differences", "documents", "quicken", "render"]
