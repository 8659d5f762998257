"""Proofs, before a deploy: each alert can fire and be silent, each page reaches somebody, each
panel has data."""

from watchkeeper.prove.alert_proof import AlertProof, Standing, prove_alert
from watchkeeper.prove.delivery import Delivery, Notice, deliver
from watchkeeper.prove.files import read_subject
from watchkeeper.prove.panels import Shown, prove_dashboards
from watchkeeper.prove.promtool import run_promtool, write_tests
from watchkeeper.prove.report import Report, as_json, as_text
from watchkeeper.prove.run import prove
from watchkeeper.prove.score import Fate, Score, score
from watchkeeper.prove.subject import Subject

__all__ = [
    "AlertProof",
    "Delivery",
    "Fate",
    "Notice",
    "Report",
    "Score",
    "Shown",
    "Standing",
    "Subject",
    "as_json",
    "as_text",
    "deliver",
    "prove",
    "prove_alert",
    "prove_dashboards",
    "read_subject",
    "run_promtool",
    "score",
    "write_tests",
]
