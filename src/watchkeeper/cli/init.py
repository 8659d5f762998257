"""`watchkeeper init`: a first contract, read from a FastAPI project."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.cli.refusal import FILE, one_line_errors


@click.command()
@click.argument("directory", type=FILE, default=".")
@click.option("--output", type=FILE, help="Where to write; by default beside the application.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(directory: Path, output: Path | None, force: bool) -> None:
    """Read the FastAPI project in DIRECTORY and write a first contract for it.

    Nothing of the project is run. What is found: its routes, and what it uses of databases,
    caches, object stores, language models, queues and HTTP clients.
    """
    from watchkeeper.errors import ConfigError
    from watchkeeper.scaffold import contract_module, read_project

    with one_line_errors():
        project = read_project(directory)
        path = output or project.contract_path
        if path.exists() and not force:
            raise ConfigError("is there already; --force writes over it", source=str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contract_module(project), encoding="utf-8")
    used = ", ".join(project.libraries.values()) or "nothing that has a convention"
    click.echo(f"{path}: {len(project.endpoints)} routes; the code uses {used}")
    module, application = project.module_of(path), project.application
    click.echo(
        "Next:\n"
        f"  in {application.source.path}: from watchkeeper import instrument;"
        f" instrument({application.variable}, CONTRACT)\n"
        f"  watchkeeper docs {module}:CONTRACT --output docs/catalogue.md"
        " --runbooks docs/runbooks.md\n"
        f"  watchkeeper check {module}:CONTRACT\n"
        f"  watchkeeper render {module}:CONTRACT"
    )
