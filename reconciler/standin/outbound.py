"""What the server itself sends: questions to clusters and issuers of tokens, and announcements to webhooks."""

import hashlib
import hmac
from collections.abc import Mapping

import msgspec

from reconciler.standin.model import Webhook
from reconciler.standin.project import Project


class Outbound(msgspec.Struct, frozen=True):
    """A request that the server sends, over TLS only to whom `authority` (PEM) vouches for, if it is given. Its repr
    shows no token and no content."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    authority: str = ""

    def __repr__(self) -> str:
        return f"<Outbound {self.method} {self.url}>"


CHANGED, TEST = "secrets.modified", "test"


def announcement(
    project: Project, webhook: Webhook, environment: str, path: str, *, event: str, now: float
) -> Outbound:
    """An event as a webhook's receiver gets it, signed where the webhook has a key."""
    everything = {
        "workspaceId": project.id,
        "projectId": project.id,
        "projectName": project.name,
        "environment": environment,
        "secretPath": path,
    }
    timestamp = int(now * 1000)
    fields = project.services.dialect.webhook_project_fields
    body = msgspec.json.encode(
        {"event": event, "project": {name: everything[name] for name in fields}, "timestamp": timestamp}
    )
    headers = {"accept": "application/json, text/plain, */*", "content-type": "application/json"}
    if webhook.key:
        signature = hmac.new(webhook.key.encode(), body, hashlib.sha256).hexdigest()
        headers["x-infisical-signature"] = f"t={timestamp};{signature}"
    return Outbound("POST", webhook.url, headers, body)
