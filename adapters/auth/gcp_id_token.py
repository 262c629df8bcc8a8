"""GCP ID Token Auth: an identity token of the service account under which the controller's node or pod runs.

google-auth asks the metadata server for it, and is imported when a store first logs in so. Tokens are not kept: the
metadata server does that.
"""

import os
import re
from typing import Final, TypeGuard

from adapters.auth.blocking import in_thread
from adapters.auth.credentials import Credentials
from adapters.auth.gcp_transport import NoAnswer, Transport, outcome_of
from adapters.auth.login import Login, LoginRequest
from adapters.infisical.secret_text import SecretText
from machines.outcomes import Denied, Missing, Service, Thing, Trouble, Unavailable

ROUTE: Final = "/v1/auth/gcp-auth/login"
Failure = Missing | Denied | Unavailable
_PATH: Final = "instance/service-accounts/default/identity"
_JWT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_FLAVOR: Final = {"Metadata-Flavor": "Google"}


class GcpIdTokenAuth:
    """`AuthMethod` for the block `gcpIdTokenAuthCredentials`."""

    async def login(self, credentials: Credentials) -> Login:
        """The identity, and a token that is meant for it alone."""
        identity = credentials.stripped("identityId")
        try:
            token = await in_thread(lambda: _token(identity.reveal()))
        except TimeoutError:
            return Unavailable(service=Service.GCP_METADATA, why=Trouble.TIMED_OUT)
        if not isinstance(token, SecretText):
            return token
        return LoginRequest(ROUTE, {"identityId": identity, "jwt": token})


def is_jwt(text: object) -> TypeGuard[str]:
    """Whether something has the form of a signed token."""
    return isinstance(text, str) and _JWT.fullmatch(text) is not None


def _token(audience: str) -> SecretText | Failure:
    """A token for this audience. Blocks."""
    try:
        from google.auth.compute_engine import _metadata

        token = _metadata.get(  # type: ignore[no-untyped-call]  # the SDK's types end at its transports
            Transport(proxies=False, marks=_FLAVOR),
            _PATH,
            root=_root(),
            params={"audience": audience, "format": "full"},
            retry_count=1,
        )
    except Exception as failure:  # noqa: BLE001 - the SDK may raise anything, and all of it is told
        if isinstance(failure, NoAnswer) and failure.status == 404:  # nobody there has a service account
            return Missing(what=Thing.AMBIENT, service=Service.GCP_METADATA)
        return outcome_of(failure, Service.GCP_METADATA)
    if not is_jwt(token):
        return Unavailable(service=Service.GCP_METADATA, why=Trouble.NOT_INFISICAL)
    return SecretText(token)


def _root() -> str | None:
    """Where the metadata are, as the environment has it now: the SDK looks only when it is imported. None: where the
    SDK finds them by itself."""
    host = os.environ.get("GCE_METADATA_HOST") or os.environ.get("GCE_METADATA_ROOT")
    return f"http://{host}/computeMetadata/v1/" if host else None
