"""GCP on loopback: the metadata server of a machine, the authorization server and the IAM credentials API."""

import functools
import json
from collections.abc import Mapping
from typing import Any

import jwt
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.standin import StandIn
from tests.clouds.endpoint import Endpoint

ACCOUNT = "reconciler@project-one.iam.gserviceaccount.com"
PROJECT, ZONE = "project-one", "europe-west3-a"
CANARY = "canary-gcp-token"
"""Is in each token's header, and so in its text."""
ACCESS_TOKEN = "canary-gcp-access-token"
API_AUDIENCE = "https://iamcredentials.googleapis.com/"
GRANT_AUDIENCE = "https://oauth2.googleapis.com/token"
"""Whatever the address of the authorization server is."""
_KID, _SYSTEM_KID = "key-of-the-file", "key-of-the-system"
_FLAVOR = {"Metadata-Flavor": "Google"}


@functools.cache
def _key(name: str) -> rsa.RSAPrivateKey:
    del name
    return rsa.generate_private_key(65537, 2048)


def pem(name: str) -> str:
    """A private key of this name."""
    form = serialization.NoEncryption()
    text = _key(name).private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, form)
    return text.decode()


def _key_set(name: str, kid: str) -> Mapping[str, Any]:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_key(name).public_key()))
    return {"keys": [{**public, "kid": kid, "alg": "RS256"}]}


class GcpEndpoints(Endpoint):
    """Gives tokens by which the stand-in knows a machine, or the service account of a key file.

    `claims`: what tokens claim in place of what is right. `status`: the metadata server refuses so. `unmarked`: answers
    are not the metadata server's. `only_exchanged`: the API takes no proof but an access token.
    """

    def __init__(self, server: StandIn) -> None:
        super().__init__()
        self._server = server
        self.claims: dict[str, object] = {}
        self.tokens: list[str] = []
        self.status = 200
        self.unmarked = self.only_exchanged = False
        self.permitted = True
        self.lifetime = 3600
        server.clouds.google_keys = _key_set("google", _KID)
        server.clouds.gcp_service_accounts[ACCOUNT] = _key_set("system", _SYSTEM_KID)

    def key_file(self, **changes: object) -> str:
        """The content of the service account's key file."""
        content = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": _KID,
            "private_key": pem("file"),
            "client_email": ACCOUNT,
            "client_id": "1",
            "token_uri": f"{self.url}/token",
            **changes,
        }
        return json.dumps({name: value for name, value in content.items() if value is not None})

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """By path: the metadata, `/token` of the authorization server, or `signJwt`."""
        if request.path == "/computeMetadata/v1/instance/service-accounts/default/identity":
            return self._identity(request)
        if (request.method, request.path) == ("POST", "/token"):
            return self._exchanged({name: str(text) for name, text in (await request.post()).items()})
        if (request.method, request.path) == (
            "POST",
            f"/v1/projects/-/serviceAccounts/{ACCOUNT}:signJwt",
        ):
            return self._signed(request, await request.json())
        return web.Response(status=404)

    def _identity(self, request: web.BaseRequest) -> web.Response:
        headers = {} if self.unmarked else _FLAVOR
        if self.status != 200:
            return web.Response(status=self.status, headers=headers, text="<html>who are you?</html>")
        right = request.method == "GET" and request.headers.get("metadata-flavor") == "Google"
        if not right or "x-forwarded-for" in request.headers:
            return web.Response(status=403, headers=headers)
        if set(request.query) != {"audience", "format"} or request.query["format"] != "full":
            return web.Response(status=400, headers=headers)
        machine = {"project_id": PROJECT, "zone": ZONE, "instance_id": "1", "instance_name": "node"}
        claims = {
            "aud": request.query["audience"],
            "iss": "https://accounts.google.com",
            "email": ACCOUNT,
            "google": {"compute_engine": machine},
            "exp": int(self._server.now()) + self.lifetime,
        }
        return web.Response(text=self._token(claims, "google", _KID), headers=headers)

    def _token(self, claims: Mapping[str, object], key: str, kid: str) -> str:
        text = jwt.encode(
            {**claims, **self.claims}, _key(key), algorithm="RS256", headers={"kid": kid, "x": CANARY}
        )
        self.tokens.append(text)
        return text

    def _is_proof(self, token: str, audience: str) -> bool:
        """Whether the key of the file made it for this audience, not long ago."""
        try:
            if jwt.get_unverified_header(token).get("kid") != _KID:
                return False
            claims = jwt.decode(token, _key("file").public_key(), algorithms=["RS256"], audience=audience)
        except jwt.PyJWTError:
            return False
        return bool(claims["iss"] == ACCOUNT and claims["exp"] <= claims["iat"] + 3600)

    def _exchanged(self, form: Mapping[str, str]) -> web.Response:
        right = form.get("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        if not right or not self._is_proof(form.get("assertion", ""), GRANT_AUDIENCE):
            return _json({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        return _json({"access_token": ACCESS_TOKEN, "expires_in": 3600, "token_type": "Bearer"})

    def _signed(self, request: web.BaseRequest, content: Mapping[str, str]) -> web.Response:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        proven = self._is_proof(bearer, API_AUDIENCE) and not self.only_exchanged
        if scheme != "Bearer" or not (proven or bearer == ACCESS_TOKEN):
            return _json({"error": {"code": 401, "status": "UNAUTHENTICATED"}}, 401)
        if not self.permitted:
            return _json({"error": {"code": 403, "status": "PERMISSION_DENIED"}}, 403)
        claims = json.loads(content["payload"])
        if not self._server.now() < claims["exp"] <= self._server.now() + 12 * 3600:
            return _json({"error": {"code": 400, "status": "INVALID_ARGUMENT"}}, 400)
        token = self._token(claims, "system", _SYSTEM_KID)
        return _json({"keyId": _SYSTEM_KID, "signedJwt": token})


def _json(content: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(content), content_type="application/json")
