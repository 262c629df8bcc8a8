"""What the clouds would tell the server of who logs in: whose a key is, and which keys sign whose tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec


class AwsKey(msgspec.Struct, frozen=True):
    """An access key as AWS knows it. `arn` is whose it is; a temporary one has a session token, and ends (epoch seconds)."""

    secret: str
    arn: str
    session_token: str | None = None
    expires: float | None = None

    def __repr__(self) -> str:
        return f"<AwsKey of {self.arn}>"


class OciKey(msgspec.Struct, frozen=True):
    """An API key as OCI knows it: its public half (PEM), and of which user (OCID and name) in which tenancy it is."""

    public_key: str
    user: str
    name: str
    tenancy: str


@dataclass
class CloudAccounts:
    """AWS access keys by their IDs, OCI's keys by theirs; key sets (JWKS) by Azure tenant, by the e-mail address of a GCP
    service account, and the one by which Google signs identity tokens."""

    aws_keys: dict[str, AwsKey] = field(default_factory=dict)
    azure_tenants: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    gcp_service_accounts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    google_keys: Mapping[str, Any] = field(default_factory=dict)
    oci_keys: dict[str, OciKey] = field(default_factory=dict)
