"""`watchkeeper run`: the backend."""

from __future__ import annotations

import click

from watchkeeper.cli.refusal import FILE, one_line_errors


@click.command()
@click.option("--config", type=FILE, default="deploy/prometheus/prometheus.yml", show_default=True)
@click.option(
    "--alertmanager", type=FILE, default="deploy/alertmanager/alertmanager.yml", show_default=True
)
@click.option("--dashboards", type=FILE, default="deploy/grafana/dashboards", show_default=True)
@click.option("--data", type=FILE, default="var/watchkeeper", show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=9400, show_default=True)
@click.option(
    "--otlp-grpc-port",
    type=click.IntRange(0, 65535),
    help="Take OTLP/gRPC too, at this port (4317 is the usual one); 0 is any that is free.",
)
@click.option(
    "--external-url", default="", help="Where people reach this server; for links in messages."
)
@click.option(
    "--tail",
    multiple=True,
    metavar="GLOB",
    help="Log files to read as they grow, JSON lines or plain; may be given several times.",
)
@click.option(
    "--tokens", type=FILE, help="File of tokens: `read|write|admin TOKEN [TENANT]` a line."
)
@click.option(
    "--retention",
    multiple=True,
    metavar="SIGNAL=AGE[,SIZE]",
    help="How long to keep metrics (15d), logs (7d) or spans (7d), and how much at the most.",
)
@click.option("--limits", type=FILE, help="File of what each tenant may push; see docs/ingest.md.")
@click.option("--tls-certificate", type=FILE, help="PEM file; with --tls-key.")
@click.option("--tls-key", type=FILE, help="PEM file; with --tls-certificate.")
@click.option(
    "--accept-plain-http",
    is_flag=True,
    help="Something in front encrypts: allow an address other than loopback without TLS.",
)
@click.option(
    "--enable-feature",
    multiple=True,
    type=click.Choice(["promql-experimental-functions"]),
    help="Allow what Prometheus refuses without the flag of this name.",
)
def run(**options: object) -> None:
    """Scrape, receive, store, answer, evaluate and notify, until SIGINT or SIGTERM.

    SIGHUP reads the configuration files again.
    """
    from watchkeeper.server.launch import Options, launch

    with one_line_errors():
        launch(Options(**options))  # type: ignore[arg-type] # click has checked each type
