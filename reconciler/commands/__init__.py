"""The command line, `infisical-reconciler`. Exit codes: 0 fine, 1 findings, 2 input that cannot be used."""

import importlib.metadata
from typing import Annotated

import typer

from reconciler.commands.crds import crds
from reconciler.commands.demo import demo
from reconciler.commands.diagram import diagram
from reconciler.commands.render import render
from reconciler.commands.replay import replay
from reconciler.commands.run import run
from reconciler.commands.trace import trace

application = typer.Typer(
    name="infisical-reconciler",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Keeps Kubernetes Secrets and an Infisical server in agreement. Every flag of every command can be given as "
    "an environment variable too: --log-level is INFISICAL_RECONCILER_LOG_LEVEL.",
)
for command in (demo, run, render, trace, replay, diagram, crds):
    application.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(importlib.metadata.version("infisical-reconciler"))
        raise typer.Exit


@application.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    del version


def main() -> None:
    """The program's entry point."""
    application()
