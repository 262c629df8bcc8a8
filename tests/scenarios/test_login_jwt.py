"""JWT Auth against a server that verifies the token by the issuer's key set."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.cluster import Object
from adapters.resources.kinds import SECRET
from reconciler.standin import Age
from tests.scenarios.logins import documented, fails, machine, serves
from tests.scenarios.scene import Scene

ISSUER, SUBJECT, AUDIENCE = "https://issuer.example.com", "build-17", "infisical"


class Issuer:
    """Signs tokens, and serves the keys by which others verify them."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.url = ""

    def token(self, **claims: Any) -> str:
        """A token of the subject, good for a minute unless the claims say otherwise."""
        usual = {"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "exp": int(time.time()) + 60}
        return jwt.encode(usual | claims, self._key, algorithm="RS256", headers={"kid": "one"})

    async def keys(self, request: web.BaseRequest) -> web.StreamResponse:
        """The key set."""
        del request
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        return web.json_response({"keys": [public | {"kid": "one", "alg": "RS256", "use": "sig"}]})


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """An issuer whose keys are served on loopback."""
    issuer = Issuer()
    runner = web.ServerRunner(web.Server(issuer.keys))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    issuer.url = f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
    yield issuer
    await runner.cleanup()


def manifests(scene: Scene, issuer: Issuer, token: str) -> tuple[Object, Object]:
    """Secret and store of an identity that is bound to the issuer, its subject and its audience."""
    bound = {"boundIssuer": ISSUER, "boundSubject": SUBJECT, "boundAudiences": AUDIENCE}
    settings = {"configurationType": "jwks", "jwksUrl": issuer.url, **bound}
    identity = machine(scene, "jwt-auth", settings)
    return documented(scene, "store-jwt-auth", {"identityId": identity.id, "jwt": token})


@pytest.mark.statement("S31", "S32")
@pytest.mark.parametrize("age", [Age.CURRENT, Age.YEAR_2025])
async def test_token_of_any_issuer_logs_in(scene: Scene, issuer: Issuer) -> None:
    """As it is, less the line end of the file that it came from."""
    await serves(scene, *manifests(scene, issuer, issuer.token() + "\n"))


@pytest.mark.parametrize(
    "claims",
    [{"exp": 1_700_000_000}, {"iss": "https://other.example.com"}, {"sub": "build-18"}, {"aud": "other"}],
    ids=["expired", "other issuer", "other subject", "other audience"],
)
async def test_token_that_the_identity_is_not_bound_to_is_refused(
    scene: Scene, issuer: Issuer, claims: dict[str, Any]
) -> None:
    """The controller does not look into it: the server says no, and the condition what to check."""
    await fails(
        scene,
        *manifests(scene, issuer, issuer.token(**claims)),
        "refuses the credentials: check the Secret that the store's auth block names",
    )


@pytest.mark.statement("S32")
@pytest.mark.parametrize("token", ["no-token-at-all", "a.b.c"])
async def test_what_is_no_token_is_passed_on_unread_too(scene: Scene, issuer: Issuer, token: str) -> None:
    await fails(scene, *manifests(scene, issuer, token), "refuses the credentials")
    assert scene.requests()["login"] >= 1


async def test_renewed_token_is_used_at_once(scene: Scene, issuer: Issuer) -> None:
    """A pipeline that puts a fresh token into the Secret needs no restart."""
    secret, store = manifests(scene, issuer, issuer.token(exp=1_700_000_000))
    await fails(scene, secret, store, "refuses the credentials")
    await scene.apply(secret | {"stringData": secret["stringData"] | {"jwt": issuer.token()}})
    await scene.store_ready()


@pytest.mark.parametrize("age", [Age.YEAR_2024])
async def test_server_that_is_too_old_is_told(scene: Scene, issuer: Issuer) -> None:
    """It does not know the method."""
    await fails(scene, *manifests(scene, issuer, issuer.token()), "does not know the request")


@pytest.mark.parametrize("field", ["identityId", "jwt"])
async def test_missing_credentials_are_named(scene: Scene, issuer: Issuer, field: str) -> None:
    """The Secret, the key, and an empty value; nothing is asked of the server."""
    secret, store = manifests(scene, issuer, issuer.token())
    whole = dict(secret["stringData"])
    place = f"{scene.namespace}/jwt-auth-credentials"
    del secret["stringData"][field]
    await fails(scene, secret, store, f'Secret {place} with the credentials has no key "{field}"')
    await scene.apply(secret | {"stringData": whole | {field: "\n"}})
    await scene.store_ready(status="False", said=f'the credential "{field}" in Secret {place} is empty')
    await scene.delete(SECRET, "jwt-auth-credentials")
    await scene.store_ready(status="False", said=f"the Secret {place} with the credentials does not exist")
    assert not scene.requests()
    await scene.apply(secret | {"stringData": whole})
    await scene.store_ready()
