"""The same proofs as promtool's rule tests: one file an alert, beside the rules that it is about.

Samples are taken between evaluations, where ranges are short, so that a window never begins at
a sample: Prometheus before 3.0 counts that sample in, later ones do not.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from watchkeeper.configuration import Duration
from watchkeeper.model import METRIC_NAME, STALE_BITS, Labels
from watchkeeper.promql import selectors
from watchkeeper.promql.syntax import MatrixSelector, Subquery
from watchkeeper.promql.walk import walk
from watchkeeper.prove.alert_proof import AlertProof, Evidence, Standing
from watchkeeper.prove.evaluated import evaluate
from watchkeeper.prove.sets import Verdict
from watchkeeper.prove.setting import Setting
from watchkeeper.prove.subject import Subject
from watchkeeper.prove.timeline import Timeline

PROGRAM = "promtool"
HEADER = "# Written by `watchkeeper prove`: series that must fire the alert, and that must not.\n"
LONGEST_MS = 4 * 86_400_000
"""promtool evaluates every rule at every step from the epoch on: longer proofs are left to us."""


@dataclass(frozen=True)
class Written:
    """The files that were written, and the alerts whose proofs are too long for promtool."""

    files: tuple[Path, ...]
    left_out: tuple[str, ...]


def write_tests(
    subject: Subject, proofs: Iterable[AlertProof], directory: Path, rules: Iterable[Path]
) -> Written:
    """Write one test file for every proved alert, and beside it the rules that it needs.

    promtool evaluates every rule of a file at every step; the rules are therefore picked out of
    `rules`, each as it stands there.
    """
    directory.mkdir(parents=True, exist_ok=True)
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in rules]
    files, left_out = [], []
    for proof in proofs:
        if proof.standing is Standing.UNPROVED or proof.setting is None:
            continue
        if proof.setting.reach_ms > LONGEST_MS:
            left_out.append(proof.rule.name)
            continue
        path = directory / f"{proof.rule.name}.test.yml"
        own = directory / f"{proof.rule.name}.rules.yml"
        _write(own, _picked(documents, proof))
        content = {
            "rule_files": [own.name],
            "evaluation_interval": _duration(_step_ms(proof.setting)),
            "tests": [_test(subject, proof, one) for one in _chosen(proof)],
        }
        _write(path, content)
        files.append(path)
    return Written(tuple(files), tuple(left_out))


def _write(path: Path, content: Any) -> None:
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100_000)
    path.write_text(HEADER + text, encoding="utf-8")


def _picked(documents: Iterable[Any], proof: AlertProof) -> dict[str, Any]:
    """Return the groups of rule files with the rules alone that a proof is about."""
    assert proof.setting is not None
    wanted = {(one.rule.name, one.rule.expression) for one in proof.setting.recorded}
    wanted.add((proof.rule.name, proof.rule.expression))
    groups = []
    for document in documents:
        for group in document.get("groups", []):
            rules = [
                rule
                for rule in group.get("rules", [])
                if (rule.get("alert") or rule.get("record"), str(rule["expr"])) in wanted
            ]
            if rules:
                groups.append({**group, "rules": rules})
    return {"groups": groups}


def run_promtool(files: Iterable[Path]) -> str | None:
    """Return what promtool has against the files, empty if nothing; None where it is missing."""
    program = shutil.which(PROGRAM)
    if program is None:
        return None
    names = [str(path) for path in files]
    done = subprocess.run(
        [program, "test", "rules", *names], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _chosen(proof: AlertProof) -> list[Evidence]:
    """Return the sets that promtool is given: what must fire, and the nearest that must not."""
    return [one for one in proof.evidence if one.series.verdict is not Verdict.AS_SEEN]


def _step_ms(setting: Setting) -> int:
    return min([setting.pace.step_ms, *(one.step_ms for one in setting.recorded)])


def _test(subject: Subject, proof: AlertProof, evidence: Evidence) -> dict[str, Any]:
    setting = proof.setting
    assert setting is not None
    timeline = Timeline(evidence.series.phases, setting.pace, setting.recorded, subject.clock)
    done = evaluate(proof.rule, setting.expression, timeline, subject.clock, annotate=True)
    sampling = setting.pace.sampling
    # With an offset of a third of the gap, samples stand at one of three places of a finer grid.
    parts = 3 if sampling.offset_ms else 1
    return {
        "name": f"{evidence.series.verdict.value} with {evidence.series.purpose}",
        "interval": _duration(sampling.gap_ms // parts),
        "input_series": [
            {"series": _series(one.labels), "values": _values(one.values, parts)}
            for one in timeline.source.written
        ],
        "alert_rule_test": [
            {
                "eval_time": _duration(timeline.moments_ms[number]),
                "alertname": proof.rule.name,
                "exp_alerts": [
                    {
                        "exp_labels": {
                            name: value for name, value in labels if name != "alertname"
                        },
                        "exp_annotations": dict(annotations),
                    }
                    for labels, annotations in done.texts[number]
                ],
            }
            for number in _moments(evidence, timeline, setting)
        ],
    }


def _moments(evidence: Evidence, timeline: Timeline, setting: Setting) -> list[int]:
    """Return the evaluations that decide: on both sides of every change, and the last.

    Ranges over what rules recorded begin at a sample whatever is done: of those the ends of the
    phases are taken, where nothing moves and one sample more makes no difference.
    """
    found = {timeline.count - 1}
    if _reads_back(setting):
        samples = 0
        for phase in evidence.series.phases:
            samples += phase.samples
            found.add(max(0, samples // setting.pace.samples_a_step - 1))
        return sorted(found)
    for row in evidence.outcome.firing.values():
        changes = np.flatnonzero(row[1:] != row[:-1]) + 1
        found |= {int(one) for one in changes} | {int(one) - 1 for one in changes}
    if not evidence.outcome.firing:
        found |= {timeline.count // 2, timeline.count * 2 // 3}
    return sorted(found)


def _reads_back(setting: Setting) -> bool:
    """Whether a range or a subquery looks at recorded series."""
    names = {one.rule.name for one in setting.recorded}
    bodies = [setting.expression, *(one.expression for one in setting.recorded)]
    return any(
        isinstance(node, MatrixSelector | Subquery)
        and any(inner.metric_name in names for inner in selectors(node))
        for body in bodies
        for node in walk(body)
    )


def _series(labels: Labels) -> str:
    pairs = dict(labels)
    name = pairs.pop(METRIC_NAME)
    inside = ", ".join(f"{key}={_quoted(value)}" for key, value in pairs.items())
    return f"{name}{{{inside}}}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _values(values: np.ndarray[Any, np.dtype[np.float64]], parts: int) -> str:
    """Return values in the notation of test files, those that grow evenly as one word.

    Of `parts` places of a gap the second holds the sample, the others are left blank.
    """
    stale = values.view(np.int64) == STALE_BITS
    missing = np.isnan(values) & ~stale
    if parts > 1:
        shown = [
            "_" if gone else "stale" if ended else repr(float(value))
            for value, gone, ended in zip(
                values.tolist(), missing.tolist(), stale.tolist(), strict=True
            )
        ]
        return " ".join(f"_ {one} _" for one in shown)
    return " ".join(_runs(values, missing, stale))


def _runs(
    values: np.ndarray[Any, np.dtype[np.float64]],
    missing: np.ndarray[Any, np.dtype[np.bool_]],
    stale: np.ndarray[Any, np.dtype[np.bool_]],
) -> Iterator[str]:
    """Yield words such as `0+5x40`, each exact for all of its values."""
    at, count = 0, len(values)
    while at < count:
        if missing[at] or stale[at]:
            yield "_" if missing[at] else "stale"
            at += 1
            continue
        first = float(values[at])
        step = float(values[at + 1]) - first if at + 1 < count else 0.0
        end, expected = at + 1, first
        while end < count and not (missing[end] or stale[end]):
            expected += step
            if expected != values[end]:
                break
            end += 1
        if end - at < 3 or not np.isfinite(step):
            yield repr(first)
            at += 1
        else:
            yield f"{first!r}{step:+.17g}x{end - at - 1}"
            at = end


def _duration(milliseconds: int) -> str:
    return str(Duration(milliseconds / 1000)) if milliseconds else "0s"
