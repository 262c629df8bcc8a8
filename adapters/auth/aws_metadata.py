"""Where AWS credentials come from, when they do not: the metadata of an EC2 instance (IMDSv2), and failures as outcomes."""

import os
import re
from typing import TYPE_CHECKING, Final

from adapters.auth.causes import causes, connection_trouble
from machines.outcomes import Denial, Denied, Missing, Service, Thing, Trouble, Unavailable

if TYPE_CHECKING:
    from botocore.session import Session

NO_CREDENTIALS: Final = Missing(what=Thing.AMBIENT, service=Service.AWS)
_SECONDS: Final = 2.0
_TOKEN_SECONDS: Final = "60"
_STATUS: Final = re.compile(r"non 200 response (\d{3})")
"""Where botocore says the status of an answer of a container's agent."""


class MetadataRefused(Exception):
    """The metadata service answered, but not with what was asked."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class InstanceMetadata:
    """The metadata service of an EC2 instance, at the address that AWS SDKs are configured with. Version 2 only."""

    def __init__(self, session: "Session") -> None:
        from botocore.httpsession import URLLib3Session
        from botocore.utils import METADATA_BASE_URL, METADATA_BASE_URL_IPv6, resolve_imds_endpoint_mode

        self.disabled = os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true"
        at_home = (
            METADATA_BASE_URL_IPv6 if resolve_imds_endpoint_mode(session) == "ipv6" else METADATA_BASE_URL
        )
        self._address = (session.get_config_variable("ec2_metadata_service_endpoint") or at_home).rstrip("/")
        self._http = URLLib3Session(timeout=_SECONDS)
        self._token: str | None = None

    def get(self, path: str) -> str:
        """What is at a path, as text. Raises what botocore raises, and MetadataRefused."""
        if self.disabled:
            raise MetadataRefused(404)
        if self._token is None:
            lifetime = {"x-aws-ec2-metadata-token-ttl-seconds": _TOKEN_SECONDS}
            self._token = self._ask("PUT", "latest/api/token", lifetime)
        return self._ask("GET", path, {"x-aws-ec2-metadata-token": self._token})

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> str:
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method=method, url=f"{self._address}/{path}", headers=headers)
        answer = self._http.send(request.prepare())
        if answer.status_code != 200:
            raise MetadataRefused(answer.status_code)
        text: str = answer.text.strip()
        return text


def outcome_of(failure: BaseException) -> Missing | Denied | Unavailable:
    """What a failure of the chain of credentials means."""
    from botocore.exceptions import BotoCoreError, ClientError, MetadataRetrievalError
    from botocore.parsers import ResponseParserError

    trouble = connection_trouble(failure)
    if trouble is not None:
        return Unavailable(service=Service.AWS, why=trouble)
    for one in causes(failure):
        if isinstance(one, ClientError):
            return _of_status(one.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if isinstance(one, MetadataRefused):
            return NO_CREDENTIALS if one.status == 404 else _of_status(one.status)
        if isinstance(one, MetadataRetrievalError) and (found := _STATUS.search(str(one))):
            return _of_status(int(found[1]))
        if isinstance(one, MetadataRetrievalError | ResponseParserError):
            return _of_status(200)
    if isinstance(failure, BotoCoreError | OSError):  # a profile, a file or half of the keys is not there
        return NO_CREDENTIALS
    return _of_status(200)


def _of_status(status: int) -> Denied | Unavailable:
    if status == 429:
        return Unavailable(service=Service.AWS, why=Trouble.LIMITED)
    if status >= 500:
        return Unavailable(service=Service.AWS, why=Trouble.FAULT, status=status)
    if status in (400, 401, 403):
        return Denied(what=Denial.PROOF, service=Service.AWS)
    return Unavailable(service=Service.AWS, why=Trouble.NOT_INFISICAL)
