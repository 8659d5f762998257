"""OpenTelemetry's variables mean what they mean, and a wrong one is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from opentelemetry.sdk import environment_variables

from watchkeeper import ConfigError, Settings
from watchkeeper.instrument.destination import Destination
from watchkeeper.instrument.span_limits import SpanLimits


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
    assert settings.destination_of("spans").endpoint == "http://127.0.0.1:9401/t"
    assert settings.destination_of("logs").endpoint == "http://127.0.0.1:9402/l"
    assert settings.destination_of("spans").headers == {"x": "1"}
    assert settings.destination_of("logs").headers == {"x": "2"}
    assert settings.unused == ()
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


def test_a_password_in_an_endpoint_is_not_shown() -> None:
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://jane:hunter2@all.example.org",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "https://jane:hunter2@logs.example.org",
    }
    assert "hunter2" not in repr(Settings.from_environment(variables))


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
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:99999", "must be a URL such as"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x=a%0d%0ay: b", "'x' is no header, or its value cannot"),
        ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "x=%E2%82%AC", "cannot be sent in one"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x y=1", "'x y' is no header"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "'grpc' is not spoken; set http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "'http/json' is not spoken"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "zip", "'zip' is not known"),
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "-1", "must be 0 or more"),
        ("OTEL_PROPAGATORS", "b3", "'b3' is not spoken; choose of tracecontext and baggage"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "-1", "must be a whole number, 0 or more"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1.5", "must be a whole number, 0 or more"),
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
    assert settings.destination_of("spans").compresses() is compresses


def test_an_exporter_may_be_turned_off() -> None:
    settings = Settings.from_environment(
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9400", "OTEL_TRACES_EXPORTER": "none"}
    )
    assert settings.destination_of("spans").endpoint == ""
    assert settings.destination_of("logs").endpoint == "http://127.0.0.1:9400/v1/logs"
    assert settings.exports


def test_each_signal_may_differ_in_everything_from_what_holds_for_all() -> None:
    settings = Settings.from_environment(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "https://all.example.org/otlp/?tenant=1",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": "all.pem",
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "client.pem",
            "OTEL_EXPORTER_OTLP_CLIENT_KEY": "client.key",
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "https://logs.example.org/here",
            "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "250",
            "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION": "none",
            "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE": "logs.pem",
        }
    )
    spans, logs = settings.destination_of("spans"), settings.destination_of("logs")
    assert spans == Destination(
        endpoint="https://all.example.org/otlp/v1/traces?tenant=1",
        timeout_seconds=10.0,
        compression="gzip",
        certificate="all.pem",
        client_certificate="client.pem",
        client_key="client.key",
    )
    assert logs == replace(
        spans,
        endpoint="https://logs.example.org/here",
        timeout_seconds=0.25,
        compression="none",
        certificate="logs.pem",
    )
    assert settings.unused == ()


@pytest.mark.parametrize(("given", "expected"), [("", 90), ("30", 30), ("0", 0)])
def test_the_limit_of_fields_is_that_of_all_attributes_unless_it_says_more(
    given: str, expected: int
) -> None:
    settings = Settings.from_environment(
        {
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "90",
            "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT": given,
        }
    )
    assert settings.log_value_characters == expected
    assert Settings.from_environment({}).log_value_characters is None
    assert settings.unused == ()


def test_limits_of_spans_are_those_of_all_attributes_unless_they_say_more() -> None:
    limits = Settings.from_environment(
        {
            "OTEL_ATTRIBUTE_COUNT_LIMIT": "7",
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "90",
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "5",
            "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "80",
            "OTEL_SPAN_EVENT_COUNT_LIMIT": "4",
            "OTEL_SPAN_LINK_COUNT_LIMIT": "3",
            "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": "2",
        }
    ).span_limits
    assert limits == SpanLimits(
        attributes=5,
        events=4,
        links=3,
        event_attributes=7,
        link_attributes=2,
        value_characters=80,
    )


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("", ("tracecontext", "baggage")),
        ("tracecontext", ("tracecontext",)),
        ("baggage, tracecontext", ("baggage", "tracecontext")),
        ("none", ()),
    ],
)
def test_propagators_are_chosen(text: str, chosen: tuple[str, ...]) -> None:
    assert Settings.from_environment({"OTEL_PROPAGATORS": text}).propagators == chosen


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("OTEL_BLRP_SCHEDULE_DELAY", "100", "set OTEL_BSP_ in its place"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "100", "set OTEL_EXPORTER_OTLP_TIMEOUT in its place"),
        ("OTEL_METRICS_EXPORTER", "otlp", "metrics are scraped"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:1", "metrics are scraped"),
        ("OTEL_CONFIG_FILE", "otel.yaml", "each variable is read by itself"),
        ("OTEL_SERVICE_NAEM", "door", "nothing here reads it"),
    ],
)
def test_a_variable_that_has_no_effect_is_told(variable: str, value: str, told: str) -> None:
    [sentence] = Settings.from_environment({variable: value}).unused
    assert sentence.startswith(f"{variable} has no effect: ")
    assert told in sentence


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_METRICS_EXPORTER", ""),
        ("OTEL_PYTHON_CONTEXT", "contextvars_context"),
        ("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS", "x"),
        ("OTEL_BLRP_SCHEDULE_DELAY", ""),
    ],
)
def test_what_is_so_anyhow_or_for_others_is_not_told(variable: str, value: str) -> None:
    assert Settings.from_environment({variable: value}).unused == ()


def test_every_variable_of_the_sdk_is_read_or_told() -> None:
    """Of all that OpenTelemetry's SDK for Python knows, none is passed over in silence."""
    passed_over = [
        name
        for name in vars(environment_variables)
        if name.startswith("OTEL_")
        and not name.startswith(("OTEL_PYTHON_", "OTEL_EXPORTER_JAEGER", "OTEL_EXPORTER_ZIPKIN"))
        and not is_known(name)
    ]
    of_grpc_alone = {f"OTEL_EXPORTER_OTLP_{signal}INSECURE" for signal in ("", "TRACES_", "LOGS_")}
    assert set(passed_over) == of_grpc_alone | {"OTEL_LOG_LEVEL"}


def is_known(variable: str) -> bool:
    """Whether a value of a variable changes the settings, is wrong, or is told to be unused."""
    changed = 0
    for value in ("7", "true", "0.5", "x=1", "always_off", "none", "http://127.0.0.1:1", "gzip"):
        try:
            changed += Settings.from_environment({variable: value}) != Settings()
        except ConfigError:
            return True
    return bool(changed)
