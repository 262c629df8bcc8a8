"""Kubernetes Auth: the token of the service account under which the controller runs."""

from adapters.auth.credentials import Credentials
from adapters.auth.files import read_allowed
from adapters.auth.login import LoginRequest
from adapters.auth.settings import POD_TOKEN_FIELD, AuthSettings
from adapters.infisical.secret_text import SecretText
from machines.outcomes import Denied, Invalid, Missing, Thing

_PATH = POD_TOKEN_FIELD


class KubernetesAuth:
    """`AuthMethod` for the block `kubernetesAuthCredentials`."""

    def __init__(self, settings: AuthSettings) -> None:
        self._pod_token = settings.pod_token
        self._directories = settings.credential_directories

    async def login(self, credentials: Credentials) -> LoginRequest | Missing | Denied | Invalid:
        """The token of the file, read each time, because the cluster replaces it. The pod's own token may always be
        read; a file that a credential names, below the directories that the operator allows."""
        named = _PATH in credentials
        source = credentials.source(_PATH if named else "identityId")
        path = credentials.stripped(_PATH).reveal() if named else str(self._pod_token)
        own = path == str(self._pod_token)
        content = await read_allowed(source, path, (self._pod_token.parent,) if own else self._directories)
        if isinstance(content, Denied | Invalid) and not own:
            return content
        token = _token(content) if isinstance(content, bytes) else ""
        if not token:
            if named:
                return Missing(what=Thing.FILE, namespace=source.namespace, name=source.name, key=source.key)
            return Missing(what=Thing.FILE)
        fields = {"identityId": credentials.stripped("identityId"), "jwt": SecretText(token)}
        return LoginRequest("/v1/auth/kubernetes-auth/login", fields)


def _token(content: bytes) -> str:
    """The text of a token file; empty where it cannot be one."""
    try:
        return content.decode().strip()
    except UnicodeDecodeError:
        return ""
