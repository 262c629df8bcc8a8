"""The command line, `infisical-reconciler`. Exit codes: 0 fine, 1 findings, 2 input that cannot be used."""

import importlib.metadata
import sys
from types import TracebackType
from typing import Annotated

import typer
import typer.main

from reconciler.commands.crds import crds
from reconciler.commands.demo import demo
from reconciler.commands.diagram import diagram
from reconciler.commands.explain import explain
from reconciler.commands.plan import PlanCommand, plan
from reconciler.commands.render import render
from reconciler.commands.replay import replay
from reconciler.commands.run import run
from reconciler.commands.trace import trace
from reconciler.commands.validate import validate

application = typer.Typer(
    name="infisical-reconciler",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Keeps Kubernetes Secrets and an Infisical server in agreement. Every flag of every command can be given as "
    "an environment variable too: --log-level is INFISICAL_RECONCILER_LOG_LEVEL.",
)
_COMMANDS = (
    (demo, "See the main job in seconds, on an embedded server and cluster."),
    (run, "Run the controller, on a cluster or on a directory of manifests."),
    (render, "Print the Secrets that manifests ask for, without a cluster."),
    (plan, "Say what a run would change, and change nothing."),
    (validate, "Say what is wrong with manifests, without a cluster."),
    (explain, "Say why a resource is as it is, and what to do."),
    (trace, "Show what a controller did with a resource, step by step."),
    (replay, "Run a recorded journal again, and say where it differs."),
    (diagram, "Draw the state machines, in mermaid."),
    (crds, "Print the resource definitions (CRDs)."),
)
for _command, _short in _COMMANDS:
    application.command(short_help=_short, cls=PlanCommand if _command is plan else None)(_command)


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


def _last_words(kind: type[BaseException], error: BaseException, place: TracebackType | None) -> None:
    from reconciler.logs import last_words

    last_words(kind, error, place)


def main() -> None:
    """The program's entry point. What is a defect of the program ends it without its text, which may hold a value."""
    sys.excepthook = _last_words
    typer.main.get_command(application)()  # calling the application itself would set another hook
