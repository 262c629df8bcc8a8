"""Flags that say how a controller works, shared by the commands that are one, or foresee what one would do."""

from typing import Annotated

from reconciler.commands.flags import flag

ControllerClass = Annotated[
    str, flag("--controller-class", "Serve stores of this class (their spec.controller).")
]
HoldBack = Annotated[
    bool, flag("--hold-back/--no-hold-back", "Whether a store that is not ready holds back what uses it.")
]
CreateFolders = Annotated[
    bool,
    flag(
        "--create-folders/--no-create-folders",
        "Whether pushing may make folders at Infisical that are not there; else that is an error.",
    ),
]
