"""The least that a first push can cost: `python -m tests.bench.push_floor NAMESPACE URL CLIENT_ID PROJECT`.

One login, one listing, a batch for each hundred secrets, one revocation; for each PushSecret its source read, the record
written before, the condition after, and nothing else. The client secret is in the environment.
"""

import asyncio
import base64
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from tests.bench.floor import TOGETHER, Call, answered, session_of_our_own

BATCH = 100  # secrets
MERGE = "application/merge-patch+json"


async def main(namespace: str, url: str, client_id: str, project: str, client_secret: str) -> None:
    """Push everything of the namespace, as one who knows that nothing is there yet."""
    call, close = await session_of_our_own()
    print("begins", flush=True)  # start-up is measured apart
    resources = f"/apis/external-secrets.io/v1alpha1/namespaces/{namespace}/pushsecrets"
    listed = (await call("GET", resources, None, "application/json"))["items"]
    async with aiohttp.ClientSession(url) as session:
        login = {"clientId": client_id, "clientSecret": client_secret}
        token = (await answered(session, "POST", "/api/v1/auth/universal-auth/login", login))["accessToken"]
        headers = {"Authorization": f"Bearer {token}"}
        query = {"projectId": project, "environment": "dev", "secretPath": "/", "viewSecretValue": "true"}
        async with session.get("/api/v4/secrets", params=query, headers=headers) as answer:
            await answer.json()
        try:
            pushed = await _all(listed, lambda one: _record(call, namespace, resources, one))
            secrets = [secret for several in pushed for secret in several]
            for first in range(0, len(secrets), BATCH):
                batch = secrets[first : first + BATCH]
                body = {"projectId": project, "environment": "dev", "secretPath": "/", "secrets": batch}
                await answered(session, "POST", "/api/v4/secrets/batch", body, headers)
            await _all(listed, lambda one: _ready(call, resources, one))
        finally:
            await close()
        await answered(session, "POST", "/api/v1/auth/token/revoke", {"accessToken": token}, headers)


async def _all(resources: list[dict[str, Any]], one: Callable[[dict[str, Any]], Awaitable[Any]]) -> list[Any]:
    gate = asyncio.Semaphore(TOGETHER)

    async def gated(resource: dict[str, Any]) -> Any:
        async with gate:
            return await one(resource)

    return list(await asyncio.gather(*(gated(resource) for resource in resources)))


async def _record(
    call: Call, namespace: str, resources: str, resource: dict[str, Any]
) -> list[dict[str, str]]:
    """The secrets of one PushSecret, once its status names them."""
    source = resource["spec"]["selector"]["secret"]["name"]
    path = f"/api/v1/namespaces/{namespace}/secrets/{source}"
    data = (await call("GET", path, None, "application/json"))["data"]
    matches = [entry["match"] for entry in resource["spec"]["data"]]
    record = {match["remoteRef"]["remoteKey"]: {"match": match} for match in matches}
    status = {"status": {"syncedPushSecrets": {"SecretStore/infisical": record}}}
    await call("PATCH", f"{resources}/{resource['metadata']['name']}/status", status, MERGE)
    return [
        {
            "secretKey": match["remoteRef"]["remoteKey"],
            "secretValue": base64.b64decode(data[match["secretKey"]]).decode(),
        }
        for match in matches
    ]


async def _ready(call: Call, resources: str, resource: dict[str, Any]) -> None:
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "Synced",
        "message": "PushSecret synced successfully",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    status = {"status": {"conditions": [ready], "refreshTime": "2026-01-01T00:00:00Z"}}
    await call("PATCH", f"{resources}/{resource['metadata']['name']}/status", status, MERGE)


if __name__ == "__main__":
    given_namespace, given_url, given_client, given_project = sys.argv[1:]
    asyncio.run(
        main(given_namespace, given_url, given_client, given_project, os.environ["FLOOR_CLIENT_SECRET"])
    )
