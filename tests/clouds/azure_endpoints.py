"""Azure on loopback: the instance's metadata, App Service's endpoint, and the authority of workload identities."""

import functools
import json
from typing import Any

import jwt
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.standin import StandIn
from tests.clouds.endpoint import Endpoint

TENANT = "11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
PRINCIPAL = "22222222-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
USER_ASSIGNED = "33333333-cccc-4ccc-8ccc-cccccccccccc"
"""The client ID of the second identity."""
FEDERATED_TOKEN, APP_SERVICE_SECRET = "canary-azure-federated-token", "canary-azure-app-service"
CANARY = "canary-azure-access-token"
"""Is in each token's header, and so in its text."""
RESOURCES = (
    "https://management.azure.com/",
    "https://vault.azure.net",
    "api://infisical/",
    "api://infisical",
)
_KID = "key-1"


@functools.cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


class AzureEndpoints(Endpoint):
    """Gives access tokens of a tenant whose keys the stand-in knows. `scopes` and `resources` are what was asked for."""

    def __init__(self, server: StandIn, tls: Any = None) -> None:
        super().__init__(tls)
        self._server = server
        self.resources: list[str] = []
        self.scopes: list[str] = []
        self.tokens: list[str] = []
        self.has_identity = True
        self.lifetime = 86400
        """Seconds, of the tokens."""
        self.claims: dict[str, object] = {}
        """Claims that tokens have in place of the right ones."""
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_key().public_key()))
        server.clouds.azure_tenants[TENANT] = {"keys": [{**public, "kid": _KID, "alg": "RS256"}]}

    def token(self, audience: str, principal: str = PRINCIPAL) -> str:
        """A token of this tenant."""
        now = int(self._server.now())
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{TENANT}/",
            "tid": TENANT,
            "oid": principal,
            "exp": now + self.lifetime,
            **self.claims,
        }
        text = jwt.encode(claims, _key(), algorithm="RS256", headers={"kid": _KID, "x": CANARY})
        self.tokens.append(text)
        return text

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """By path: the instance's metadata, `/msi/token` of App Service, or the authority."""
        if request.path == "/metadata/identity/oauth2/token":
            return self._metadata(request)
        if request.path == "/msi/token":
            right = request.headers.get("x-identity-header") == APP_SERVICE_SECRET
            if not right or request.query.get("api-version") != "2019-08-01":
                return _json({"statusCode": 401, "message": "no"}, 401)
            return self._given(request.query.get("resource", ""), PRINCIPAL)
        if (request.method, request.path) == ("POST", f"/{TENANT}/oauth2/v2.0/token"):
            return self._exchanged(await _form(request))
        return web.Response(status=404)

    def _metadata(self, request: web.BaseRequest) -> web.Response:
        right = request.headers.get("metadata") == "true" and "x-forwarded-for" not in request.headers
        if not right or request.query.get("api-version") != "2018-02-01":
            return _json({"error": "bad_request_102", "error_description": "Required metadata header"}, 400)
        client_id = request.query.get("client_id")
        if not self.has_identity or client_id not in (None, USER_ASSIGNED):
            return _json({"error": "invalid_request", "error_description": "Identity not found"}, 400)
        return self._given(request.query.get("resource", ""), client_id or PRINCIPAL)

    def _given(self, resource: str, principal: str) -> web.Response:
        self.resources.append(resource)
        if resource not in RESOURCES:
            return _json({"error": "invalid_resource", "error_description": "AADSTS500011"}, 400)
        end = int(self._server.now()) + self.lifetime
        token = self.token(resource, principal)
        return _json(
            {
                "access_token": token,
                "expires_in": str(self.lifetime),
                "expires_on": str(end),
                "resource": resource,
                "token_type": "Bearer",
            }
        )

    def _exchanged(self, form: dict[str, str]) -> web.Response:
        right = {
            "client_id": USER_ASSIGNED,
            "client_assertion": FEDERATED_TOKEN,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "grant_type": "client_credentials",
        }
        if any(form.get(name) != value for name, value in right.items()):
            return _json({"error": "invalid_client", "error_description": "AADSTS700211"}, 401)
        self.scopes.append(form["scope"])
        token = self.token(form["scope"].removesuffix("/.default"), USER_ASSIGNED)
        return _json({"access_token": token, "expires_in": self.lifetime, "token_type": "Bearer"})


async def _form(request: web.BaseRequest) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.post()).items()}


def _json(content: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(content), content_type="application/json")
