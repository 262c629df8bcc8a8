"""Logins by OCI: the signed request that a client sends is judged here as OCI's identity service would judge it."""

import base64
import email.utils
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from reconciler.standin.ages import Age
from reconciler.standin.calls import Call, Form
from reconciler.standin.cloud_accounts import OciKey
from reconciler.standin.federated import Reply, configured, grant, listed
from reconciler.standin.refusals import Issue, Refused, Trouble
from reconciler.standin.sessions import named_organization
from reconciler.standin.world import World

METHOD = "oci-auth"
_SKEW = 5 * 60.0  # seconds by which the clock of whoever signed may differ
_HOST = re.compile(r"identity\.[a-z]{2}-[a-z]+-[1-9]\.oraclecloud\.com")
_AUTHORIZATION = re.compile(
    r'Signature algorithm="rsa-sha256",headers="(?P<names>[a-z ()-]+)",keyId="(?P<key>[^"]+)",'
    r'signature="(?P<signature>[A-Za-z0-9+/=]+)",version="1"'
)
_DATES = ("date", "x-date")


def log_in(world: World, call: Call) -> Reply:
    """A request for a user's own record, signed by that user's key. Raises Refused."""
    form = Form(call.body)
    identity_id, user = form.text("identityId"), form.text("userOcid")
    headers = _headers(world, form)
    organization = named_organization(world, form)
    identity, settings = configured(world, identity_id, METHOD)
    if not _HOST.fullmatch(headers["host"]):
        raise Refused(Trouble.OCI_HOST)
    caller = _caller(world, user, headers)
    if caller.tenancy != settings["tenancyOcid"]:
        raise Refused(Trouble.OCI_TENANCY)
    allowed = listed(settings.get("allowedUsernames", ""))
    if allowed and caller.name not in allowed:
        raise Refused(Trouble.OCI_USERNAME)
    return grant(world, identity, settings, organization)


def _headers(world: World, form: Form) -> dict[str, str]:
    """The headers that this server passes on: it drops all that it does not know."""
    if "headers" not in form.everything:
        form.issues.append(Issue("invalid_type", ("headers",), "Required"))
        return {}
    given = Form(form.everything["headers"], ("headers",))
    headers = {name: given.text(name) for name in ("authorization", "host")}
    if world.age is Age.YEAR_2025:
        headers["x-date"] = given.text("x-date")
    else:
        headers |= {name: text for name in _DATES if (text := given.optional_text(name))}
    form.issues += given.issues
    return headers


def _caller(world: World, user: str, headers: Mapping[str, str]) -> OciKey:
    """Whose key signed the request, as OCI would find. Raises Refused."""
    found = _AUTHORIZATION.fullmatch(headers["authorization"])
    key = world.clouds.oci_keys.get(found["key"]) if found else None
    if found is None or key is None or key.user != user:
        raise Refused(Trouble.OCI_REFUSED)
    names = found["names"].split(" ")
    dates = [name for name in _DATES if name in names]
    complete = dates and {"(request-target)", "host"} <= set(names) <= {*headers, "(request-target)"}
    if not complete or not _in_time(world, headers[dates[-1]]):
        raise Refused(Trouble.OCI_REFUSED)
    shown = {**headers, "(request-target)": f"get /20160918/users/{user}"}
    text = "\n".join(f"{name}: {shown[name]}" for name in names)
    public = load_pem_public_key(key.public_key.encode())
    assert isinstance(public, rsa.RSAPublicKey)
    try:
        public.verify(base64.b64decode(found["signature"]), text.encode(), padding.PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        raise Refused(Trouble.OCI_REFUSED) from None
    return key


def _in_time(world: World, date: str) -> bool:
    try:
        return abs(world.now() - email.utils.parsedate_to_datetime(date).timestamp()) <= _SKEW
    except ValueError:
        return False
