"""`run`: the controller."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.commands.controller_flags import ControllerClass, CreateFolders, HoldBack
from reconciler.commands.flags import duration, flag
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
    from adapters.journal import Journal
    from reconciler.endpoints import NotReady


def run(
    local: Annotated[
        Path | None,
        flag(
            "--local",
            "Serve the manifests of this directory instead of a cluster; results are written below "
            "DIR/.infisical-reconciler/.",
            metavar="DIR",
        ),
    ] = None,
    namespace: Annotated[
        str, flag("--namespace", "Look after this namespace only, and after cluster-wide stores.", "-n")
    ] = "",
    controller_class: ControllerClass = "default",
    concurrency: Annotated[int, flag("--concurrency", "How many resources run at once.", min=1)] = 256,
    linger: Annotated[
        float,
        flag(
            "--linger",
            "How long a token outlives its last user, so that the next one shares it; 0: not at all.",
            parser=duration,
            metavar="DURATION",
        ),
    ] = "2s",  # type: ignore[assignment]  # parsed as a flag is
    store_refresh_interval: Annotated[
        float,
        flag(
            "--store-refresh-interval",
            "How often stores are validated that name no interval.",
            parser=duration,
            metavar="DURATION",
        ),
    ] = "5m",  # type: ignore[assignment]
    hold_back: HoldBack = True,
    create_folders: CreateFolders = False,
    leader_election: Annotated[
        bool | None,
        flag(
            "--leader-election/--no-leader-election",
            "Whether only the holder of a Lease runs anything, and others stand by for it; by default in a pod only.",
        ),
    ] = None,
    leader_election_namespace: Annotated[
        str,
        flag(
            "--leader-election-namespace",
            "Where the Lease is; by default the pod's namespace, or the one that the kubeconfig names.",
            metavar="NAMESPACE",
        ),
    ] = "",
    leader_election_name: Annotated[
        str, flag("--leader-election-name", "The Lease's name.", metavar="NAME")
    ] = "infisical-reconciler",
    organization_slug: OrganizationSlug = "",
    credential_directories: CredentialDirectories = None,
    ambient_credential_hosts: AmbientCredentialHosts = None,
    gcp_iam_credentials_endpoint: GcpIamCredentialsEndpoint = DEFAULT_ENDPOINT,
    azure_client_id: AzureClientId = "",
    journal: Annotated[
        str, flag("--journal", "Record every transition in this file (-: standard output).")
    ] = "",
    journal_size: Annotated[
        int,
        flag(
            "--journal-size",
            "Bytes after which the journal goes on in a new file; the old one is FILE.1.",
            min=4096,
        ),
    ] = 100_000_000,
    listen: Annotated[
        str, flag("--listen", "Address of /healthz, /readyz, /metrics and /trace; empty: none.")
    ] = "127.0.0.1:8080",
    log_level: Annotated[
        str, flag("--log-level", "debug (every transition), info, warning or error.")
    ] = "info",
    log_format: Annotated[
        str, flag("--log-format", "text, json, or auto: text on a terminal, JSON lines otherwise.")
    ] = "auto",
) -> None:
    """Run the controller: on the cluster of KUBECONFIG, in the cluster that it is a pod of, or on a directory.

    SIGTERM ends it: nothing new starts, what runs ends, and every token is revoked. It ends by itself, with 1, when it
    has lost the Lease that it led by.
    """
    from adapters.infisical.http import Network
    from adapters.kubernetes.requests import NoCluster
    from adapters.local.directory import UnusableManifests
    from adapters.proxies import proxy_of_environment
    from reconciler.assembly import Options
    from reconciler.election import LeadershipLost
    from reconciler.endpoints import UnusableAddress, endpoints
    from reconciler.logs import FORMATS, LEVELS, set_up
    from reconciler.metrics import Metrics
    from reconciler.requests import counted
    from reconciler.running import LeaderElection, NoNamespace, log, run_until_told
    from reconciler.transitions_seen import DebugLog, RecentTransitions, SeveralJournals

    _one_of("--log-level", log_level, LEVELS)
    _one_of("--log-format", log_format, FORMATS)
    if local is not None and not local.is_dir():
        _unusable(f"--local: {local} is no directory")
    if local is not None and leader_election:
        _unusable("--leader-election: there are no Leases in a directory; leave it out with --local")
    set_up(log_level, log_format)
    auth = auth_settings(
        credential_directories, ambient_credential_hosts, gcp_iam_credentials_endpoint, azure_client_id
    )
    options = Options(
        controller_class=controller_class,
        namespace=namespace or None,
        concurrency=concurrency,
        linger=linger,
        store_interval=store_refresh_interval,
        hold_back=hold_back,
        create_folders=create_folders,
        organization=organization_slug or None,
        auth=auth,
    )
    election = LeaderElection(leader_election, leader_election_namespace, leader_election_name)
    metrics, recent = Metrics(), RecentTransitions()

    @asynccontextmanager
    async def serve(not_ready: "NotReady") -> AsyncIterator[None]:
        async with endpoints(listen, not_ready, metrics, recent) as address:
            if address:
                log.info("listening", address=address)
            yield

    async def until_told() -> None:
        with file_journal(journal, journal_size, lambda sentence: log.error(sentence)) as files:
            journals = SeveralJournals([*files, recent, DebugLog(), metrics])
            async with Network(proxy_of_environment) as network:
                connect = counted(network.transport, metrics.api_call)
                await run_until_told(local, connect, journals, options, metrics, serve, election)

    try:
        asyncio.run(until_told())
    except (NoCluster, NoNamespace, UnusableManifests, UnusableAddress) as error:
        _unusable(str(error))
    except LeadershipLost as error:
        log.error(f"this process leads no more; to be started again: {error}")
        raise typer.Exit(1) from None
    except OSError as error:
        _unusable(f"{error.filename or listen}: {error.strerror or 'cannot be used'}")


@contextmanager
def file_journal(path: str, size: int, complain: Callable[[str], None]) -> "Iterator[list[Journal]]":
    """The journal in a file, if one is wanted; closed at the end."""
    from adapters.journal import FileJournal

    if not path:
        yield []
        return
    journal = FileJournal(path, size, complain)
    try:
        yield [journal]
    finally:
        journal.close()


def _one_of(name: str, given: str, choices: tuple[str, ...]) -> None:
    if given not in choices:
        _unusable(f"{name}: {given!r} is none of {', '.join(choices)}")


def _unusable(sentence: str) -> None:
    typer.echo(sentence, err=True)
    raise typer.Exit(2)
