"""AWS on loopback: the metadata of an EC2 instance (version 2 only), a container's agent, and STS for web identities."""

import datetime
import secrets
from urllib.parse import parse_qs

import msgspec
from aiohttp import web

from reconciler.standin import StandIn
from reconciler.standin.cloud_accounts import AwsKey
from tests.clouds.endpoint import Endpoint

ACCOUNT = "123456789012"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/reconciler"
ASSUMED_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/reconciler/session"
REGION = "eu-central-1"
SECRET_KEY, SESSION_TOKEN = "canary-aws-secret-key", "canary-aws-session-token"
WEB_TOKEN, AGENT_TOKEN = "canary-aws-web-token", "canary-aws-agent-token"

_XML = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{AccessKeyId}</AccessKeyId>
<SecretAccessKey>{SecretAccessKey}</SecretAccessKey><SessionToken>{Token}</SessionToken>
<Expiration>{Expiration}</Expiration></Credentials><AssumedRoleUser><Arn>{Arn}</Arn><AssumedRoleId>A:s</AssumedRoleId>
</AssumedRoleUser></AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>"""
_REFUSAL = """<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized</Message></Error>
<RequestId>1</RequestId></ErrorResponse>"""


class AwsEndpoints(Endpoint):
    """Gives temporary credentials of one role, and tells the stand-in of each."""

    def __init__(self, server: StandIn) -> None:
        super().__init__()
        self._server = server
        self._tokens: set[str] = set()
        self.has_role = True
        self.lifetime = 3600.0  # seconds, of the credentials
        self.given: list[str] = []
        """The access keys that were given out."""

    def new_key(self) -> dict[str, str]:
        """Fresh credentials of the role, as the endpoints word them."""
        access_key = f"ASIA{secrets.token_hex(8).upper()}"
        end = self._server.now() + self.lifetime
        self._server.clouds.aws_keys[access_key] = AwsKey(SECRET_KEY, ASSUMED_ARN, SESSION_TOKEN, end)
        self.given.append(access_key)
        ends = datetime.datetime.fromtimestamp(end, datetime.UTC)
        return {
            "AccessKeyId": access_key,
            "SecretAccessKey": SECRET_KEY,
            "Token": SESSION_TOKEN,
            "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """By path: the instance's metadata, `/agent`, or STS."""
        if request.path == "/agent":
            if request.headers.get("authorization") != AGENT_TOKEN:
                return web.Response(status=401)
            return _json(self.new_key())
        if request.method == "POST" and request.path == "/":
            return self._assume_role(parse_qs((await request.read()).decode()))
        return self._metadata(request)

    def _metadata(self, request: web.BaseRequest) -> web.Response:
        if (request.method, request.path) == ("PUT", "/latest/api/token"):
            if not 1 <= int(request.headers.get("x-aws-ec2-metadata-token-ttl-seconds", "0")) <= 21600:
                return web.Response(status=400)
            self._tokens.add(token := secrets.token_hex(16))
            return web.Response(text=token)
        if request.headers.get("x-aws-ec2-metadata-token") not in self._tokens:
            return web.Response(status=401)  # version 1, or a token that is not ours
        roles = "/latest/meta-data/iam/security-credentials/"
        if self.has_role and request.path == roles:
            return web.Response(text="reconciler")
        if self.has_role and request.path == f"{roles}reconciler":
            return _json({"Code": "Success", "Type": "AWS-HMAC", **self.new_key()})
        if request.path == "/latest/dynamic/instance-identity/document":
            return _json({"accountId": ACCOUNT, "region": REGION})
        return web.Response(status=404)

    def _assume_role(self, form: dict[str, list[str]]) -> web.Response:
        wanted = {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": ROLE_ARN,
            "WebIdentityToken": WEB_TOKEN,
        }
        if any(form.get(name) != [value] for name, value in wanted.items()):
            return web.Response(status=403, text=_REFUSAL, content_type="text/xml")
        return web.Response(text=_XML.format(Arn=ASSUMED_ARN, **self.new_key()), content_type="text/xml")


def _json(content: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")
