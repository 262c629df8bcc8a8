"""What the operator of the controller has settled about ways to log in."""

import os
from pathlib import Path
from typing import Final

import msgspec

GCP_IAM_CREDENTIALS: Final = "https://iamcredentials.googleapis.com"
POD_TOKEN: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
"""The one file outside of the directories that may always be read, and only for Kubernetes Auth."""
POD_TOKEN_FIELD: Final = "serviceAccountTokenPath"
"""The credential that may name it."""


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

    def may_be_read(self, field: str, path: str) -> bool:
        """Whether the file of a path that this credential gives may be read, as it looks from here: by links that are here,
        and without looking whether it is there."""
        if field == POD_TOKEN_FIELD and path == str(self.pod_token):
            return True
        resolved = Path(os.path.realpath(path))
        return any(resolved.is_relative_to(os.path.realpath(one)) for one in self.credential_directories)
