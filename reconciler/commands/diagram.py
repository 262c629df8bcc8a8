"""`diagram`: pictures of the machines."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.commands.flags import flag


def diagram(
    machine: Annotated[
        str | None,
        typer.Argument(
            help="ExternalSecret, PushSecret, SecretStore or Unsupported; all of them when absent."
        ),
    ] = None,
    write: Annotated[
        Path | None,
        flag(
            "--write", "Draw the marked diagrams of this file anew (<!-- diagram NAME --> ... <!-- end -->)."
        ),
    ] = None,
    check: Annotated[
        Path | None,
        flag("--check", "Only say whether the marked diagrams of this file are as the tables are."),
    ] = None,
) -> None:
    """Print a mermaid state diagram of each machine, drawn from its table."""
    from machines.registry import MACHINES
    from reconciler.diagram import mermaid

    if write is not None:
        _draw_into(write, may_write=True)
    if check is not None:
        _draw_into(check, may_write=False)
    if write is not None or check is not None:
        return
    if machine is not None and machine not in MACHINES:
        typer.echo(f"there is no machine {machine}; there are {', '.join(MACHINES)}", err=True)
        raise typer.Exit(2)
    for name, definition in MACHINES.items():
        if machine in (None, name):
            typer.echo(mermaid(definition))


def _draw_into(file: Path, *, may_write: bool) -> None:
    """Draw the marked diagrams of a file anew, or only say where they differ."""
    from reconciler.diagram import NoDiagram, redrawn

    try:
        text = file.read_text()
        drawn = redrawn(text)
        if may_write and drawn != text:
            file.write_text(drawn)
    except (OSError, UnicodeDecodeError, NoDiagram) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        typer.echo(f"{file}: {said}", err=True)
        raise typer.Exit(2) from None
    if not may_write and drawn != text:
        typer.echo(
            f"the diagrams in {file} are not those of the tables; draw them by --write {file}", err=True
        )
        raise typer.Exit(1)
