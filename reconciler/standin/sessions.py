"""Universal auth, renewal and revocation of tokens."""

from collections.abc import Mapping

from reconciler.standin.accounts import Token
from reconciler.standin.calls import Call, Form
from reconciler.standin.refusals import Refused, Trouble
from reconciler.standin.world import World


def granted(world: World, token: Token) -> Mapping[str, object]:
    """What a login answers."""
    return {
        "accessToken": world.accounts.signed(token),
        "expiresIn": token.lifetimes.ttl,
        "accessTokenMaxTTL": token.lifetimes.max_ttl,
        "tokenType": "Bearer",
    }


def named_organization(world: World, form: Form) -> str | None:
    """The organisation that a login names, on servers that look at it. Raises Refused for one that is not there."""
    slug = form.optional_text("organizationSlug") if world.dialect.organization_slugs else None
    form.check()
    if slug and slug not in world.organizations:
        raise Refused(Trouble.UNKNOWN_ORGANIZATION, slug=slug)
    return slug


def log_in(world: World, call: Call) -> Mapping[str, object]:
    """Universal auth: client id and client secret. Raises Refused."""
    form = Form(call.body)
    client_id, client_secret = form.text("clientId"), form.text("clientSecret")
    organization = named_organization(world, form)
    return granted(world, world.accounts.log_in(client_id, client_secret, organization))


def renew(world: World, call: Call) -> Mapping[str, object]:
    """Prolong a token. Raises Refused."""
    form = Form(call.body)
    text = form.text("accessToken")
    form.check()
    return granted(world, world.accounts.renew(text))


def revoke(world: World, call: Call) -> Mapping[str, object]:
    """End a token. Raises Refused."""
    form = Form(call.body)
    text = form.text("accessToken")
    form.check()
    world.accounts.revoke(text)
    return {"message": "Successfully revoked access token"}
