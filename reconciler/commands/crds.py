"""`crds`: the resource definitions."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.commands.flags import flag


def crds(
    output: Annotated[
        Path | None,
        flag("--output", "Write one file for each kind into this directory, instead of printing."),
    ] = None,
) -> None:
    """Print the resource definitions (CRDs) that this program serves, or write them to a directory."""
    from adapters.resources.crds import crd_documents

    documents = crd_documents()
    if output is None:
        for document in documents.values():
            typer.echo(document if document.startswith("---") else f"---\n{document}", nl=False)
        return
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, document in documents.items():
            (output / name).write_text(document)
    except OSError as error:
        typer.echo(f"{output} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(2) from None
