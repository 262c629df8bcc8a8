"""AWS Auth: a signed request that tells whose credentials signed it, and that Infisical sends to AWS in our place.

The credentials are those of the standard chain of AWS SDKs. boto3's core is imported when a store first logs in so.
"""

import base64
import json
import logging
import os
import re
from typing import TYPE_CHECKING, Final

from adapters.auth.aws_metadata import NO_CREDENTIALS, InstanceMetadata, MetadataRefused, outcome_of
from adapters.auth.blocking import in_thread
from adapters.auth.credentials import Credentials
from adapters.auth.login import Login, LoginRequest
from adapters.infisical.secret_text import SecretText
from machines.outcomes import Denied, Missing, Service, Thing, Trouble, Unavailable

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials
    from botocore.session import Session

ROUTE: Final = "/v1/auth/aws-auth/login"
BODY: Final = "Action=GetCallerIdentity&Version=2011-06-15"
_MEDIA_TYPE: Final = "application/x-www-form-urlencoded; charset=utf-8"
_REGION: Final = re.compile(r"[a-z0-9-]{1,20}")
"""What Infisical takes as a region."""
Failure = Missing | Denied | Unavailable
_SILENCED: Final = ("boto3", "botocore", "urllib3")
_SECONDS_FOR_STS: Final = 5.0  # to connect, and to wait for the answer


class AwsAuth:
    """`AuthMethod` for the block `awsAuthCredentials`."""

    def __init__(self) -> None:
        self._session: Session | None = None
        """Holds credentials that renew themselves before they end; None: the chain is asked at the next login."""

    def __repr__(self) -> str:
        return "<AwsAuth>"

    async def login(self, credentials: Credentials) -> Login:
        """The request to AWS that Infisical is to send, signed and never sent from here."""
        try:
            signed = await in_thread(self._signed)
        except TimeoutError:
            return Unavailable(service=Service.AWS, why=Trouble.TIMED_OUT)
        if not isinstance(signed, dict):
            return signed
        headers = base64.b64encode(json.dumps(signed).encode()).decode()
        fields = {
            "identityId": credentials.stripped("identityId"),
            "iamHttpRequestMethod": SecretText("POST"),
            "iamRequestBody": SecretText(base64.b64encode(BODY.encode()).decode()),
            "iamRequestHeaders": SecretText(headers),
        }
        return LoginRequest(ROUTE, fields)

    def _signed(self) -> dict[str, str] | Failure:
        """The headers of the request. Blocks."""
        for name in _SILENCED:  # they log headers and answers
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        try:
            session = self._session or _session()
            region = _configured_region(session)
            keys = self._keys(session, region)
            if keys is None:
                return _why_there_are_none(session)
            region = region or _region_of_the_instance(session)
            return _sign(keys, region) if region else Missing(what=Thing.REGION)
        except Exception as failure:  # noqa: BLE001 - the SDK may raise anything, and all of it is told
            self._session = None
            return outcome_of(failure)

    def _keys(self, session: "Session", region: str | None) -> "ReadOnlyCredentials | None":
        """Keys that are valid now, as the chain finds or renews them. Keys that do not renew themselves are looked up
        at each login, for they may have been replaced."""
        from botocore.credentials import RefreshableCredentials

        if region:  # for STS, which web identities need
            session.set_config_variable("region", region)
        found = session.get_credentials()
        self._session = session if isinstance(found, RefreshableCredentials) else None
        if found is None:
            return None
        keys = found.get_frozen_credentials()
        return keys if keys.access_key and keys.secret_key else None


def _session() -> "Session":
    from botocore.config import Config
    from botocore.session import get_session

    session = get_session()
    session.set_default_client_config(
        Config(
            connect_timeout=_SECONDS_FOR_STS,
            read_timeout=_SECONDS_FOR_STS,
            retries={"total_max_attempts": 1},  # the queue tries again
        )
    )
    return session


def _configured_region(session: "Session") -> str | None:
    """What environment or shared configuration name, in the order of other AWS SDKs: botocore knows no AWS_REGION."""
    region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
    return region if region and _REGION.fullmatch(region) else None


def _region_of_the_instance(session: "Session") -> str | None:
    """Where the machine runs, as its identity document says; None where that cannot be had."""
    from botocore.exceptions import BotoCoreError

    try:
        document = json.loads(InstanceMetadata(session).get("latest/dynamic/instance-identity/document"))
    except (BotoCoreError, MetadataRefused, ValueError):
        return None
    region = document.get("region") if isinstance(document, dict) else None
    return region if isinstance(region, str) and _REGION.fullmatch(region) else None


def _why_there_are_none(session: "Session") -> Failure:
    """botocore passes in silence over metadata that cannot be reached: ask again, to hear why. Raises what that raises."""
    metadata = InstanceMetadata(session)
    if metadata.disabled:
        return NO_CREDENTIALS
    path = "latest/meta-data/iam/security-credentials/"
    metadata.get(path + metadata.get(path))
    return Unavailable(service=Service.AWS, why=Trouble.NOT_INFISICAL)


def _sign(keys: "ReadOnlyCredentials", region: str) -> dict[str, str]:
    """All headers of the request, with the date, and the signature of these keys."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    host = f"sts.{region}.amazonaws.com"
    headers = {"Host": host, "Content-Type": _MEDIA_TYPE, "Content-Length": str(len(BODY))}
    request = AWSRequest(method="POST", url=f"https://{host}/", data=BODY, headers=headers)
    SigV4Auth(keys, "sts", region).add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}
