"""What the command is given, put together: contracts, files, snapshots, a server."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from watchkeeper.check.check import Examined
from watchkeeper.check.declarations import declarations_of
from watchkeeper.check.known import Known, KnownMetric
from watchkeeper.check.read_contract import known_of, subjects_of
from watchkeeper.check.read_files import read_paths
from watchkeeper.check.read_server import read_server
from watchkeeper.check.recorded import emissions_of
from watchkeeper.check.subject import Subjects, Timing
from watchkeeper.contract import load_contract

_REFERENCE = re.compile(r"[A-Za-z_]\w*(\.\w+)*:[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is checked, and what is known of the signals."""

    subjects: Subjects
    known: Known


def read_inputs(
    targets: Sequence[str], *, metrics: Sequence[Path] = (), server: str = ""
) -> Inputs:
    """Return what contracts (`package.module:NAME`), files and directories hold.

    Beside files a contract tells what exists, and the files are what is checked; alone it is
    checked itself. `metrics` are snapshots and `server` an address that tell what exists too.
    Raises ConfigError and ContractError where something cannot be used.
    """
    references = [one for one in targets if is_reference(one)]
    paths = [Path(one) for one in targets if not is_reference(one)]
    reading = read_paths(paths)
    subjects = reading.subjects
    found: list[KnownMetric] = list(reading.metrics)
    for path in metrics:
        found += read_paths([path]).metrics
    if server:
        found += read_server(server)
    timing: Timing | None = None
    for reference in references:
        declared = _contract(reference)
        timing = timing or declared.subjects.timing
        if paths:
            found += Examined(declared.subjects, declared.known).known.metrics
        else:
            found += declared.known.metrics
            subjects += declared.subjects
    known = Known(tuple(_unique(found)), bool(found or references), reading.target_labels)
    return Inputs(replace(subjects, timing=subjects.timing or timing), known)


def is_reference(target: str) -> bool:
    """Whether an argument names a contract and not a file."""
    return _REFERENCE.fullmatch(target) is not None and not Path(target).exists()


def _contract(reference: str) -> Inputs:
    """Return a contract's subjects and its signals."""
    contract = load_contract(reference)
    declarations = declarations_of(reference)
    known = known_of(contract, declarations)
    subjects = replace(
        subjects_of(contract, declarations),
        declared=known.metrics,
        emissions=emissions_of(reference, known.metrics, declarations),
    )
    return Inputs(subjects, known)


def _unique(metrics: list[KnownMetric]) -> list[KnownMetric]:
    seen: dict[str, KnownMetric] = {}
    for metric in metrics:
        seen.setdefault(metric.name, metric)
    return list(seen.values())
