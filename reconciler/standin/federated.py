"""Logins by what others vouch for: Kubernetes, OIDC and JWT.

The server has to ask the cluster or the issuer, so these handlers are generators of `Outbound` requests.
"""

import uuid
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import jwt
import msgspec

from adapters.infisical.transport import Answer
from reconciler.standin.accounts import DEFAULT_LIFETIME, Identity, Lifetimes
from reconciler.standin.calls import Call, Form
from reconciler.standin.outbound import Outbound
from reconciler.standin.refusals import Refused, Trouble
from reconciler.standin.sessions import granted, named_organization
from reconciler.standin.world import World

Reply = Mapping[str, object]
Asking = Generator[Outbound, Answer, Reply]

KUBERNETES, OIDC, JWT = "kubernetes-auth", "oidc-auth", "jwt-auth"
_TITLES = {
    KUBERNETES: ("Kubernetes", "Kubernetes auth"),
    OIDC: ("OIDC", "OIDC auth"),
    JWT: ("JWT", "JWT auth"),
    "azure-auth": ("Azure", "Azure Auth"),
    "gcp-auth": ("GCP", "GCP auth"),
    "aws-auth": ("AWS", "AWS auth"),
    "oci-auth": ("OCI", "OCI auth"),
}
_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "EdDSA"]


def configured(world: World, identity_id: str, method: str) -> tuple[Identity, dict[str, Any]]:
    """An identity that can log in so, and its settings of the method. Raises Refused."""
    try:
        uuid.UUID(identity_id)
    except ValueError:
        raise Refused(Trouble.IDENTITY_NOT_UUID) from None
    identity = world.accounts.identities.get(identity_id)
    settings = identity.settings.get(method) if identity else None
    if identity is None or settings is None:
        title, configured = _TITLES[method]
        raise Refused(Trouble.METHOD_ABSENT, method=title, configured=configured)
    return identity, settings


def grant(world: World, identity: Identity, settings: Mapping[str, Any], organization: str | None) -> Reply:
    """A token for the identity, with the ages that its settings of the method give."""
    lifetimes = Lifetimes(
        settings.get("accessTokenTTL", DEFAULT_LIFETIME),
        settings.get("accessTokenMaxTTL", DEFAULT_LIFETIME),
        settings.get("accessTokenNumUsesLimit", 0),
    )
    return granted(world, world.accounts.new_token(identity, lifetimes, organization))


def listed(text: str) -> list[str]:
    """The names in a text that separates them by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def log_in_by_kubernetes(world: World, call: Call) -> Asking:
    """A service account's token, which the cluster judges by a TokenReview. Raises Refused."""
    form = Form(call.body)
    identity_id, token = form.text("identityId"), form.text("jwt")
    organization = named_organization(world, form)
    identity, settings = configured(world, identity_id, KUBERNETES)
    review: dict[str, Any] = {"token": token}
    if settings.get("allowedAudience"):
        review["audiences"] = [settings["allowedAudience"]]
    answer = yield Outbound(
        "POST",
        f"{settings['kubernetesHost'].rstrip('/')}/apis/authentication.k8s.io/v1/tokenreviews",
        {
            "authorization": f"Bearer {settings.get('tokenReviewerJwt') or token}",
            "content-type": "application/json",
        },
        msgspec.json.encode(
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": review}
        ),
        settings.get("caCert", ""),
    )
    if answer.status >= 400:
        raise Refused(Trouble.REVIEW_REFUSED)
    status = _object(answer, Trouble.REVIEW_REFUSED).get("status", {})
    if not status.get("authenticated"):
        raise Refused(Trouble.REVIEW_TOKEN)
    # system:serviceaccount:<namespace>:<name>
    _, _, namespace, name = status["user"]["username"].split(":")
    namespaces, names = (listed(settings.get(key, "")) for key in ("allowedNamespaces", "allowedNames"))
    if namespaces and namespace not in namespaces:
        raise Refused(Trouble.REVIEW_NAMESPACE)
    if names and name not in names:
        raise Refused(Trouble.REVIEW_NAME)
    return grant(world, identity, settings, organization)


