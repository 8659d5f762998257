"""What people do with the service, by kind of user: a user's id is never a label."""

from watchkeeper.contract import Counter, Label, Signals
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
