"""`validate`: what is wrong with manifests."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.commands.flags import flag
from reconciler.commands.login_flags import DEFAULT_ENDPOINT, CredentialDirectories, auth_settings


def validate(
    paths: Annotated[
        list[Path], typer.Argument(help="Files and directories of manifests.", metavar="PATH...")
    ],
    controller_class: Annotated[
        str, flag("--controller-class", "The class of stores that the controller will serve.")
    ] = "default",
    credential_directories: CredentialDirectories = None,
) -> None:
    """Check manifests against schemas, rules, and all that the controller knows, without a cluster.

    Every mistake is told at once, with file and line. What may be elsewhere, such as a Secret that is not in these
    files, is a notice. Ends with 0 when there is no mistake, 1 when there are some, and 2 when there is nothing to check.
    """
    from reconciler.validating import validate as find_mistakes

    settings = auth_settings(credential_directories, None, DEFAULT_ENDPOINT, "")
    missing = [path for path in paths if not path.exists()]
    for path in missing:
        typer.echo(f"{path}: does not exist", err=True)
    if missing:
        raise typer.Exit(2)
    found = find_mistakes(paths, controller_class, settings)
    for told in found.mistakes:
        typer.echo(str(told))
    for told in found.notices:
        typer.echo(f"{told} (notice)")
    if not found.objects and not found.mistakes:
        typer.echo("there is no resource of ours in these files", err=True)
        raise typer.Exit(2)
    typer.echo(
        f"{found.objects} objects without mistakes in their form, {len(found.mistakes)} mistakes", err=True
    )
    if found.mistakes:
        raise typer.Exit(1)
