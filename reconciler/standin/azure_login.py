"""Logins by Azure: an access token, judged by the keys, the tenant and the audience that an identity is bound to."""

from collections.abc import Mapping
from typing import Any

import jwt

from reconciler.standin.calls import Call, Form
from reconciler.standin.federated import Reply, configured, grant, listed
from reconciler.standin.refusals import Refused, Trouble
from reconciler.standin.sessions import named_organization
from reconciler.standin.world import World

METHOD = "azure-auth"


def log_in(world: World, call: Call) -> Reply:
    """A token of a managed or workload identity. Raises Refused."""
    form = Form(call.body)
    identity_id, token = form.text("identityId"), form.text("jwt")
    organization = named_organization(world, form)
    identity, settings = configured(world, identity_id, METHOD)
    claims = _claims(world, settings["tenantId"], settings["resource"], token)
    if claims.get("tid") != settings["tenantId"]:
        raise Refused(Trouble.AZURE_TENANT)
    allowed = listed(settings.get("allowedServicePrincipalIds", ""))
    principal = str(claims.get("oid", ""))
    if allowed and principal not in allowed:
        raise Refused(Trouble.AZURE_PRINCIPAL, principal=principal)
    return grant(world, identity, settings, organization)


def _claims(world: World, tenant: str, resource: str, token: str) -> Mapping[str, Any]:
    """What the token claims, if a key of the tenant signed it, for this resource. Raises Refused."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        audience = str(jwt.decode(token, options={"verify_signature": False}).get("aud", ""))
    except jwt.PyJWTError:
        raise Refused(Trouble.PROOF_UNREADABLE) from None
    known = world.clouds.azure_tenants.get(tenant, {"keys": []})["keys"]
    key = next((jwt.PyJWK(one) for one in known if one["kid"] == kid), None)
    if key is None:
        raise Refused(Trouble.AZURE_KEY)
    options: Any = {"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False}
    try:
        claims = jwt.decode(token, key, algorithms=["RS256"], options=options)
    except jwt.PyJWTError:
        raise Refused(Trouble.TOKEN_FORGED) from None
    if claims.get("exp", 0) <= world.now():
        raise Refused(Trouble.TOKEN_EXPIRED)
    # The server forgives a slash that only the configured resource has, not one that only the token has.
    wanted = resource if audience.endswith("/") else resource.removesuffix("/")
    if audience != wanted:
        raise Refused(Trouble.AZURE_AUDIENCE, audience=wanted)
    issuer = f"https://sts.windows.net/{tenant}/"
    if claims.get("iss") != issuer:
        raise Refused(Trouble.AZURE_ISSUER, issuer=issuer)
    return claims
