"""The signals that are the Resume Optimizer's own; the conventions' come with its parts."""

from watchkeeper.contract import (
    Combine,
    Counter,
    Field,
    Gauge,
    Label,
    LogEvent,
    Signals,
    Span,
    Summary,
)
from watchkeeper.model import Severity

PROCESSING_TIME = Summary(
    name="resume_processing_seconds",
    help="Time spent on a resume by the worker, from reading it to the stored result.",
    unit="seconds",
)
OPTIMIZATIONS = Counter(
    name="resume_optimizations_total",
    help="Resume optimizations by how they ended and the kind of company that hires.",
    labels=(
        Label("status", values=("success", "failed", "rejected")),
        Label("company_type", values=("startup", "enterprise", "agency", "public", "unknown")),
    ),
)
SUCCESS_RATE = Gauge(
    name="optimization_success_rate",
    help="Share of the optimizations of the last hour that succeeded, 0 to 1.",
    combine=Combine.LATEST,
)
MATCH_SCORE = Summary(
    name="resume_match_score_points",
    help="Match score of finished resumes against their postings, 0 to 100.",
)

FEATURE = Label("feature", values=("optimize_resume",))
"""What an LLM call was made for."""

JOB_SPAN = Span(
    "resume_optimization_job",
    "One attempt at a job, from taking it to storing its result.",
    attributes=("job.id", "job.url", "job.attempt", "operation.type", "job.outcome"),
)
WRITE_SPAN = Span(
    "write_documents",
    "The optimized resume written as DOCX and PDF.",
    attributes=("document.formats",),
)

JOB_ID = Field("job_id")
USER_ID = Field("user_id")
CODE = Field("code")
DURATION = Field("duration_seconds", float)

JOB_REQUESTED = LogEvent("job_requested", "Job requested", fields=(JOB_ID, USER_ID))
JOB_STARTED = LogEvent("job_started", "Job started", fields=(JOB_ID, Field("attempt", int)))
JOB_COMPLETED = LogEvent(
    "job_completed",
    "Job completed",
    fields=(JOB_ID, DURATION, Field("score_before", int), Field("score_after", int)),
)
JOB_RETRIED = LogEvent(
    "job_retried",
    "Job attempt failed and will be tried again",
    Severity.WARNING,
    (JOB_ID, Field("attempt", int), CODE),
)
JOB_FAILED = LogEvent("job_failed", "Job failed", Severity.ERROR, (JOB_ID, CODE, DURATION))
JOB_REJECTED = LogEvent(
    "job_rejected",
    "Job rejected: its file or posting cannot be used",
    Severity.WARNING,
    (JOB_ID, CODE, DURATION),
)
JOB_RECOVERED = LogEvent(
    "job_recovered", "Job put back into the queue", Severity.WARNING, (JOB_ID, Field("status"))
)
USER_REGISTERED = LogEvent("user_registered", "User registered", fields=(USER_ID,))
USER_LOGGED_IN = LogEvent("user_logged_in", "User logged in", fields=(USER_ID, Field("method")))
LOGIN_REFUSED = LogEvent(
    "login_refused", "Login refused", Severity.WARNING, (Field("reason"), USER_ID)
)
RESUME_UPLOADED = LogEvent(
    "resume_uploaded",
    "Resume uploaded",
    fields=(Field("resume_id"), USER_ID, Field("file_type"), Field("size_bytes", int)),
)
REQUEST_FAILED = LogEvent(
    "request_failed", "Request failed", Severity.WARNING, (CODE, Field("status_code", int))
)
DEPENDENCY_CHANGED = LogEvent(
    "dependency_changed",
    "Dependency changed",
    Severity.WARNING,
    (Field("dependency"), Field("up", bool), Field("detail")),
)
JOURNEY_FAILED = LogEvent(
    "journey_failed",
    "Journey failed",
    Severity.ERROR,
    (Field("journey"), Field("step"), Field("reason")),
)

SIGNALS = Signals(
    metrics=(PROCESSING_TIME, OPTIMIZATIONS, SUCCESS_RATE, MATCH_SCORE),
    spans=(JOB_SPAN, WRITE_SPAN),
    events=(
        JOB_REQUESTED,
        JOB_STARTED,
        JOB_COMPLETED,
        JOB_RETRIED,
        JOB_FAILED,
        JOB_REJECTED,
        JOB_RECOVERED,
        USER_REGISTERED,
        USER_LOGGED_IN,
        LOGIN_REFUSED,
        RESUME_UPLOADED,
        REQUEST_FAILED,
        DEPENDENCY_CHANGED,
        JOURNEY_FAILED,
    ),
)
