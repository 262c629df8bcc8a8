"""What Google's SDK finds around a process, made for a test: environment and files."""

import os
from pathlib import Path

import pytest

from tests.clouds.gcp_endpoints import GcpEndpoints

_PREFIXES = ("GCE_", "GOOGLE_", "CLOUDSDK_")


class GcpSurroundings:
    """Nothing of GCP is around, but for what is put there. `directory` may hold key files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        self._patch = monkeypatch
        self.directory = directory
        for name in [name for name in os.environ if name.startswith(_PREFIXES)]:
            monkeypatch.delenv(name)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)

    def put(self, **variables: str) -> None:
        """Environment variables."""
        for name, value in variables.items():
            self._patch.setenv(name, value)

    def instance(self, url: str) -> None:
        """A machine in GCP, whose metadata are at this address."""
        self.put(GCE_METADATA_HOST=url.removeprefix("http://"))

    def key_file(self, gcp: GcpEndpoints, **changes: object) -> str:
        """The path of a key file of the service account, with changes in its content (None: left out)."""
        path = self.directory / "key.json"
        path.write_text(gcp.key_file(**changes))
        return str(path)
