"""`replay`: journals, run again."""

from pathlib import Path
from typing import Annotated

import typer


def replay(
    files: Annotated[
        list[Path],
        typer.Argument(help="Journals; of a rotated one the older part (FILE.1) first.", metavar="FILE..."),
    ],
) -> None:
    """Run the recorded outcomes of a journal through fresh machines, and fail on the first difference of each run."""
    from reconciler.replay import replay as run_again

    try:
        replayed = run_again(files)
    except OSError as error:
        typer.echo(f"{error.filename} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(2) from None
    for finding in replayed.findings:
        typer.echo(str(finding), err=True)
    typer.echo(
        f"{replayed.runs} runs, {replayed.transitions} transitions as recorded; {len(replayed.findings)} differ"
    )
    if replayed.findings:
        raise typer.Exit(1)
    if not replayed.transitions:
        typer.echo("there is nothing in it", err=True)
        raise typer.Exit(2)
