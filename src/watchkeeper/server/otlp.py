"""OTLP/HTTP: POST /v1/traces, /v1/logs and /v1/metrics, protobuf or JSON, gzip or plain.

Source: opentelemetry.io/docs/specs/otlp, OTLP/HTTP. What is acknowledged is on disk.
"""

from __future__ import annotations
