"""GCP IAM Auth: a token that Google's IAM credentials API signs in the name of the service account of a key file.

google-auth proves to the API who asks, and is imported when a store first logs in so.
"""

import datetime
import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from adapters.auth.blocking import in_thread
from adapters.auth.credentials import Credentials, fault
from adapters.auth.files import read_allowed
from adapters.auth.gcp_id_token import ROUTE, is_jwt
from adapters.auth.gcp_transport import NoAnswer, Transport, outcome_of
from adapters.auth.login import Login, LoginRequest
from adapters.auth.settings import GCP_IAM_CREDENTIALS, AuthSettings
from adapters.infisical.secret_text import SecretText
from machines.outcomes import Denied, Fault, Service, Trouble, Unavailable

_PATH: Final = "serviceAccountKeyFilePath"
_LIFETIME: Final = 600  # seconds, of the token and of what proves who asks for it
_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_EMAIL: Final = re.compile(r"[^@\s/]+@[^@\s/]+")
KeyFile = Mapping[str, str]


class GcpIamAuth:
    """`AuthMethod` for the block `gcpIamAuthCredentials`."""

    def __init__(self, settings: AuthSettings) -> None:
        self._directories = settings.credential_directories
        self._api = settings.gcp_iam_credentials

    async def login(self, credentials: Credentials) -> Login:
        """The identity, and a token that is meant for it alone. The key file is read each time: it may have been replaced."""
        source, identity = credentials.source(_PATH), credentials.stripped("identityId")
        content = await read_allowed(source, credentials.stripped(_PATH).reveal(), self._directories)
        if not isinstance(content, bytes):
            return content
        key = _key_file(content)
        try:
            token = await in_thread(lambda: self._token(key, identity.reveal())) if key else None
        except TimeoutError:
            return Unavailable(service=Service.GCP_IAM, why=Trouble.TIMED_OUT)
        if token is None:
            return fault(Fault.BAD_KEY_FILE, source)
        if not isinstance(token, SecretText):
            return token
        return LoginRequest(ROUTE, {"identityId": identity, "jwt": token})

    def _token(self, key: KeyFile, audience: str) -> SecretText | Denied | Unavailable | None:
        """A token of the key file's account, for this audience; None: the file holds no key. Blocks."""
        from google.auth.jwt import Credentials as SelfSigned

        try:
            proof = SelfSigned.from_service_account_info(  # type: ignore[no-untyped-call]
                key, audience=f"{GCP_IAM_CREDENTIALS}/", token_lifetime=_LIFETIME
            )
            proof.refresh(None)
        except Exception:  # noqa: BLE001 - nobody was asked yet, so it is the file
            return None
        claims = {
            "sub": key["client_email"],
            "aud": audience,
            "exp": int(proof.expiry.replace(tzinfo=datetime.UTC).timestamp()),
        }
        try:
            return self._signed(Transport(proxies=True), key, proof.token.decode(), claims)
        except Exception as failure:  # noqa: BLE001 - the SDK may raise anything, and all of it is told
            return outcome_of(failure, Service.GCP_IAM)

    def _signed(
        self, transport: Transport, key: KeyFile, proof: str, claims: Mapping[str, object]
    ) -> SecretText:
        """The claims, signed. Google's API takes the account's own proof; what stands in front of it for others may take
        nothing but an access token of the authorization server that the key file names."""
        try:
            return self._sign(transport, key, proof, claims)
        except NoAnswer as refusal:
            if refusal.status != 401 or "token_uri" not in key:
                raise
        return self._sign(transport, key, _access_token(transport, key), claims)

    def _sign(
        self, transport: Transport, key: KeyFile, bearer: str, claims: Mapping[str, object]
    ) -> SecretText:
        account = quote(key["client_email"], safe="@")
        answer = transport(
            f"{self._api}/v1/projects/-/serviceAccounts/{account}:signJwt",
            "POST",
            json.dumps({"payload": json.dumps(claims)}).encode(),
            {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"},
        )
        content = json.loads(answer.data)
        token = content.get("signedJwt") if isinstance(content, dict) else None
        if not is_jwt(token):
            raise NoAnswer(200)
        return SecretText(token)


def _access_token(transport: Transport, key: KeyFile) -> str:
    from google.oauth2.service_account import Credentials as Exchanging

    account = Exchanging.from_service_account_info(key, scopes=_SCOPES)  # type: ignore[no-untyped-call]
    account.refresh(transport)
    return str(account.token)


def _key_file(content: bytes) -> KeyFile | None:
    """What a key file of a service account says; None: it is none. Files for other ways to log in to Google are not
    taken, for they can name programs to run and addresses to ask."""
    try:
        key = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(key, dict) or key.get("type") != "service_account":
        return None
    texts = {name: text for name, text in key.items() if isinstance(text, str)}
    if not _EMAIL.fullmatch(texts.get("client_email", "")) or not _may_be_asked(texts.get("token_uri")):
        return None
    return texts


def _may_be_asked(address: str | None) -> bool:
    """Whether the authorization server is one to which a proof may be sent: behind TLS, or on this machine."""
    if address is None:
        return True
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)))
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
