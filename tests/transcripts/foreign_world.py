"""The issuer of tokens and the cluster that recorded logins relied on, and the tokens that they were shown."""

import json
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)

from adapters.infisical.transport import Answer
from reconciler.standin.outbound import Outbound

ISSUER = "https://issuer.test"
_SUBJECT = "system:serviceaccount:default:app"
_GOOD = {"iss": ISSUER, "sub": _SUBJECT, "aud": "infisical", "team": "core"}

# What a token claims besides, by the step that shows it.
_CLAIMS: dict[str, dict[str, Any]] = {
    "claim": {"team": "other"},
    "audience": {"aud": "somebody-else"},
    "subject": {"sub": "system:serviceaccount:default:other"},
    "issuer": {"iss": "https://another.test"},
    "expired": {"exp": 1},
    "namespace": {"sub": "system:serviceaccount:other:app"},
    "name": {"sub": "system:serviceaccount:default:other"},
    "unknown": {"cluster": "does not know it"},
    "refused": {"cluster": "refuses to review"},
}


@cache
def _key(name: str) -> EllipticCurvePrivateKey:
    del name
    return generate_private_key(SECP256R1())


def token(step: str) -> str:
    """The token that the step of that name shows."""
    signer = "other" if step in ("signature", "unknown-key") else "known"
    kid = "unknown" if step == "unknown-key" else "known"
    claims = _GOOD | _CLAIMS.get(step, {})
    return jwt.encode(claims, _key(signer), algorithm="ES256", headers={"kid": kid})


def answer(outbound: Outbound) -> Answer:
    """What issuer and cluster say to the server. Raises LookupError for what they do not know."""
    if outbound.url == f"{ISSUER}/.well-known/openid-configuration":
        return _json(200, {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"})
    if outbound.url == f"{ISSUER}/keys":
        key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(_key("known").public_key()))
        return _json(200, {"keys": [key | {"kid": "known", "alg": "ES256", "use": "sig"}]})
    if outbound.url == f"{ISSUER}/apis/authentication.k8s.io/v1/tokenreviews":
        return _review(json.loads(outbound.body or b"{}")["spec"]["token"])
    raise LookupError(outbound.url)


def _review(shown: str) -> Answer:
    try:
        claims = jwt.decode(shown, _key("known").public_key(), algorithms=["ES256"], audience="infisical")
    except jwt.PyJWTError:
        claims = {"cluster": "does not know it"}
    if claims.get("cluster") == "refuses to review":
        return _json(403, {"kind": "Status", "message": "tokenreviews is forbidden", "code": 403})
    if "cluster" in claims:
        return _json(201, {"status": {"authenticated": False, "error": "invalid bearer token"}})
    return _json(201, {"status": {"authenticated": True, "user": {"username": claims["sub"]}}})


def _json(status: int, body: object) -> Answer:
    return Answer(status=status, headers={"content-type": "application/json"}, body=json.dumps(body).encode())
