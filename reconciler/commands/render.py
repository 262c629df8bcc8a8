"""`render`: Secrets without a cluster."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from reconciler.commands.controller_flags import ControllerClass, CreateFolders
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


def render(
    paths: Annotated[
        list[Path], typer.Argument(help="Files and directories of manifests.", metavar="PATH...")
    ],
    journal: Annotated[str, flag("--journal", "Record every transition in this file.", metavar="FILE")] = "",
    push: Annotated[
        bool,
        flag("--push/--no-push", "Push what PushSecrets ask for, too: that writes to Infisical."),
    ] = False,
    create_folders: CreateFolders = False,
    controller_class: ControllerClass = "default",
    organization_slug: OrganizationSlug = "",
    credential_directories: CredentialDirectories = None,
    ambient_credential_hosts: AmbientCredentialHosts = None,
    gcp_iam_credentials_endpoint: GcpIamCredentialsEndpoint = DEFAULT_ENDPOINT,
    azure_client_id: AzureClientId = "",
) -> None:
    """Read manifests, run each resource once, and print the Secrets as YAML on standard output.

    PushSecrets are left alone unless --push is given; what was pushed is not remembered then, and never deleted.
    A line for each resource goes to standard error. Ends with 0 when all are ready, 1 when some are not, and 2 when
    the input cannot be used.
    """
    from adapters.infisical.http import Network
    from adapters.local.directory import UnusableManifests
    from adapters.proxies import proxy_of_environment
    from reconciler.assembly import Options
    from reconciler.logs import set_up
    from reconciler.rendering import Rendering, documents
    from reconciler.rendering import render as run_once_each
    from reconciler.transitions_seen import SeveralJournals

    set_up("error", "auto")
    auth = auth_settings(
        credential_directories, ambient_credential_hosts, gcp_iam_credentials_endpoint, azure_client_id
    )

    def say(sentence: str) -> None:
        typer.echo(sentence, err=True)

    if journal == "-":
        say("--journal: standard output is for the Secrets; name a file")
        raise typer.Exit(2)

    async def rendering() -> Rendering:
        from reconciler.commands.run import file_journal

        async with Network(proxy_of_environment) as network:
            with file_journal(journal, 2**40, say) as journals:
                options = Options(
                    controller_class=controller_class,
                    create_folders=create_folders,
                    organization=organization_slug or None,
                    auth=auth,
                )
                return await run_once_each(
                    paths, network.transport, SeveralJournals(journals), options, say, push=push
                )

    try:
        rendered = asyncio.run(rendering())
    except UnusableManifests as unusable:
        say(str(unusable))
        raise typer.Exit(2) from None
    except OSError as error:
        say(f"{error.filename or 'a file'} cannot be read: {error.strerror}")
        raise typer.Exit(2) from None
    if not rendered.lines:
        say("there is no resource of ours in these manifests")
        raise typer.Exit(2)
    typer.echo(documents(rendered.secrets), nl=False)
    for line in rendered.lines:
        say(line)
    if not rendered.all_ready:
        raise typer.Exit(1)
