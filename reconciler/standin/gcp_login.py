"""Logins by GCP: tokens of Google for a machine, or of a service account, judged by the keys of whoever signed."""

from collections.abc import Mapping
from typing import Any

import jwt

from reconciler.standin.calls import Call, Form
from reconciler.standin.federated import Reply, configured, grant, listed
from reconciler.standin.refusals import Refused, Trouble
from reconciler.standin.sessions import named_organization
from reconciler.standin.world import World

METHOD = "gcp-auth"
_ISSUER = "https://accounts.google.com"


def log_in(world: World, call: Call) -> Reply:
    """A token of either type, `gce` or `iam`, as the identity is configured. Raises Refused."""
    form = Form(call.body)
    identity_id, token = form.text("identityId"), form.text("jwt")
    organization = named_organization(world, form)
    identity, settings = configured(world, identity_id, METHOD)
    of_machine = settings["type"] == "gce"
    if of_machine:
        claims = _identity_claims(world, token, identity_id)
        email, machine = claims["email"], claims.get("google", {}).get("compute_engine")
    else:
        email, machine = _account(world, token, identity_id), None
    _check(settings, "allowedServiceAccounts", email, Trouble.GCP_ACCOUNT)
    if machine:
        _check(settings, "allowedProjects", machine["project_id"], Trouble.GCP_PROJECT)
        _check(settings, "allowedZones", machine["zone"], Trouble.GCP_ZONE)
    return grant(world, identity, settings, organization)


def _check(settings: Mapping[str, Any], name: str, given: str, trouble: Trouble) -> None:
    allowed = listed(settings.get(name, ""))
    if allowed and given not in allowed:
        raise Refused(trouble)


def _identity_claims(world: World, token: str, audience: str) -> Mapping[str, Any]:
    """What an identity token claims, if Google signed it for this audience and it has not ended."""
    try:
        claims = _verified(token, world.clouds.google_keys)
    except jwt.PyJWTError:
        raise Refused(Trouble.GCP_REFUSED) from None
    right = (claims.get("aud"), claims.get("iss")) == (audience, _ISSUER)
    if not right or not claims.get("email") or claims.get("exp", 0) <= world.now():
        raise Refused(Trouble.GCP_REFUSED)
    return claims


def _account(world: World, token: str, audience: str) -> str:
    """The e-mail address of the service account that signed the token itself, for this audience."""
    try:
        account = str(jwt.decode(token, options={"verify_signature": False}).get("sub"))
    except jwt.PyJWTError:
        raise Refused(Trouble.PROOF_UNREADABLE) from None
    keys = world.clouds.gcp_service_accounts.get(account)
    if keys is None:
        raise Refused(Trouble.GCP_REFUSED)
    try:
        claims = _verified(token, keys)
    except jwt.PyJWTError:
        raise Refused(Trouble.TOKEN_FORGED) from None
    if claims.get("exp", 0) <= world.now():
        raise Refused(Trouble.TOKEN_EXPIRED)
    if claims.get("aud") != audience:
        raise Refused(Trouble.GCP_AUDIENCE)
    return account


def _verified(token: str, keys: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claims of a token that a key of the set has signed. Raises PyJWTError."""
    kid = jwt.get_unverified_header(token).get("kid")
    key = next((jwt.PyJWK(one) for one in keys.get("keys", ()) if one["kid"] == kid), None)
    if key is None:
        raise jwt.InvalidKeyError("no such key")
    options: Any = {"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False}
    claims: Mapping[str, Any] = jwt.decode(token, key, algorithms=["RS256"], options=options)
    return claims
