"""What Azure's SDK finds around a process, made for a test: environment and files."""

import os
from pathlib import Path

import pytest

from tests.clouds.azure_endpoints import (
    APP_SERVICE_SECRET,
    FEDERATED_TOKEN,
    TENANT,
    USER_ASSIGNED,
    AzureEndpoints,
)

_PREFIXES = ("AZURE_", "IDENTITY_", "MSI_", "IMDS_")


class AzureSurroundings:
    """Nothing of Azure is around, but for what is put there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        self._patch = monkeypatch
        self._directory = directory
        for name in [name for name in os.environ if name.startswith(_PREFIXES)]:
            monkeypatch.delenv(name)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)

    def put(self, **variables: str) -> None:
        """Environment variables."""
        for name, value in variables.items():
            self._patch.setenv(name, value)

    def instance(self, url: str) -> None:
        """A machine in Azure, whose metadata are at this address."""
        self.put(AZURE_POD_IDENTITY_AUTHORITY_HOST=url)

    def app_service(self, endpoints: AzureEndpoints) -> None:
        """A host that gives managed identities by an endpoint and a secret."""
        self.put(IDENTITY_ENDPOINT=f"{endpoints.url}/msi/token", IDENTITY_HEADER=APP_SERVICE_SECRET)

    def workload(self, endpoints: AzureEndpoints, authority: bytes) -> Path:
        """Workload identity, with an authority behind TLS whose certificate is given; the file of the token."""
        certificate, token = self._directory / "authority.pem", self._directory / "federated-token"
        certificate.write_bytes(authority)
        token.write_text(FEDERATED_TOKEN)
        self.put(
            AZURE_AUTHORITY_HOST=f"{endpoints.url}/",
            AZURE_TENANT_ID=TENANT,
            AZURE_CLIENT_ID=USER_ASSIGNED,
            AZURE_FEDERATED_TOKEN_FILE=str(token),
            REQUESTS_CA_BUNDLE=str(certificate),
        )
        return token
