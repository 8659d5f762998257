"""What people do with the service, by kind of user: a user's id is never a label."""

from watchkeeper.contract import Counter, Label, Panel, Part, Query, Row, Signals
from watchkeeper.conventions.http import ENDPOINT

USER_TYPE = Label("user_type", values=("anonymous", "free", "premium", "probe"))

LOGINS = Counter(
    name="user_logins_total",
    help="Successful logins.",
    labels=(Label("method", values=("email", "oauth")),),
)
LOGIN_FAILURES = Counter(
    name="user_login_failures_total",
    help="Logins refused, by reason.",
    labels=(Label("reason", values=("credentials", "rate_limited", "oauth")),),
)
REGISTRATIONS = Counter(name="user_registrations_total", help="Users who registered.")
API_CALLS = Counter(
    name="api_calls_total",
    help="API calls by endpoint and kind of user.",
    labels=(ENDPOINT, USER_TYPE),
)
RATE_LIMIT_HITS = Counter(
    name="api_rate_limit_hits_total",
    help="API calls refused because the user's rate limit was reached.",
    labels=(ENDPOINT, USER_TYPE),
)

SIGNALS = Signals(metrics=(LOGINS, LOGIN_FAILURES, REGISTRATIONS, API_CALLS, RATE_LIMIT_HITS))

ROW = Row(
    "People",
    (
        Panel(
            title="User registrations",
            description="Registrations over the last hour.",
            queries=(Query(f"sum(increase({REGISTRATIONS.name}[1h]))", "registrations"),),
            width=8,
        ),
        Panel(
            title="Logins",
            description="Logins and refused logins over the last hour.",
            queries=(
                Query(f"sum by (method) (increase({LOGINS.name}[1h]))", "{{method}}"),
                Query(f"sum by (reason) (increase({LOGIN_FAILURES.name}[1h]))", "{{reason}}"),
            ),
            width=8,
        ),
        Panel(
            title="Rate limit hits",
            description="Calls refused because a limit was reached, over the last hour.",
            queries=(Query(f"sum(increase({RATE_LIMIT_HITS.name}[1h])) or vector(0)", "refused"),),
            width=8,
        ),
    ),
)


def watched() -> Part:
    """Return what people do, with its panels."""
    return Part(name="users", signals=SIGNALS, rows=(ROW,))
