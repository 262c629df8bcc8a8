"""Admission on the real API server that refuses a write, or that is itself out of order."""

import base64
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.apiserver.client import ApiClient, ApiError, eventually
from tests.scenarios.scene import API_KEY, key
from tests.troubles.troubled import LISTS, Troubled

pytestmark = pytest.mark.apiserver

ADMISSION = "admissionregistration.k8s.io/v1"
Object = dict[str, Any]

SECRETS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["secrets"]}
STATUSES = {
    "apiGroups": ["external-secrets.io"],
    "apiVersions": ["v1"],
    "operations": ["*"],
    "resources": ["externalsecrets/status"],
}


@asynccontextmanager
async def there(
    api: ApiClient, objects: Sequence[tuple[str, Object]]
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Objects that are there until the block ends, or until what it is given is called."""
    left = list(objects)
    for _, object in objects:
        await api.create(object)

    async def remove() -> None:
        while left:
            resource, object = left.pop()
            await api.delete(resource, object["metadata"]["name"])

    try:
        yield remove
    finally:
        await remove()


def policy(namespace: str, rule: Object) -> list[tuple[str, Object]]:
    """A policy that refuses everything of a rule in one namespace, and its binding."""
    metadata = {"name": f"no-{uuid.uuid4().hex[:8]}"}
    selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"namespaceSelector": selector, "resourceRules": [rule]},
        "validations": [{"expression": "false", "message": "not here"}],
    }
    binding = {"policyName": metadata["name"], "validationActions": ["Deny"]}
    kind, plural = "ValidatingAdmissionPolicy", "validatingadmissionpolic"
    return [
        (
            f"{ADMISSION}/{plural}ies",
            {"apiVersion": ADMISSION, "kind": kind, "metadata": metadata, "spec": spec},
        ),
        (
            f"{ADMISSION}/{plural}ybindings",
            {"apiVersion": ADMISSION, "kind": f"{kind}Binding", "metadata": metadata, "spec": binding},
        ),
    ]


def broken_webhook(namespace: str, authority: str) -> list[tuple[str, Object]]:
    """A webhook for the Secrets of one namespace, where nobody listens."""
    webhook = {
        "name": "down.example.test",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 2,
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "rules": [SECRETS],
        "clientConfig": {
            "url": "https://127.0.0.1:1/",
            "caBundle": base64.b64encode(authority.encode()).decode(),
        },
    }
    kind = "ValidatingWebhookConfiguration"
    metadata = {"name": f"down-{uuid.uuid4().hex[:8]}"}
    return [
        (
            f"{ADMISSION}/{kind.lower()}s",
            {"apiVersion": ADMISSION, "kind": kind, "metadata": metadata, "webhooks": [webhook]},
        )
    ]


async def secrets_are_refused(api: ApiClient, namespace: str) -> bool:
    """Whether admission says no to any Secret now."""
    probe = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "probe"}}
    try:
        await api.request("POST", f"/api/v1/namespaces/{namespace}/secrets", probe, query={"dryRun": "All"})
    except ApiError:
        return True
    return False


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("obstacle", "said"),
    [
        ("policy", "an admission webhook or policy refuses the object: see its rules for this namespace"),
        (
            "webhook",
            "cannot be used just now (HTTP 500): has an admission webhook failed? this is tried again",
        ),
    ],
)
async def test_secret_that_admission_does_not_let_through(
    troubled: Troubled, api: ApiClient, namespace: str, obstacle: str, said: str
) -> None:
    """The condition says so; the Secret keeps its content, and gets the new one when the obstacle is gone."""
    scene = troubled.scene
    await scene.begin()
    objects = (
        policy(namespace, SECRETS)
        if obstacle == "policy"
        else broken_webhook(namespace, api.access.authority)
    )
    async with there(api, objects) as remove:
        await eventually(lambda: secrets_are_refused(api, namespace))
        scene.project.set_secret("dev", "/", "API_KEY", "changed")
        await scene.refresh()
        condition = await scene.ready(status="False", said=said)
        assert condition["reason"] == "SecretSyncedError"
        assert await scene.secret() == {"key": API_KEY}
        attempts = len(troubled.proxy.calls("apply", "secrets"))
        assert attempts <= 4
        await remove()
        await scene.ready()
        await scene.holds({"key": "changed"})
    await troubled.ends_well()
    assert troubled.lists() == LISTS


async def test_status_that_a_policy_refuses_is_told_in_the_log(
    troubled: Troubled, api: ApiClient, namespace: str
) -> None:
    """The Secret is there all the same, and the status follows."""
    scene = troubled.scene
    await scene.begin()

    async def statuses_are_refused() -> bool:
        status = {"status": {"refreshTime": "2020-01-01T00:00:00Z"}}
        path = f"/apis/external-secrets.io/v1/namespaces/{namespace}/externalsecrets/wanted/status"
        query = {"dryRun": "All"}
        try:
            await api.request("PATCH", path, status, content_type="application/merge-patch+json", query=query)
        except ApiError:
            return True
        return False

    async with there(api, policy(namespace, STATUSES)) as remove:
        await eventually(statuses_are_refused)
        await scene.apply(scene.external_secret("another", data=[key("API_KEY")]))
        await scene.holds({"key": API_KEY}, "another")
        await scene.until(lambda: troubled.log("statuses cannot be written"))
        assert troubled.log("statuses cannot be written")[0].startswith(
            "an admission webhook or policy refuses"
        )
        await remove()
        await scene.ready("another")
    await troubled.ends_well()
    assert troubled.lists() == LISTS
