"""What `make run` can be told, all of it by the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

PART_OF_FAULT = {
    "database-down": "database",
    "cache-down": "cache",
    "objects-down": "objects",
    "llm-errors": "llm-vendor",
    "llm-slow": "llm-vendor",
}
"""The faults that can be put in, and the part of the stack that each needs."""


class OptionError(Exception):
    """A setting cannot be used; the message names it and what it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where each part listens on loopback. The variable of a field is its name in capitals."""

    api_port: int = 8000
    worker_port: int = 8001
    probe_port: int = 8002
    load_balancer_port: int = 8080
    load_balancer_metrics_port: int = 8082
    backend_port: int = 9400
    inbox_port: int = 9401
    inbox_mail_port: int = 9402
    vendor_port: int = 9403
    database_port: int = 9404
    cache_port: int = 9405
    objects_port: int = 9406


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything that can be chosen.

    `pace` makes every duration of the contract shorter by that factor. `traffic` is journeys
    a minute beside the probe's one. `fault` is put in after `fault_after_seconds` and taken out
    `fault_for_seconds` later; '' for none.
    """

    directory: Path = Path("var")
    ports: Ports = Ports()
    pace: float = 1.0
    traffic: int = 0
    fault: str = ""
    fault_after_seconds: float = 60.0
    fault_for_seconds: float = 120.0
    probe_interval_seconds: float = 60.0
    load_balancer: bool = False
    api_processes: int = 2


def options(environment: Mapping[str, str]) -> Options:
    """Read the options. Raises OptionError."""
    usual = Options()
    ports = Ports(
        **{
            field.name: int(_number(environment, field.name.upper(), field.default))
            for field in fields(Ports)
            if isinstance(field.default, int)
        }
    )
    fault = environment.get("FAULT", "")
    if fault and fault not in PART_OF_FAULT:
        raise OptionError(f"FAULT={fault} is not known; use one of {', '.join(PART_OF_FAULT)}")
    return Options(
        directory=Path(environment.get("DATA", "") or usual.directory),
        ports=ports,
        pace=_number(environment, "PACE", usual.pace),
        traffic=int(_number(environment, "TRAFFIC", usual.traffic)),
        fault=fault,
        fault_after_seconds=_number(environment, "FAULT_AFTER", usual.fault_after_seconds),
        fault_for_seconds=_number(environment, "FAULT_FOR", usual.fault_for_seconds),
        probe_interval_seconds=_number(environment, "PROBE_INTERVAL", usual.probe_interval_seconds),
        load_balancer=environment.get("LB", "") not in ("", "0"),
        api_processes=int(_number(environment, "API_PROCESSES", usual.api_processes)),
    )


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "")
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise OptionError(f"{name}={text} is not a number of 0 or more")
    return number
