"""The contract: signals, alerts, dashboards, routes and targets in one object."""

from resume_optimizer.telemetry.addresses import Addresses
from resume_optimizer.telemetry.dashboards import APPLICATION, BUSINESS
from resume_optimizer.telemetry.objectives import BUDGETS, SLOS
from resume_optimizer.telemetry.parts import DRILLS, PARTS
from resume_optimizer.telemetry.routes import notifications
from resume_optimizer.telemetry.signals import SIGNALS
from watchkeeper.contract import Contract, ScrapeJob


def contract_for(addresses: Addresses) -> Contract:
    """Return the contract of a deployment whose parts answer at `addresses`."""
    targets = {
        "resume-optimizer-api": addresses.api,
        "resume-optimizer-worker": addresses.worker,
        "resume-optimizer-probe": addresses.probe,
        "load-balancer": addresses.load_balancer,
        "watchkeeper": addresses.backend,
    }
    return Contract(
        service="resume-optimizer",
        version="2.0.0",
        owner="resume-optimizer",
        signals=SIGNALS,
        parts=PARTS,
        drills=DRILLS,
        slos=SLOS,
        budgets=BUDGETS,
        dashboards=(APPLICATION, BUSINESS),
        notifications=notifications(addresses),
        scrape_jobs=tuple(
            ScrapeJob(name=name, targets=(target,)) for name, target in targets.items() if target
        ),
    )


CONTRACT = contract_for(Addresses())
