"""`plan`: what a run would change."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
import typer.core

from reconciler.commands.controller_flags import ControllerClass, CreateFolders, HoldBack
from reconciler.commands.flags import flag
from reconciler.commands.login_flags import (
    DEFAULT_ENDPOINT,
    AmbientCredentialHosts,
    AzureClientId,
    CredentialDirectories,
    GcpIamCredentialsEndpoint,
    OrganizationSlug,
    auth_settings,
)

if TYPE_CHECKING:
    from reconciler.assembly import Options
    from reconciler.planning import Outlook

ERRORS, DIFFERENCES = 1, 2
_WrongUse: type[Exception] = typer.BadParameter.__bases__[0]  # which the library has under no public name


class PlanCommand(typer.core.TyperCommand):
    """Ends with 1 for a wrong use too: 2 says that there are differences."""

    def make_context(self, *arguments: Any, **settings: Any) -> Any:
        """As of any command, but for the exit code of what is raised."""
        try:
            return super().make_context(*arguments, **settings)
        except _WrongUse as wrong:
            wrong.exit_code = ERRORS  # type: ignore[attr-defined]  # the library's own base class has it
            raise


def plan(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files and directories of manifests.", metavar="[PATH...]")
    ] = None,
    cluster: Annotated[
        bool, flag("--cluster", "Plan for the cluster of KUBECONFIG, instead of for manifests.")
    ] = False,
    namespace: Annotated[str, flag("--namespace", "Only what is in this namespace.", "-n")] = "",
    controller_class: ControllerClass = "default",
    hold_back: HoldBack = True,
    create_folders: CreateFolders = False,
    organization_slug: OrganizationSlug = "",
    credential_directories: CredentialDirectories = None,
    ambient_credential_hosts: AmbientCredentialHosts = None,
    gcp_iam_credentials_endpoint: GcpIamCredentialsEndpoint = DEFAULT_ENDPOINT,
    azure_client_id: AzureClientId = "",
) -> None:
    """Say what a run of every ExternalSecret and PushSecret would create, change, remove or adopt, and do nothing.

    At both ends, by the names of keys only. Logs in to Infisical and reads; of a directory that `run --local` serves,
    what it has made counts as there. Ends with 0 when nothing would change, 2 when something would, and 1 when something
    is wrong, or the input cannot be used.
    """
    from adapters.kubernetes.requests import NoCluster
    from reconciler.assembly import Options
    from reconciler.logs import set_up
    from reconciler.looking import CannotLook

    set_up("error", "auto")
    if bool(paths) == cluster:
        _unusable("name files or directories, or give --cluster")
    try:
        auth = auth_settings(
            credential_directories, ambient_credential_hosts, gcp_iam_credentials_endpoint, azure_client_id
        )
    except typer.BadParameter as wrong:
        _unusable(wrong.message)
    options = Options(
        controller_class=controller_class,
        namespace=namespace or None,
        hold_back=hold_back,
        create_folders=create_folders,
        organization=organization_slug or None,
        auth=auth,
    )
    try:
        outlooks = asyncio.run(_planned(paths or [], options))
    except (NoCluster, CannotLook) as error:
        _unusable(str(error))
    except OSError as error:
        _unusable(f"{error.filename or 'a file'} cannot be read: {error.strerror}")
    if not outlooks:
        _unusable("there is no ExternalSecret and no PushSecret here")
    for outlook in outlooks:
        for line in _lines(outlook):
            typer.echo(line)
    actions = Counter(one.action.value for outlook in outlooks for one in outlook.planned)
    errors = sum(bool(outlook.error) for outlook in outlooks)
    counted = [f"{actions[name]} to {name}" for name in ("create", "change", "remove", "adopt")]
    typer.echo(f"{', '.join(counted)}; {errors} with errors", err=True)
    if errors:
        raise typer.Exit(ERRORS)
    if actions:
        raise typer.Exit(DIFFERENCES)


async def _planned(paths: list[Path], options: "Options") -> "tuple[Outlook, ...]":
    from adapters.infisical.http import Network
    from adapters.proxies import proxy_of_environment
    from reconciler.looking import cluster_of_manifests, live_cluster
    from reconciler.planning import Planner

    async with Network(proxy_of_environment) as network:
        if not paths:
            async with live_cluster() as live:
                return await Planner(live, network.transport, options).plan(_say)
        local, read = await cluster_of_manifests(paths)
        for one in read.notices:
            _say(str(one))
        if read.mistakes:
            _unusable("\n".join(str(one) for one in read.mistakes))
        return await Planner(local, network.transport, options).plan(_say)


def _lines(outlook: "Outlook") -> Iterator[str]:
    from reconciler.explaining.shown import printable

    if not outlook.planned:
        told = f"error: {outlook.error}" if outlook.error else outlook.remark or "no difference"
        yield printable(f"{outlook.subject}: {told}")
        return
    yield str(outlook.subject)
    for one in outlook.planned:
        yield printable(f"  {one.action.value.ljust(6)}  {one.thing}")
        for part in one.parts:
            yield printable(f"            {part}")
    if outlook.error:
        yield printable(f"  error   {outlook.error}")


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _unusable(sentence: str) -> NoReturn:
    _say(sentence)
    raise typer.Exit(ERRORS)
