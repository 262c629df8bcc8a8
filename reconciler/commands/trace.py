"""`trace`: what happened to a resource."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from reconciler.commands.flags import flag

CONTROLLER = "http://127.0.0.1:8080"
OUTPUTS = ("auto", "text", "json")


def trace(
    kind: Annotated[
        str,
        typer.Argument(
            help="Such as ExternalSecret, or es as kubectl has it. All kinds when absent.", metavar="[KIND]"
        ),
    ] = "",
    name: Annotated[
        str, typer.Argument(help="Name of the resource. All of the kind when absent.", metavar="[NAME]")
    ] = "",
    namespace: Annotated[str | None, flag("--namespace", "Only this namespace.", "-n")] = None,
    journal: Annotated[
        Path | None,
        flag("--journal", "A journal file to read, instead of asking a controller.", metavar="FILE"),
    ] = None,
    controller: Annotated[
        str, flag("--controller", "Address of a running controller's endpoint (its --listen).", metavar="URL")
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

    With KIND and NAME all its runs, the newest last; otherwise the latest run of each resource. From a running
    controller, which remembers the last of them, or from a journal. Ends with 1 when nothing is known, and 2 when
    there is nobody to ask or nothing to read.
    """
    from reconciler.trace import (
        NoTrace,
        json_lines,
        latest_runs,
        lines_of_controller,
        lines_of_journal,
        runs_of,
        wanted,
    )

    if output not in OUTPUTS:
        typer.echo(f"--output: {output!r} is none of {', '.join(OUTPUTS)}", err=True)
        raise typer.Exit(2)
    try:
        resources = wanted(kind, name, namespace)
        if journal is not None:
            lines, unreadable = lines_of_journal(journal, resources)
            if unreadable:
                typer.echo(f"{unreadable} lines of {journal} cannot be read; `replay` says which", err=True)
        else:
            lines = asyncio.run(lines_of_controller(controller, resources))
    except NoTrace as none:
        typer.echo(str(none), err=True)
        raise typer.Exit(2) from None
    runs = runs_of(lines) if resources.name else latest_runs(lines)
    if not runs:
        typer.echo(
            "nothing is known of such a resource: is its name right, and is it this controller's?", err=True
        )
        raise typer.Exit(1)
    if output == "json" or (output == "auto" and not sys.stdout.isatty()):
        for line in json_lines(runs):
            typer.echo(line)
        return
    from rich.console import Console

    from reconciler.trace_view import show

    show(runs, Console(highlight=False))