class _Words(msgspec.Struct, frozen=True):
    """By which troubles a method refuses what a token claims."""

    issuer: Trouble
    subject: Trouble
    audience: Trouble
    claim: Trouble


_OIDC_WORDS = _Words(Trouble.OIDC_ISSUER, Trouble.OIDC_SUBJECT, Trouble.OIDC_AUDIENCE, Trouble.OIDC_CLAIM)
_JWT_WORDS = _Words(Trouble.JWT_ISSUER, Trouble.JWT_SUBJECT, Trouble.JWT_AUDIENCE, Trouble.JWT_CLAIM)


def log_in_by_oidc(world: World, call: Call) -> Asking:
    """A token of an OpenID issuer, whose keys are found by discovery. Raises Refused."""
    form = Form(call.body)
    identity_id, token = form.text("identityId"), form.text("jwt")
    organization = named_organization(world, form)
    identity, settings = configured(world, identity_id, OIDC)
    kid = _key_id(token)
    issuer = settings["oidcDiscoveryUrl"].rstrip("/")
    discovered = yield Outbound("GET", f"{issuer}/.well-known/openid-configuration")
    keys = yield Outbound("GET", _object(discovered, Trouble.JWT_UNKNOWN_KEY).get("jwks_uri", ""))
    _judge(settings, _claims(world, token, [_pick(keys, kid)]), _OIDC_WORDS)
    return grant(world, identity, settings, organization)


def log_in_by_jwt(world: World, call: Call) -> Asking:
    """A token that a key of a key set, or a given key, has signed. Raises Refused."""
    form = Form(call.body)
    identity_id, token = form.text("identityId"), form.text("jwt")
    organization = named_organization(world, form)
    identity, settings = configured(world, identity_id, JWT)
    kid = _key_id(token)
    if settings.get("configurationType") == "static":
        keys: list[Any] = list(settings["publicKeys"])
    else:
        keys = [_pick((yield Outbound("GET", settings["jwksUrl"])), kid)]
    _judge(settings, _claims(world, token, keys), _JWT_WORDS)
    return grant(world, identity, settings, organization)


def _object(answer: Answer, trouble: Trouble) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except msgspec.DecodeError:
        raise Refused(trouble) from None


def _key_id(token: str) -> str | None:
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError:
        raise Refused(Trouble.JWT_UNREADABLE) from None
    return str(kid) if kid else None


def _pick(answer: Answer, kid: str | None) -> jwt.PyJWK:
    try:
        keys = jwt.PyJWKSet.from_json(answer.body.decode()).keys
    except (jwt.PyJWTError, ValueError):
        raise Refused(Trouble.JWT_UNKNOWN_KEY) from None
    found = next((key for key in keys if key.key_id == kid), None)
    if found is None:
        raise Refused(Trouble.JWT_UNKNOWN_KEY)
    return found


def _claims(world: World, token: str, keys: Sequence[Any]) -> Mapping[str, Any]:
    """What the token claims, if one of the keys signed it and it has not ended."""
    options: Any = {"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False}
    for key in keys:
        try:
            claims = jwt.decode(token, key, algorithms=_ALGORITHMS, options=options)
        except jwt.PyJWTError:
            continue
        if claims.get("exp") is not None and claims["exp"] <= world.now():
            raise Refused(Trouble.JWT_EXPIRED)
        return claims
    raise Refused(Trouble.JWT_FORGED)


def _judge(settings: Mapping[str, Any], claims: Mapping[str, Any], words: _Words) -> None:
    """Raises Refused unless issuer, subject, audience and further claims are those that the identity is bound to."""
    issuer, subject = settings.get("boundIssuer"), settings.get("boundSubject")
    if issuer and claims.get("iss") != issuer:
        raise Refused(words.issuer, issuer=issuer)
    if subject and claims.get("sub") != subject:
        raise Refused(words.subject)
    audiences = listed(settings.get("boundAudiences", ""))
    given = claims.get("aud", [])
    if audiences and not set(audiences) & set(given if isinstance(given, list) else [given]):
        raise Refused(words.audience)
    for name, wanted in settings.get("boundClaims", {}).items():
        if str(claims.get(name)) not in listed(wanted):
            raise Refused(words.claim, claim=name)
