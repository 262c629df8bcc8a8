"""Azure Auth: a token of the managed identity, or of the workload identity, under which the controller runs.

azure-identity obtains and keeps it, and is imported when a store first logs in so.
"""

import logging
import os
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from adapters.auth.blocking import in_thread
from adapters.auth.causes import connection_trouble
from adapters.auth.credentials import Credentials
from adapters.auth.login import Login, LoginRequest
from adapters.auth.settings import AuthSettings
from adapters.infisical.secret_text import SecretText
from machines.outcomes import Denial, Denied, Missing, Service, Thing, Trouble, Unavailable

if TYPE_CHECKING:
    from azure.identity import ManagedIdentityCredential, WorkloadIdentityCredential

ROUTE: Final = "/v1/auth/azure-auth/login"
RESOURCE: Final = "https://management.azure.com/"
"""The audience where a store names none. Its final slash is part of it."""
Failure = Missing | Denied | Unavailable
_NO_IDENTITY: Final = Missing(what=Thing.AMBIENT, service=Service.AZURE)
_SILENCED: Final = ("azure", "msal", "urllib3")
_LIMITS: Final = {"connection_timeout": 3, "read_timeout": 6, "retry_total": 0}
"""Seconds; the SDK's own retries would wait longer than any login may, and the queue retries anyway."""
_NO_WORKLOAD: Final = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT")
"""Variables of hosts that give managed identities; the SDK prefers them to a workload identity."""
_PLAIN: Final = "/:@!$'()*,;"
"""What may stand in a query as it is. The SDK puts an audience into its queries without escaping anything."""


def _is_workload() -> bool:
    """Whether the environment offers a workload identity, and nothing that the SDK prefers."""
    offered = os.environ.get("AZURE_FEDERATED_TOKEN_FILE") and os.environ.get("AZURE_TENANT_ID")
    return bool(offered) and not any(os.environ.get(name) for name in _NO_WORKLOAD)


class AzureAuth:
    """`AuthMethod` for the block `azureAuthCredentials`."""

    def __init__(self, settings: AuthSettings) -> None:
        self._client_id = settings.azure_client_id
        self._credential: ManagedIdentityCredential | WorkloadIdentityCredential | None = None
        """Keeps tokens while they are valid; None: what the environment offers is looked at anew."""
        self._making = threading.Lock()
        self._answer = threading.local()

    def __repr__(self) -> str:
        return "<AzureAuth>"

    async def login(self, credentials: Credentials) -> Login:
        """The identity, and its token for the store's audience."""
        resource = credentials.stripped("resource").reveal() if "resource" in credentials else RESOURCE
        try:
            token = await in_thread(lambda: self._token(resource))
        except TimeoutError:
            return Unavailable(service=Service.AZURE, why=Trouble.TIMED_OUT)
        if not isinstance(token, SecretText):
            return token
        return LoginRequest(ROUTE, {"identityId": credentials.stripped("identityId"), "jwt": token})

    def _token(self, resource: str) -> SecretText | Failure:
        """A token for this audience, exactly as written. Blocks."""
        for name in _SILENCED:  # they log headers and answers
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._answer.status, self._answer.error = 0, ""
        try:
            with self._making:  # asks nobody
                credential = self._credential = self._credential or self._new_credential()
            if not _is_workload():
                resource = quote(resource, safe=_PLAIN)
            # The SDK wants a scope, of which it takes just this end off; the slash before it is not the audience's.
            token = credential.get_token(f"{resource}/.default").token
        except Exception as failure:  # noqa: BLE001 - the SDK may raise anything, and all of it is told
            self._credential = None
            return self._outcome_of(failure)
        if isinstance(token, str) and token.isascii() and token.isprintable() and token:
            return SecretText(token)
        self._credential = None
        return Unavailable(service=Service.AZURE, why=Trouble.NOT_INFISICAL)

    def _new_credential(self) -> "ManagedIdentityCredential | WorkloadIdentityCredential":
        """What the environment offers: never the credentials of a developer."""
        from azure.identity import ManagedIdentityCredential, WorkloadIdentityCredential

        options: dict[str, Any] = {**_LIMITS, "raw_response_hook": self._note}
        if _is_workload():
            return WorkloadIdentityCredential(client_id=self._client_id, **options)
        return ManagedIdentityCredential(client_id=self._client_id, **options)

    def _note(self, response: Any) -> None:
        """Keep what the SDK does not tell of an answer: its status and the name of its error."""
        self._answer.status = response.http_response.status_code
        try:
            content = response.http_response.json()
        except ValueError:
            content = None
        error = content.get("error") if isinstance(content, dict) else None
        self._answer.error = error if isinstance(error, str) else ""

    def _outcome_of(self, failure: Exception) -> Failure:
        status: int = self._answer.status
        if not status:
            trouble = connection_trouble(failure)
            # No answer and no connection: the environment names half of an identity, or a file that is not there.
            return Unavailable(service=Service.AZURE, why=trouble) if trouble else _NO_IDENTITY
        if status == 429:
            return Unavailable(service=Service.AZURE, why=Trouble.LIMITED)
        if status >= 500 or status == 410:
            return Unavailable(service=Service.AZURE, why=Trouble.FAULT, status=status)
        if status == 400 and self._answer.error == "invalid_request":  # no such identity on this machine
            return _NO_IDENTITY
        if status in (400, 401, 403):
            return Denied(what=Denial.PROOF, service=Service.AZURE)
        return Unavailable(service=Service.AZURE, why=Trouble.NOT_INFISICAL)
