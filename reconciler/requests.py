"""Counting what is asked of Infisical, by the names that dashboards know the calls by."""

import re
from collections.abc import Callable

from adapters.infisical.address import Address
from adapters.infisical.hosts import Connect
from adapters.infisical.transport import Answer, Request, Transport, TransportError
from machines.outcomes import Invalid

REVOCATION = "RevokeAccessToken"
_CALLS: tuple[tuple[str, str, str], ...] = (
    ("POST", r"/api/v1/auth/universal-auth/login", "MachineIdentityLoginViaUniversalAuth"),
    ("POST", r"/api/v1/auth/token/revoke", REVOCATION),
    ("GET", r"/api/v1/projects/slug/.*|/api/v2/workspace/.*", "GetWorkspaceBySlug"),
    ("GET", r"/api/v4/secrets|/api/v3/secrets/raw", "GetSecretsV3"),
    ("GET", r"/api/v4/secrets/.+|/api/v3/secrets/raw/.+", "GetSecretByKeyV3"),
)
_PATTERNS = tuple((method, re.compile(pattern), call) for method, pattern, call in _CALLS)
OTHER = "Other"

Tell = Callable[[str, bool], None]
"""`tell(call, succeeded)`."""


def call_of(request: Request) -> str:
    """The name of a request."""
    for method, pattern, call in _PATTERNS:
        if request.method == method and pattern.fullmatch(request.path):
            return call
    return OTHER


class CountedTransport:
    """A transport that tells of every request."""

    def __init__(self, transport: Transport, tell: Tell) -> None:
        self._transport = transport
        self._tell = tell

    async def send(self, request: Request) -> Answer:
        """Answer the request once. Raises TransportError."""
        try:
            answer = await self._transport.send(request)
        except TransportError:
            self._tell(call_of(request), False)
            raise
        self._tell(call_of(request), answer.status < 400)
        return answer


def counted(connect: Connect, tell: Tell) -> Connect:
    """The same way to reach servers, where every request is told."""

    def connected(address: Address, certificates: bytes) -> Transport | Invalid:
        transport = connect(address, certificates)
        return transport if isinstance(transport, Invalid) else CountedTransport(transport, tell)

    return connected
