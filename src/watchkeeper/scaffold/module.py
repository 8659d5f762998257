"""The text of a first contract."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.scaffold.project import Project

MOST_ROUTES = 40
LINE_LENGTH = 100
NAMES = (
    "SLO",
    "Contract",
    "Events",
    "Latency",
    "Notifications",
    "PagerDuty",
    "Ratio",
    "Receiver",
    "Route",
    "ScrapeJob",
    "Slack",
)
"""What the contract takes from watchkeeper."""


def contract_module(project: Project) -> str:
    """Return a Python module that declares CONTRACT for what a project was found to do."""
    return "\n".join([*_heading(project), "", *_imports(project), "", *_contract(project)]) + "\n"


def _heading(project: Project) -> Iterator[str]:
    yield f'"""What {project.name} emits, when somebody is told, and what they look at.'
    yield ""
    yield "Written by `watchkeeper init` from the code: change it as the service changes. The"
    yield f"middleware counts these {len(project.endpoints)} routes by itself:"
    yield ""
    for endpoint in project.endpoints[:MOST_ROUTES]:
        yield f"    {endpoint.method:<7} {_plain(endpoint.path)}"
    if len(project.endpoints) > MOST_ROUTES:
        yield f"    ... and {len(project.endpoints) - MOST_ROUTES} more"
    yield '"""'


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''")


def _conventions(project: Project) -> list[tuple[str, str]]:
    """Return the conventions to take, each with the reason."""
    found = [("http", "rate, errors and durations of requests")]
    found += [(name, f"the code uses {library}") for name, library in project.libraries.items()]
    if "queue" in project.libraries:
        found.append(("jobs", "what the workers do with what they take"))
    if project.takes_files:
        found.append(("files", "people upload files"))
    found += [
        ("process", "memory, CPU and the event loop"),
        ("telemetry", "what watches the watching"),
    ]
    return found


def _imports(project: Project) -> Iterator[str]:
    yield "from watchkeeper import ("
    yield from (f"    {name}," for name in NAMES)
    yield ")"
    conventions = sorted(name for name, _ in _conventions(project))
    line = f"from watchkeeper.conventions import {', '.join(conventions)}"
    if len(line) <= LINE_LENGTH:
        yield line
    else:
        yield "from watchkeeper.conventions import ("
        yield from (f"    {name}," for name in conventions)
        yield ")"


def _contract(project: Project) -> Iterator[str]:
    yield from WAYS
    yield "CONTRACT = Contract("
    yield f'    service="{project.name}",'
    yield f'    version="{_plain(project.version)}",'
    yield f'    owner="{project.name}",'
    yield "    parts=("
    for name, reason in _conventions(project):
        yield f"        {name}.watched(),  # {reason}"
    yield "    ),"
    yield from OBJECTIVES
    yield from NOTIFICATIONS
    yield "    # Where the service answers GET /metrics."
    yield f'    scrape_jobs=(ScrapeJob(name="{project.name}", targets=("127.0.0.1:8000",)),),'
    yield ")"


OBJECTIVES = """\
    slos=(
        SLO(
            name="availability",
            description="A request is not answered with a server error.",
            objective=0.999,
            indicator=Ratio(
                total=Events(http.REQUESTS),
                bad=Events(http.REQUESTS, ('status_code=~"5.."',)),
            ),
        ),
        SLO(
            name="responsiveness",
            description="A request is answered within a second.",
            objective=0.99,
            indicator=Latency(histogram=http.REQUEST_DURATION, threshold_seconds=1.0),
        ),
    ),""".splitlines()

NOTIFICATIONS = """\
    notifications=Notifications(
        receivers=(
            Receiver("chat", (SLACK,)),
            Receiver("on-call", (PAGER, SLACK)),
        ),
        route=Route(
            receiver="chat",
            group_by=("alertname",),
            routes=(Route(receiver="on-call", matchers=('severity="critical"',)),),
        ),
    ),""".splitlines()

WAYS = """\
# The files hold the secrets: none is ever written into a rendered file.
PAGER = PagerDuty(routing_key_file="secrets/pagerduty_routing_key")
SLACK = Slack(channel="#alerts", webhook_url_file="secrets/slack_url")
""".splitlines()
