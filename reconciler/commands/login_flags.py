"""Flags about logging in, shared by the commands that do so, or judge whether it could work."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from adapters.auth.settings import GCP_IAM_CREDENTIALS, AuthSettings
from reconciler.commands.flags import flag

CredentialDirectories = Annotated[
    list[Path] | None,
    flag(
        "--credential-directories",
        "Directory below which files may be read whose paths credentials give; can be repeated, in the environment "
        "separated as in PATH.",
        metavar="DIR",
    ),
]
AmbientCredentialHosts = Annotated[
    list[str] | None,
    flag(
        "--ambient-credential-hosts",
        "Host that a SecretStore may show the controller's own identity to (Kubernetes, AWS, Azure, GCP); can be "
        "repeated, in the environment separated by spaces. Every host when absent.",
        metavar="HOST",
    ),
]
GcpIamCredentialsEndpoint = Annotated[
    str,
    flag(
        "--gcp-iam-credentials-endpoint",
        "Address of the GCP IAM credentials API, where it is a private service endpoint.",
        metavar="URL",
    ),
]
AzureClientId = Annotated[
    str,
    flag(
        "--azure-client-id",
        "Client ID of the user-assigned managed identity to use.",
        also=("INFISICAL_AZURE_AUTH_CLIENT_ID",),
    ),
]
OrganizationSlug = Annotated[
    str,
    flag(
        "--organization-slug",
        "Organisation to log in to, where a store names none.",
        also=("INFISICAL_AUTH_ORGANIZATION_SLUG",),
    ),
]
DEFAULT_ENDPOINT = GCP_IAM_CREDENTIALS


def auth_settings(
    directories: Sequence[Path] | None, hosts: Sequence[str] | None, endpoint: str, client_id: str
) -> AuthSettings:
    """The settings that these flags make. Raises typer.BadParameter."""
    for directory in directories or ():
        if not directory.is_absolute():
            raise typer.BadParameter(f"--credential-directories: {directory} is no absolute path")
    address = urlsplit(endpoint)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise typer.BadParameter(
            f"--gcp-iam-credentials-endpoint: {endpoint!r} is no address, such as {GCP_IAM_CREDENTIALS}"
        )
    return AuthSettings(
        credential_directories=tuple(directories or ()),
        ambient_hosts=tuple(host.lower() for host in hosts) if hosts else None,
        gcp_iam_credentials=endpoint.rstrip("/"),
        azure_client_id=client_id or None,
    )
