"""The application is watched by Watchkeeper and by nothing else."""

import ast
from pathlib import Path

import resume_optimizer

OTHERS = (
    "ddtrace",
    "elasticapm",
    "logfire",
    "newrelic",
    "opentelemetry.exporter",
    "opentelemetry.instrumentation",
    "opentelemetry.sdk",
    "prometheus_client",
    "prometheus_fastapi_instrumentator",
    "sentry_sdk",
    "starlette_exporter",
    "statsd",
)
SOURCES = sorted(Path(resume_optimizer.__file__).parent.rglob("*.py"))


def imported(source: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_no_other_telemetry_library_is_imported():
    assert len(SOURCES) > 50
    names = {name: source for source in SOURCES for name in imported(source)}
    assert any(name.startswith("watchkeeper.") for name in names)
    others = {
        name: str(source)
        for name, source in names.items()
        if any(f"{name}.".startswith(f"{other}.") for other in OTHERS)
    }
    assert others == {}
