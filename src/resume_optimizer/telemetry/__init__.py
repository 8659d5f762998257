"""What the Resume Optimizer emits, when somebody is told, and what they look at.

Nothing about the service's telemetry is declared anywhere else; `make render` turns it into
the files under deploy/.
"""

from resume_optimizer.telemetry.addresses import Addresses
from resume_optimizer.telemetry.contract import CONTRACT, contract_for
from resume_optimizer.telemetry.signals import (
    DEPENDENCY_CHANGED,
    FEATURE,
    JOB_COMPLETED,
    JOB_FAILED,
    JOB_RECOVERED,
    JOB_REJECTED,
    JOB_REQUESTED,
    JOB_RETRIED,
    JOB_SPAN,
    JOB_STARTED,
    JOURNEY_FAILED,
    LOGIN_REFUSED,
    MATCH_SCORE,
    OPTIMIZATIONS,
    PROCESSING_TIME,
    REQUEST_FAILED,
    RESUME_UPLOADED,
    SUCCESS_RATE,
    USER_LOGGED_IN,
    USER_REGISTERED,
    WRITE_SPAN,
)

__all__ = [
    "CONTRACT",
    "DEPENDENCY_CHANGED",
    "FEATURE",
    "JOB_COMPLETED",
    "JOB_FAILED",
    "JOB_RECOVERED",
    "JOB_REJECTED",
    "JOB_REQUESTED",
    "JOB_RETRIED",
    "JOB_SPAN",
    "JOB_STARTED",
    "JOURNEY_FAILED",
    "LOGIN_REFUSED",
    "MATCH_SCORE",
    "OPTIMIZATIONS",
    "PROCESSING_TIME",
    "REQUEST_FAILED",
    "RESUME_UPLOADED",
    "SUCCESS_RATE",
    "USER_LOGGED_IN",
    "USER_REGISTERED",
    "WRITE_SPAN",
    "Addresses",
    "contract_for",
]
