"""Logins by a directory: whether it takes the user's password, another has to find out, by a real bind."""

from collections.abc import Mapping

from reconciler.standin.accounts import DEFAULT_LIFETIME, Lifetimes
from reconciler.standin.calls import Call, Form
from reconciler.standin.refusals import Refused, Trouble
from reconciler.standin.sessions import granted, named_organization
from reconciler.standin.world import World

LDAP = "ldap-auth"


def log_in_by_ldap(world: World, call: Call) -> Mapping[str, object]:
    """User name and password of a directory account. Says the same to everything that is wrong. Raises Refused."""
    form = Form(call.body)
    identity_id, username, password = (form.text(name) for name in ("identityId", "username", "password"))
    if form.issues:
        raise Refused(Trouble.WRONG_CREDENTIALS)
    organization = named_organization(world, form)
    identity = world.accounts.identities.get(identity_id)
    settings = identity.settings.get(LDAP) if identity else None
    directory = world.options.directory
    # A bind without a password is an anonymous one, which succeeds and proves nothing.
    if identity is None or settings is None or directory is None or not username or not password:
        raise Refused(Trouble.WRONG_CREDENTIALS)
    if not directory(settings, username, password):
        raise Refused(Trouble.WRONG_CREDENTIALS)
    lifetimes = Lifetimes(
        settings.get("accessTokenTTL", DEFAULT_LIFETIME),
        settings.get("accessTokenMaxTTL", DEFAULT_LIFETIME),
        settings.get("accessTokenNumUsesLimit", 0),
    )
    return granted(world, world.accounts.new_token(identity, lifetimes, organization))
