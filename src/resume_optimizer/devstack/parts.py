"""The Python parts of the stack and the load balancer: how each is started."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2

from resume_optimizer.devstack.child import Command
from resume_optimizer.devstack.credentials import Credentials
from resume_optimizer.devstack.options import Options
from resume_optimizer.devstack.ports import LOOPBACK, is_open
from resume_optimizer.devstack.server import Server

LLM_MODEL = "gpt-4o-mini"
"""The model that the loopback vendor is asked for; its public price is what calls cost."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Builds the command of each part. `servers` is the environment that leads to the servers."""

    options: Options
    secrets: Credentials
    servers: Mapping[str, str]

    @property
    def backend_url(self) -> str:
        """Where the Watchkeeper backend answers."""
        return f"http://{LOOPBACK}:{self.options.ports.backend_port}"

    @property
    def vendor_url(self) -> str:
        """Where the language model's vendor answers."""
        return f"http://{LOOPBACK}:{self.options.ports.vendor_port}"

    def backend(self) -> Server:
        """Return the Watchkeeper backend, run from the rendered files."""
        directory, port = self.options.directory, self.options.ports.backend_port
        config = directory / "config"
        arguments = (
            *("-m", "watchkeeper.cli", "run", "--host", LOOPBACK, "--port", str(port)),
            *("--config", str(config / "prometheus" / "prometheus.yml")),
            *("--alertmanager", str(config / "alertmanager" / "alertmanager.yml")),
            *("--dashboards", str(config / "grafana" / "dashboards")),
            *("--data", str(directory / "watchkeeper")),
        )
        return self._python("watchkeeper", arguments, {}, port)

    def inbox(self) -> Server:
        """Return the inbox that takes notifications."""
        ports = self.options.ports
        arguments = (
            *("-m", "resume_optimizer.devstack.inbox"),
            *("--port", str(ports.inbox_port), "--mail-port", str(ports.inbox_mail_port)),
        )
        return self._python("inbox", arguments, {}, ports.inbox_port)

    def vendor(self) -> Server:
        """Return the language model's vendor."""
        port = self.options.ports.vendor_port
        arguments = ("-m", "resume_optimizer.devstack.vendor", "--port", str(port))
        environment = {"VENDOR_API_KEY": self.secrets.llm_api_key}
        return self._python("llm-vendor", arguments, environment, port)

    def api(self, index: int, listener_file: int) -> Server:
        """Return one process of the API; all of them share one listening socket."""
        port = self.options.ports.api_port
        server = self._python(
            f"api-{index}",
            ("-m", "resume_optimizer.api", "--fd", str(listener_file)),
            self._application("resume-optimizer-api", "api"),
            port,
            inherited_files=(listener_file,),
        )
        return Server(
            command=server.command,
            answers=lambda: _answers(f"http://{LOOPBACK}:{port}/health/live"),
        )

    def worker(self) -> Server:
        """Return the job worker."""
        port = self.options.ports.worker_port
        environment = self._application("resume-optimizer-worker", "worker")
        environment["WORKER_METRICS_ADDRESS"] = f"{LOOPBACK}:{port}"
        return self._python("worker", ("-m", "resume_optimizer.jobs"), environment, port)

    def probe(self) -> Server:
        """Return the synthetic probe, which makes the sample journey again and again."""
        port = self.options.ports.probe_port
        arguments = (
            *("-m", "resume_optimizer.probe", "--service", self._service_url()),
            *("--port", str(port)),
            *("--interval", str(self.options.probe_interval_seconds / self.options.pace)),
        )
        environment = self._application("resume-optimizer-probe", "probe")
        return self._python("probe", arguments, environment, port)

    def traffic(self) -> Server:
        """Return the source of more journeys."""
        arguments = (
            *("-m", "resume_optimizer.devstack.traffic", "--service", self._service_url()),
            *("--per-minute", str(self.options.traffic)),
        )
        environment = {"PROBE_TOKEN": self.secrets.probe_token}
        return self._python("traffic", arguments, environment, self.options.ports.api_port)

    def load_balancer(self) -> Server:
        """Return traefik in front of the API, its metrics and spans collected too."""
        ports = self.options.ports
        routes = self.options.directory / "config" / "traefik.yml"
        routes.write_text(
            "http:\n"
            "  routers: {api: {rule: 'PathPrefix(`/`)', service: api}}\n"
            "  services: {api: {loadBalancer: {servers:"
            f" [{{url: 'http://{LOOPBACK}:{ports.api_port}'}}],"
            " healthCheck: {path: /health/live, interval: 5s, timeout: 2s}}}}\n",
            encoding="utf-8",
        )
        flags = (
            f"--entrypoints.web.address={LOOPBACK}:{ports.load_balancer_port}",
            f"--entrypoints.metrics.address={LOOPBACK}:{ports.load_balancer_metrics_port}",
            "--metrics.prometheus=true",
            "--metrics.prometheus.entrypoint=metrics",
            "--tracing.otlp.http=true",
            f"--tracing.otlp.http.endpoint={self.backend_url}/v1/traces",
            "--tracing.servicename=load-balancer",
            f"--providers.file.filename={routes}",
            "--accesslog=true",
            "--global.checknewversion=false",
            "--global.sendanonymoususage=false",
        )
        return Server(
            command=Command(
                name="load-balancer",
                arguments=(str(Path(sys.executable).parent / "traefik"), *flags),
                output=self._log("load-balancer"),
                environment={"HOME": str(self.options.directory)},
            ),
            answers=lambda: is_open(ports.load_balancer_port),
        )

    def _service_url(self) -> str:
        ports = self.options.ports
        port = ports.load_balancer_port if self.options.load_balancer else ports.api_port
        return f"http://{LOOPBACK}:{port}"

    def _application(self, service: str, processes: str) -> dict[str, str]:
        """Return the environment of a process of the application; what was set outside wins."""
        usual = {
            "LLM_PROVIDER": "openai",
            "LLM_BASE_URL": f"{self.vendor_url}/v1",
            "LLM_API_KEY": self.secrets.llm_api_key,
            "LLM_MODEL": LLM_MODEL,
            **self.servers,
            "PUBLIC_URL": self._service_url(),
            "PROBE_TOKEN": self.secrets.probe_token,
            "OTEL_SERVICE_NAME": service,
            "OTEL_RESOURCE_ATTRIBUTES": "service.namespace=resume-optimizer",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.backend_url,
            "WATCHKEEPER_PROCESS_DIRECTORY": str(self.options.directory / "processes" / processes),
            "WATCHKEEPER_LOG": "stdout",
            "FORWARDED_ALLOW_IPS": LOOPBACK if self.options.load_balancer else "",
            "ENVIRONMENT": "development",
        }
        return {name: os.environ.get(name) or value for name, value in usual.items()}

    def _python(
        self,
        name: str,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        port: int,
        *,
        inherited_files: tuple[int, ...] = (),
    ) -> Server:
        return Server(
            command=Command(
                name=name,
                arguments=(sys.executable, *arguments),
                output=self._log(name),
                environment={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
                inherited_files=inherited_files,
            ),
            answers=lambda: is_open(port),
        )

    def _log(self, name: str) -> Path:
        return self.options.directory / "logs" / f"{name}.log"


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=1.0).is_success
    except httpx2.HTTPError:
        return False
