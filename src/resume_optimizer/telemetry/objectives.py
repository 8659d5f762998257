"""How good the Resume Optimizer means to be, and what it may cost."""

from resume_optimizer.telemetry.signals import FEATURE
from watchkeeper.contract import SLO, CostBudget, Events, Latency, Ratio
from watchkeeper.conventions import http, jobs, llm, probe, users

COST = llm.cost(users.USER_TYPE, FEATURE)
NOT_REJECTED = 'status!="rejected"'

SLOS = (
    SLO(
        name="availability",
        description="A request is not answered with a server error.",
        objective=0.995,
        indicator=Ratio(
            total=Events(http.REQUESTS), bad=Events(http.REQUESTS, ('status_code=~"5.."',))
        ),
        drill="database-down",
    ),
    SLO(
        name="responsiveness",
        description="A request is answered within a second.",
        objective=0.99,
        indicator=Latency(histogram=http.REQUEST_DURATION, threshold_seconds=1.0),
        drill="database-slow",
    ),
    SLO(
        name="optimizations",
        description="A job whose file and posting can be used succeeds.",
        objective=0.99,
        indicator=Ratio(
            total=Events(jobs.COMPLETED, (NOT_REJECTED,)),
            bad=Events(jobs.COMPLETED, ('status="failed"',)),
        ),
        drill="llm-errors",
    ),
    SLO(
        name="journeys",
        description="A synthetic user gets from login to a finished resume.",
        objective=0.99,
        indicator=Ratio(total=Events(probe.RUNS), good=Events(probe.RUNS, ('outcome="success"',))),
        drill="database-down",
    ),
)
BUDGETS = (
    CostBudget(
        name="llm-daily",
        description="language models",
        cost=Events(COST),
        amount=50,
        drill="traffic-surge",
    ),
    CostBudget(
        name="llm-monthly-by-user-type",
        description="language models, for each kind of user",
        cost=Events(COST, ('user_type!="probe"',)),
        amount=500,
        period_days=30,
        by=("user_type",),
    ),
    CostBudget(
        name="llm-monthly-by-feature",
        description="language models, for each feature",
        cost=Events(COST),
        amount=800,
        period_days=30,
        by=("feature",),
    ),
)
