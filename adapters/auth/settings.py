"""What the operator of the controller has settled about ways to log in."""

from pathlib import Path
from typing import Final

import msgspec

GCP_IAM_CREDENTIALS: Final = "https://iamcredentials.googleapis.com"
POD_TOKEN: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
"""The one file outside of the directories that may always be read, and only for Kubernetes Auth."""


class AuthSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the controller, not of a store."""

    credential_directories: tuple[Path, ...] = ()
    """Below which files may be read whose paths credentials give; none: no such file may be read."""

    pod_token: Path = POD_TOKEN
    """Where the controller's own service account token is."""

    gcp_iam_credentials: str = GCP_IAM_CREDENTIALS
    """Address of the GCP IAM credentials API, without a slash at its end."""

    azure_client_id: str | None = None
    """Which user-assigned managed identity to use; None: the only one that there is."""

    ambient_hosts: tuple[str, ...] | None = None
    """Host names that may be shown the controller's own identity by a SecretStore; None: all."""
