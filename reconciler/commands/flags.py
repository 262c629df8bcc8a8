"""Flags of commands: each can be given as an environment variable too, INFISICAL_RECONCILER_<FLAG>."""

from typing import Any

import typer

from adapters.resources import durations

PREFIX = "INFISICAL_RECONCILER_"


def flag(name: str, text: str, *others: str, also: tuple[str, ...] = (), **settings: Any) -> Any:
    """A flag of a command. `name` is its long form, such as `--journal`; `others` are further forms of it, `also`
    further environment variables."""
    variable = PREFIX + name.removeprefix("--").split("/")[0].replace("-", "_").upper()
    return typer.Option(name, *others, help=text, envvar=[variable, *also], show_envvar=False, **settings)


def duration(text: str) -> float:
    """Seconds of a duration such as 90s, 5m or 1h30m."""
    try:
        seconds = durations.seconds(text)
    except durations.DurationError as error:
        raise typer.BadParameter(str(error)) from None
    if seconds < 0:
        raise typer.BadParameter("negative; write 0 or more, such as 30s")
    return seconds
