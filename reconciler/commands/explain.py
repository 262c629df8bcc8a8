"""`explain`: why a resource is as it is."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from reconciler.commands.controller_flags import ControllerClass, HoldBack
from reconciler.commands.flags import flag
from reconciler.commands.login_flags import (
    DEFAULT_ENDPOINT,
    AmbientCredentialHosts,
    CredentialDirectories,
    auth_settings,
)

if TYPE_CHECKING:
    from adapters.cluster import Kind
    from adapters.journal import Subject
    from reconciler.assembly import Options
    from reconciler.explaining import Explanation


def explain(
    kind: Annotated[
        str, typer.Argument(help="Such as ExternalSecret, or es as kubectl has it.", metavar="KIND")
    ],
    name: Annotated[
        str, typer.Argument(help="Name of the resource; KIND/NAME will do too.", metavar="NAME")
    ] = "",
    namespace: Annotated[str, flag("--namespace", "Its namespace.", "-n")] = "default",
    local: Annotated[
        Path | None,
        flag("--local", "Look at the manifests of this directory instead of a cluster.", metavar="DIR"),
    ] = None,
    controller_class: ControllerClass = "default",
    hold_back: HoldBack = True,
    credential_directories: CredentialDirectories = None,
    ambient_credential_hosts: AmbientCredentialHosts = None,
) -> None:
    """Say what a resource rests on, what is wrong first, and when it is tried next and why then.

    From the resource to its stores, their credentials, project and folder, and its target or source, each found well
    or not. Reads the cluster of KUBECONFIG, or a directory, and the statuses there; writes nothing, asks nothing of
    Infisical. Give it the flags of the controller. Ends with 0 when nothing is wrong, 1 when something is, and 2 when there
    is no such resource or it cannot be looked at.
    """
    from adapters.kubernetes.requests import NoCluster
    from reconciler.assembly import Options
    from reconciler.explaining import Mark, NoSuchResource
    from reconciler.explaining.shown import lines_of
    from reconciler.logs import set_up
    from reconciler.looking import CannotLook

    set_up("error", "auto")
    wanted, subject = _subject(kind, name, namespace)
    auth = auth_settings(credential_directories, ambient_credential_hosts, DEFAULT_ENDPOINT, "")
    options = Options(
        controller_class=controller_class,
        namespace=subject.namespace or None,
        hold_back=hold_back,
        auth=auth,
    )
    if local is not None and not local.is_dir():
        _unusable(f"--local: {local} is no directory")
    try:
        explanation = asyncio.run(_explained(wanted, subject, local, options))
    except (NoCluster, NoSuchResource, CannotLook) as error:
        _unusable(str(error))
    except OSError as error:
        _unusable(f"{error.filename or 'a file'} cannot be read: {error.strerror}")
    for line in lines_of(explanation):
        typer.echo(line)
    if any(link.mark is Mark.WRONG for link in explanation.links):
        raise typer.Exit(1)


async def _explained(
    kind: "Kind", subject: "Subject", directory: Path | None, options: "Options"
) -> "Explanation":
    from adapters.read_only import ReadOnlyCluster
    from reconciler.explaining import NoSuchResource, explain
    from reconciler.explaining.links import Explanation, wrong
    from reconciler.looking import Onlooker, cluster_of_manifests, live_cluster, nobody

    if directory is None:
        async with live_cluster() as cluster:
            return await explain(Onlooker(ReadOnlyCluster(cluster), nobody, options), kind, subject)
    cluster, read = await cluster_of_manifests([directory])
    for mistake in read.mistakes:
        typer.echo(str(mistake), err=True)
    own = [one for one in read.mistakes if one.message.startswith(f"{subject.kind} {subject.name}: ")]
    try:
        explained = await explain(Onlooker(ReadOnlyCluster(cluster), nobody, options), kind, subject)
    except NoSuchResource:
        if not own:
            raise
        explained = Explanation(resource=str(subject), links=())
    links = tuple(wrong("manifest", str(mistake)) for mistake in own)
    return Explanation(
        resource=explained.resource,
        links=(*links, *explained.links),
        next_run=explained.next_run,
        events=explained.events,
    )


def _subject(kind: str, name: str, namespace: str) -> "tuple[Kind, Subject]":
    """The kind and the resource that a person means."""
    from adapters.journal import Subject
    from machines.names import KindName, NamespaceName, ResourceName
    from reconciler.assembly import KINDS
    from reconciler.explaining import EXPLAINED
    from reconciler.trace import NoTrace, wanted

    try:
        meant = wanted(kind, name, None)
        known, name = KINDS[meant.kind], meant.name
        if not name:
            _unusable("which one? Write its name after its kind")
        place = NamespaceName(namespace) if known.namespaced else NamespaceName("")
        subject = Subject(KindName(known.name), place, ResourceName(name))
    except NoTrace as none:
        _unusable(str(none))
    except ValueError:
        _unusable(f"{name!r} in {namespace!r} is no name that a resource can have")
    if known not in EXPLAINED:
        names = ", ".join(one.name for one in EXPLAINED)
        _unusable(f"{known.name} is not a kind that this controller works on yet; explained are {names}")
    return known, subject


def _unusable(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(2)
