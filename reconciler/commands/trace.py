"""`trace`: what happened to a resource."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from reconciler.commands.flags import flag

CONTROLLER = "http://127.0.0.1:8080"


def trace(
    kind: Annotated[str, typer.Argument(help="Such as ExternalSecret. All kinds when absent.")] = "",
    name: Annotated[str, typer.Argument(help="Name of the resource. All of the kind when absent.")] = "",
    namespace: Annotated[str | None, flag("--namespace", "Only this namespace.", "-n")] = None,
    journal: Annotated[
        Path | None, flag("--journal", "A journal file to read, instead of asking a controller.")
    ] = None,
    controller: Annotated[
        str, flag("--controller", "Address of a running controller's endpoint (its --listen).")
    ] = CONTROLLER,
    output: Annotated[
        str,
        flag(
            "--output",
            "text, json (lines as in a journal), or auto: text on a terminal, JSON lines otherwise.",
        ),
    ] = "auto",
) -> None:
    """Show what a controller did with a resource: each state, what it led to, how long it took, and why.

    Without a name, the latest run of every resource.
    """
    from rich.console import Console

    from reconciler.trace import NoTrace, json_lines, latest_runs, lines_of_controller, lines_of_journal, show

    try:
        if journal is not None:
            lines = lines_of_journal(journal, kind, namespace, name)
        else:
            lines = asyncio.run(lines_of_controller(controller, kind, namespace, name))
    except NoTrace as none:
        typer.echo(str(none), err=True)
        raise typer.Exit(2) from None
    if not name:
        lines = latest_runs(lines)
    if not lines:
        typer.echo(
            "nothing is known of such a resource: is its name right, and is it this controller's?", err=True
        )
        raise typer.Exit(1)
    if output == "json" or (output == "auto" and not sys.stdout.isatty()):
        for line in json_lines(lines):
            typer.echo(line)
    else:
        show(lines, Console(highlight=False))
