"""What the clouds would tell the server of who logs in: whose an access key is, and which keys sign a tenant's tokens."""

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


@dataclass
class CloudAccounts:
    """Access keys by their IDs, and key sets (JWKS) by Azure tenant."""

    aws_keys: dict[str, AwsKey] = field(default_factory=dict)
    azure_tenants: dict[str, Mapping[str, Any]] = field(default_factory=dict)
