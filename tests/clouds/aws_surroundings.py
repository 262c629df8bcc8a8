"""What AWS SDKs find around a process, made for a test: environment and files."""

import os
from pathlib import Path

import pytest

from tests.clouds.aws_endpoints import AGENT_TOKEN, REGION, ROLE_ARN, WEB_TOKEN, AwsEndpoints


class AwsSurroundings:
    """Nothing of AWS is around, but for what is put there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        self._patch = monkeypatch
        self._directory = directory
        for name in [name for name in os.environ if name.startswith(("AWS_", "BOTO_"))]:
            monkeypatch.delenv(name)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        # The SDK sleeps a second after each of three refusals of an agent.
        monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
        self.put(
            AWS_CONFIG_FILE=str(directory / "config"),
            AWS_SHARED_CREDENTIALS_FILE=str(directory / "credentials"),
            BOTO_CONFIG=str(directory / "boto"),
            AWS_EC2_METADATA_DISABLED="true",
        )

    def put(self, **variables: str) -> None:
        """Environment variables."""
        for name, value in variables.items():
            self._patch.setenv(name, value)

    def file(self, name: str, text: str) -> str:
        """A file: `config` and `credentials` are those of the SDKs. Its path."""
        path = self._directory / name
        path.write_text(text)
        return str(path)

    def keys(self, access_key: str, secret: str, token: str | None = None) -> None:
        """Keys in the environment, with a region."""
        self.put(AWS_ACCESS_KEY_ID=access_key, AWS_SECRET_ACCESS_KEY=secret, AWS_REGION=REGION)
        if token:
            self.put(AWS_SESSION_TOKEN=token)

    def instance(self, url: str) -> None:
        """An EC2 instance, whose metadata are there."""
        self._patch.delenv("AWS_EC2_METADATA_DISABLED")
        self.put(AWS_EC2_METADATA_SERVICE_ENDPOINT=url)

    def agent(self, endpoints: AwsEndpoints) -> None:
        """EKS pod identity: an agent, and a token for it."""
        token = self.file("agent-token", AGENT_TOKEN)
        self.put(
            AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{endpoints.url}/agent",
            AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=token,
            AWS_REGION=REGION,
        )

    def web_identity(self, endpoints: AwsEndpoints) -> None:
        """IRSA: a role, and a token of the service account for it."""
        token = self.file("web-token", WEB_TOKEN)
        self.put(
            AWS_ROLE_ARN=ROLE_ARN,
            AWS_WEB_IDENTITY_TOKEN_FILE=token,
            AWS_ENDPOINT_URL_STS=endpoints.url,
            AWS_REGION=REGION,
        )
