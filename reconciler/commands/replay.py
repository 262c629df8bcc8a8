"""`replay`: journals, run again."""

from pathlib import Path
from typing import Annotated

import typer

_SHOWN = 50  # findings; whoever has more has another file in hand than a journal


def replay(
    files: Annotated[
        list[Path],
        typer.Argument(help="Journals; of a rotated one the older part (FILE.1) first.", metavar="FILE..."),
    ],
) -> None:
    """Run the recorded outcomes of a journal through fresh machines, and fail on the first difference of each run.

    Ends with 0 when the machines do what was recorded and no line is lost or changed, 1 when not (each finding with
    its file and line), and 2 when there is no journal in the files.
    """
    from reconciler.replay import replay as run_again

    try:
        replayed = run_again(files)
    except OSError as error:
        typer.echo(f"{error.filename} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(2) from None
    if not replayed.lines:
        typer.echo(f"there is no line of a journal in {', '.join(map(str, files))}", err=True)
        raise typer.Exit(2)
    for finding in replayed.findings[:_SHOWN]:
        typer.echo(str(finding), err=True)
    if len(replayed.findings) > _SHOWN:
        typer.echo(f"and {len(replayed.findings) - _SHOWN} more", err=True)
    typer.echo(
        f"{replayed.runs} runs, {replayed.transitions} transitions as recorded; "
        f"{len(replayed.findings) or 'no'} findings"
    )
    if replayed.begun_before:
        typer.echo(
            f"{replayed.begun_before} runs began in an older file that was not given, and were left out"
        )
    if replayed.findings:
        raise typer.Exit(1)
