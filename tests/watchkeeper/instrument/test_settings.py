"""OpenTelemetry's variables mean what they mean, and a wrong one is named."""

from __future__ import annotations

import pytest

from watchkeeper import ConfigError, Settings


def test_an_empty_environment_observes_and_sends_nothing_away() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings()
    assert settings.otlp_endpoint == ""
    assert settings.log == "stdout"


def test_every_variable_is_read() -> None:
    settings = Settings.from_environment(
        {
            "OTEL_SERVICE_NAME": "door",
            "OTEL_RESOURCE_ATTRIBUTES": "team=keys,region=eu%20west,deployment.environment.name=x",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9400",
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20abc",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9401/t",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x=1",
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://127.0.0.1:9402/l",
            "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "x=2",
            "OTEL_BSP_SCHEDULE_DELAY": "250",
            "OTEL_BSP_MAX_QUEUE_SIZE": "4000",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "100",
            "WATCHKEEPER_SPOOL_DIRECTORY": "/var/spool/door",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.1",
            "OTEL_SDK_DISABLED": "True",
            "WATCHKEEPER_PROCESS_DIRECTORY": "/run/door",
            "WATCHKEEPER_LOG": "/var/log/door.jsonl",
            "WATCHKEEPER_KEEP_ERRORS": "false",
            "WATCHKEEPER_KEEP_SLOW_SECONDS": "2.5",
            "WATCHKEEPER_QUIET_PATHS": "/ping, /pong",
            "ENVIRONMENT": "production",
        }
    )
    assert settings.service == "door"
    assert settings.resource_attributes["region"] == "eu west"
    assert settings.otlp_headers == {"authorization": "Bearer abc"}
    assert settings.export_timeout_seconds == 2.5
    assert settings.endpoint_of("spans") == "http://127.0.0.1:9401/t"
    assert settings.endpoint_of("logs") == "http://127.0.0.1:9402/l"
    assert settings.headers_of("spans") == {"x": "1"}
    assert settings.headers_of("logs") == {"x": "2"}
    assert (settings.export_interval_seconds, settings.queue_limit) == (0.25, 4000)
    assert settings.export_batch_records == 100
    assert settings.spool_directory == "/var/spool/door"
    assert (settings.sampler, settings.sampler_ratio) == ("parentbased_traceidratio", 0.1)
    assert settings.disabled
    assert settings.process_directory == "/run/door"
    assert settings.log == "/var/log/door.jsonl"
    assert (settings.keep_errors, settings.keep_slow_seconds) == (False, 2.5)
    assert settings.quiet_paths == ("/ping", "/pong")
    assert settings.environment == "production"
    assert "Bearer" not in repr(settings)


def test_resource_attributes_name_the_service_and_environment_where_nothing_else_does() -> None:
    settings = Settings.from_environment(
        {"OTEL_RESOURCE_ATTRIBUTES": "service.name=door,deployment.environment.name=test"}
    )
    assert (settings.service, settings.environment) == ("door", "test")


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("OTEL_TRACES_SAMPLER", "sometimes", "'sometimes' is not a sampler; choose one of"),
        ("OTEL_TRACES_SAMPLER_ARG", "half", "'half' is not a number"),
        ("OTEL_TRACES_SAMPLER_ARG", "2", "must lie between 0 and 1"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team", "write it as key=value"),
        ("WATCHKEEPER_KEEP_SLOW_SECONDS", "-1", "must be 0 or more"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "collector", "must be a URL such as"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip", "'zip' is not known; choose gzip or none"),
        ("OTEL_LOGS_EXPORTER", "kafka", "'kafka' is not known; choose otlp or none"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0", "must be above 0"),
        ("WATCHKEEPER_QUIET_PATHS", "ping", "'ping' does not begin with /"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "must be a URL such as"),
    ],
)
def test_a_wrong_value_is_named(variable: str, value: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as raised:
        Settings.from_environment({variable: value})
    assert raised.value.source == variable


@pytest.mark.parametrize(
    ("chosen", "endpoint", "compresses"),
    [
        ("", "https://collector.example.org", True),
        ("", "http://127.0.0.1:9400", False),
        ("", "http://localhost:4318", False),
        ("gzip", "http://127.0.0.1:9400", True),
        ("none", "https://collector.example.org", False),
    ],
)
def test_what_leaves_the_machine_is_compressed_unless_told_otherwise(
    chosen: str, endpoint: str, compresses: bool
) -> None:
    settings = Settings.from_environment(
        {"OTEL_EXPORTER_OTLP_COMPRESSION": chosen, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    )
    assert settings.compresses("spans") is compresses


def test_an_exporter_may_be_turned_off() -> None:
    settings = Settings.from_environment(
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9400", "OTEL_TRACES_EXPORTER": "none"}
    )
    assert settings.endpoint_of("spans") == ""
    assert settings.endpoint_of("logs") == "http://127.0.0.1:9400"
    assert settings.exports
