"""`demo`: the main job, embedded."""

import asyncio

import typer


def demo() -> None:
    """Show the main job on an embedded Infisical server and an embedded cluster. Touches nothing of yours."""
    from rich.console import Console

    from reconciler.demonstration import demonstrate
    from reconciler.logs import set_up

    set_up("error", "auto")
    if not asyncio.run(demonstrate(Console(highlight=False))):
        raise typer.Exit(1)
