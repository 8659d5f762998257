"""What a person looks at: is the application well, and does it do its work."""

from resume_optimizer.telemetry.parts import PARTS
from watchkeeper.contract import (
    Dashboard,
    Panel,
    PanelKind,
    Query,
    Row,
    Threshold,
)
from watchkeeper.conventions import files, llm, objects, probe, process, users

SUCCESS_RATIO = (
    'sum(rate(resume_optimizations_total{status="success"}[1h]))'
    ' / sum(rate(resume_optimizations_total{status!="rejected"}[1h]))'
)
WORK = Row(
    "Optimizations",
    (
        Panel(
            title="Resume optimizations",
            description="Finished optimizations a second by outcome and kind of company.",
            queries=(
                Query(
                    "sum by (status, company_type) (rate(resume_optimizations_total[1h]))",
                    "{{status}} - {{company_type}}",
                ),
            ),
            unit="ops",
        ),
        Panel(
            title="Success rate",
            description="Share of the optimizations of the last hour that succeeded.",
            kind=PanelKind.STAT,
            queries=(Query(SUCCESS_RATIO, "succeeded"),),
            unit="percentunit",
            thresholds=(Threshold(0, "red"), Threshold(0.9, "orange"), Threshold(0.99, "green")),
            width=6,
            height=4,
        ),
        Panel(
            title="Match score",
            description="Mean match score of the resumes finished in the last hour, 0 to 100.",
            kind=PanelKind.GAUGE,
            queries=(
                Query(
                    "sum(rate(resume_match_score_points_sum[1h]))"
                    " / sum(rate(resume_match_score_points_count[1h]))",
                    "points",
                ),
            ),
            thresholds=(Threshold(0, "red"), Threshold(50, "orange"), Threshold(70, "green")),
            width=6,
            height=4,
        ),
    ),
)
PROCESSING = Row(
    "Work of the worker",
    (
        Panel(
            title="Processing time",
            description="Mean time of the worker on a resume.",
            queries=(
                Query(
                    "sum(rate(resume_processing_seconds_sum[5m]))"
                    " / sum(rate(resume_processing_seconds_count[5m]))",
                    "mean",
                ),
            ),
            unit="s",
        ),
    ),
)
BUSINESS = Dashboard(
    uid="resume-optimizer-business",
    title="Resume Optimizer - Business Metrics",
    description="Does it do its work: optimizations, people, money, journeys.",
    rows=(
        WORK,
        PROCESSING,
        users.ROW,
        llm.cost_row("user_type", "feature"),
        objects.COST_ROW,
        files.ROW,
        probe.ROW,
    ),
    annotations=(process.DEPLOYS,),
)
APPLICATION = Dashboard(
    uid="resume-optimizer-application",
    title="Resume Optimizer - Application Metrics",
    description="Is the application well: requests, jobs, dependencies, processes.",
    rows=tuple(row for part in PARTS for row in part.rows if row not in BUSINESS.rows),
    variables=(process.JOB,),
    annotations=(process.DEPLOYS,),
)
