"""Where the parts of a deployment answer: the one thing in the contract that differs by place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """`host:port` of what is scraped and of the mail server, URLs of what is notified.

    The defaults are those of `make run` without any setting. `load_balancer` is '' when there
    is none; `pagerduty_url` is '' for PagerDuty's own.
    """

    api: str = "127.0.0.1:8000"
    worker: str = "127.0.0.1:8001"
    probe: str = "127.0.0.1:8002"
    backend: str = "127.0.0.1:9400"
    load_balancer: str = ""
    smarthost: str = "127.0.0.1:9402"
    mail_username: str = ""
    mail_requires_tls: bool = False
    incident_webhook_url: str = "http://127.0.0.1:9401/incidents"
    heartbeat_webhook_url: str = "http://127.0.0.1:9401/heartbeat"
    pagerduty_url: str = ""
