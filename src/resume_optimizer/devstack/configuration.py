"""The monitoring's files for one run: rendered from the contract, with the inbox as receiver."""

from __future__ import annotations

from resume_optimizer.devstack.credentials import Credentials, write_private
from resume_optimizer.devstack.options import Options
from resume_optimizer.devstack.ports import LOOPBACK
from resume_optimizer.telemetry import Addresses, contract_for
from watchkeeper.render import quicken, render


def write_configuration(options: Options, secrets: Credentials) -> None:
    """Render the contract for this run's addresses and pace under `config/` of the data."""
    ports, directory = options.ports, options.directory / "config"
    inbox = f"http://{LOOPBACK}:{ports.inbox_port}"
    balancer = f"{LOOPBACK}:{ports.load_balancer_metrics_port}" if options.load_balancer else ""
    addresses = Addresses(
        api=f"{LOOPBACK}:{ports.api_port}",
        worker=f"{LOOPBACK}:{ports.worker_port}",
        probe=f"{LOOPBACK}:{ports.probe_port}",
        backend=f"{LOOPBACK}:{ports.backend_port}",
        load_balancer=balancer,
        smarthost=f"{LOOPBACK}:{ports.inbox_mail_port}",
        incident_webhook_url=f"{inbox}/incidents",
        heartbeat_webhook_url=f"{inbox}/heartbeat",
        pagerduty_url=f"{inbox}/pagerduty/v2/enqueue",
    )
    contract = contract_for(addresses)
    render(contract if options.pace == 1 else quicken(contract, options.pace), directory)
    kept = directory / "alertmanager" / "secrets"
    write_private(kept / "slack_url", f"{inbox}/slack")
    write_private(kept / "pagerduty_routing_key", secrets.pagerduty_routing_key)
