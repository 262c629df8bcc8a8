"""Logins by AWS: the signed request that a client sends is judged here as AWS's STS would judge it."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from reconciler.standin.calls import Call, Form
from reconciler.standin.cloud_accounts import AwsKey
from reconciler.standin.federated import Reply, configured, grant, listed
from reconciler.standin.refusals import Refused, Trouble
from reconciler.standin.sessions import named_organization
from reconciler.standin.world import World

METHOD = "aws-auth"
_SKEW = 15 * 60.0  # seconds by which the clock of whoever signed may differ
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>\w+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]{1,20})/sts/aws4_request, "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


def log_in(world: World, call: Call) -> Reply:
    """A request to STS that proves whose it is. Raises Refused."""
    form = Form(call.body)
    identity_id, body_text, headers_text = (
        form.text("identityId"),
        form.text("iamRequestBody"),
        form.text("iamRequestHeaders"),
    )
    method = form.optional_text("iamHttpRequestMethod") or "POST"
    organization = named_organization(world, form)
    identity, settings = configured(world, identity_id, METHOD)
    arn = _caller(world, method, _decoded(body_text), _headers(_decoded(headers_text)))
    account = arn.split(":")[4]
    accounts, arns = (
        listed(settings.get(name, "")) for name in ("allowedAccountIds", "allowedPrincipalArns")
    )
    if accounts and account not in accounts:
        raise Refused(Trouble.AWS_ACCOUNT)
    if arns and not any(_covers(pattern, name) for pattern in arns for name in (arn, _role(arn))):
        raise Refused(Trouble.AWS_PRINCIPAL)
    return grant(world, identity, settings, organization)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused(Trouble.PROOF_UNREADABLE) from None


def _headers(content: bytes) -> dict[str, str]:
    """The headers by their names in lower case."""
    try:
        headers = msgspec.json.decode(content, type=dict[str, str])
    except msgspec.DecodeError:
        raise Refused(Trouble.PROOF_UNREADABLE) from None
    return {name.lower(): value for name, value in headers.items()}


def _caller(world: World, method: str, body: bytes, headers: Mapping[str, str]) -> str:
    """The ARN of whoever signed, as STS would answer. Raises Refused."""
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if found is None:
        raise Refused(Trouble.AWS_REGION)
    key = world.clouds.aws_keys.get(found["key"])
    names = found["names"].split(";")
    complete = (
        key is not None
        and (method, body) == ("POST", b"Action=GetCallerIdentity&Version=2011-06-15")
        and headers.get("content-length") == str(len(body))
        and headers.get("content-type") == "application/x-www-form-urlencoded; charset=utf-8"
        and headers.get("host") == f"sts.{found['region']}.amazonaws.com"
        and {"host", "x-amz-date"} <= set(names) <= set(headers)
    )
    if key is None or not complete or not _in_time(world, key, headers["x-amz-date"], found["day"]):
        raise Refused(Trouble.AWS_REFUSED)
    if headers.get("x-amz-security-token") != key.session_token:
        raise Refused(Trouble.AWS_REFUSED)
    if key.session_token and "x-amz-security-token" not in names:
        raise Refused(Trouble.AWS_REFUSED)
    if not hmac.compare_digest(_signature(key, found, names, body, headers), found["signature"]):
        raise Refused(Trouble.AWS_REFUSED)
    return key.arn


def _in_time(world: World, key: AwsKey, date: str, day: str) -> bool:
    try:
        signed = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return False
    alive = key.expires is None or key.expires > world.now()
    return alive and abs(world.now() - signed) <= _SKEW and date.startswith(day)


def _signature(
    key: AwsKey, found: re.Match[str], names: list[str], body: bytes, headers: Mapping[str, str]
) -> str:
    """Signature Version 4 of the request, anew."""
    shown = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in names)
    canonical = "\n".join(["POST", "/", "", shown, found["names"], hashlib.sha256(body).hexdigest()])
    scope = f"{found['day']}/{found['region']}/sts/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, digest])
    secret = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    return hmac.new(secret, text.encode(), "sha256").hexdigest()


def _role(arn: str) -> str:
    """An assumed role as the role that was assumed; anything else as it is."""
    found = re.fullmatch(r"arn:(\S+):sts::(\d+):assumed-role/([^/]+)/.+", arn)
    return f"arn:{found[1]}:iam::{found[2]}:role/{found[3]}" if found else arn


def _covers(pattern: str, arn: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), arn) is not None
