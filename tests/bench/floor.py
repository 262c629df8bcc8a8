"""The least that the first workload can cost: `python -m tests.bench.floor WAY NAMESPACE URL CLIENT_ID PROJECT`.

One login, one listing, one revocation, an apply and a status patch for each ExternalSecret, and nothing else: no
caches, no machines, no events. WAY is how the API server is spoken to: `library` (kubernetes-asyncio as it comes),
`session` (the same with an HTTP session of our own) or `bare` (aiohttp alone). The client secret is in the environment.
"""

import asyncio
import base64
import json
import os
import ssl
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import yaml

TOGETHER = 64
Call = Callable[[str, str, Any, str], Awaitable[Any]]
"""`call(method, path, body, content type)`: the answer's JSON."""


async def main(way: str, namespace: str, url: str, client_id: str, project: str, client_secret: str) -> None:
    """Bring everything in the namespace to Ready, as one who knows that nothing is there yet."""
    call, close = await {"library": _library, "session": session_of_our_own, "bare": _bare}[way]()
    print("begins", flush=True)  # start-up is measured apart
    async with aiohttp.ClientSession(url) as session:
        login = {"clientId": client_id, "clientSecret": client_secret}
        token = (await answered(session, "POST", "/api/v1/auth/universal-auth/login", login))["accessToken"]
        headers = {"Authorization": f"Bearer {token}"}
        query = {"projectId": project, "environment": "dev", "secretPath": "/", "viewSecretValue": "true"}
        async with session.get("/api/v4/secrets", params=query, headers=headers) as answer:
            values = {one["secretKey"]: one["secretValue"] for one in (await answer.json())["secrets"]}
        try:
            await _write_all(call, namespace, values)
        finally:
            await close()
        await answered(session, "POST", "/api/v1/auth/token/revoke", {"accessToken": token}, headers)


async def answered(
    session: aiohttp.ClientSession, method: str, path: str, body: Any, headers: dict[str, str] | None = None
) -> Any:
    """The JSON of an answer of Infisical."""
    async with session.request(method, path, json=body, headers=headers) as answer:
        answer.raise_for_status()
        return await answer.json()


async def _write_all(call: Call, namespace: str, values: dict[str, str]) -> None:
    resources = f"/apis/external-secrets.io/v1/namespaces/{namespace}/externalsecrets"
    listed = await call("GET", resources, None, "application/json")
    gate = asyncio.Semaphore(TOGETHER)

    async def bring(resource: dict[str, Any]) -> None:
        async with gate:
            await _bring(call, namespace, resources, resource, values)

    await asyncio.gather(*(bring(resource) for resource in listed["items"]))


async def _bring(
    call: Call, namespace: str, resources: str, resource: dict[str, Any], values: dict[str, str]
) -> None:
    metadata = resource["metadata"]
    name = metadata["name"]
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "ownerReferences": [
                {
                    "apiVersion": "external-secrets.io/v1",
                    "kind": "ExternalSecret",
                    "name": name,
                    "uid": metadata["uid"],
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "data": {
            entry["secretKey"]: base64.b64encode(values[entry["remoteRef"]["key"]].encode()).decode()
            for entry in resource["spec"]["data"]
        },
    }
    target = f"/api/v1/namespaces/{namespace}/secrets/{name}?fieldManager=floor&force=true"
    await call("PATCH", target, secret, "application/apply-patch+yaml")
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "SecretSynced",
        "message": "secret synced",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    status = {"status": {"conditions": [ready], "refreshTime": "2026-01-01T00:00:00Z"}}
    await call("PATCH", f"{resources}/{name}/status", status, "application/merge-patch+json")


# --- three ways to speak to the API server ---------------------------------------------------------------------


async def _library(own_session: bool = False) -> tuple[Call, Callable[[], Awaitable[None]]]:
    from kubernetes_asyncio import client, config

    configuration = client.Configuration()
    await config.load_kube_config(client_configuration=configuration)
    api = client.ApiClient(configuration)
    if own_session:
        given = api.rest_client.pool_manager
        api.rest_client.pool_manager = aiohttp.ClientSession(connector=given.connector, trust_env=False)
        given.detach()

    async def call(method: str, path: str, body: Any, content_type: str) -> Any:
        response = await api.call_api(
            path,
            method,
            body=body,
            header_params={"Content-Type": content_type, "Accept": "application/json"},
            auth_settings=["BearerToken"],
            _preload_content=False,
        )
        async with response:
            response.raise_for_status()
            return json.loads(await response.read())

    return call, api.close


async def session_of_our_own() -> tuple[Call, Callable[[], Awaitable[None]]]:
    """kubernetes-asyncio with an HTTP session of our own; and how to close it."""
    return await _library(own_session=True)


async def _bare() -> tuple[Call, Callable[[], Awaitable[None]]]:
    config = yaml.safe_load(await asyncio.to_thread(Path(os.environ["KUBECONFIG"]).read_text))
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    session = aiohttp.ClientSession(
        cluster["server"],
        connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(cadata=authority)),
        headers={"Authorization": f"Bearer {user['token']}"},
    )

    async def call(method: str, path: str, body: Any, content_type: str) -> Any:
        data = None if body is None else json.dumps(body)
        async with session.request(method, path, data=data, headers={"Content-Type": content_type}) as answer:
            answer.raise_for_status()
            return json.loads(await answer.read())

    return call, session.close


if __name__ == "__main__":
    given_way, given_namespace, given_url, given_client, given_project = sys.argv[1:]
    asyncio.run(
        main(
            given_way,
            given_namespace,
            given_url,
            given_client,
            given_project,
            os.environ["FLOOR_CLIENT_SECRET"],
        )
    )
