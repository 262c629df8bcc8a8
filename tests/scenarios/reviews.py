"""Service accounts and who reviews their tokens: a real API server, or a loopback server that answers TokenReviews."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import msgspec
from aiohttp import web

from tests.apiserver.client import ApiClient

AUDIENCE = "https://infisical.example.com"


class Reviews(Protocol):
    """A cluster that gives tokens to service accounts and reviews them."""

    url: str
    authority: str
    reviewer: str
    """A token whose holder may review."""

    async def token(self, name: str, *audiences: str) -> str:
        """A token of a service account, which is made if it is not there; of the cluster's own audience by default."""
        ...

    async def let_review(self, name: str) -> None:
        """Let the holders of this service account's tokens ask for reviews."""
        ...

    async def remove(self, name: str) -> None:
        """Delete the service account: its tokens are worthless at once."""
        ...


class OnCluster:
    """The reviews of a real API server, in one namespace."""

    def __init__(self, api: ApiClient, namespace: str) -> None:
        self.url, self.authority, self.reviewer = api.access.url, api.access.authority, api.access.token
        self._api = api
        self._namespace = namespace
        self.roles: list[str] = []

    async def token(self, name: str, *audiences: str) -> str:
        """By a TokenRequest."""
        if await self._api.find("v1/serviceaccounts", name, self._namespace) is None:
            metadata = {"name": name, "namespace": self._namespace}
            await self._api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        path = f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{name}/token"
        spec: dict[str, Any] = {"expirationSeconds": 600}
        if audiences:
            spec["audiences"] = list(audiences)
        answer = await self._api.request(
            "POST", path, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        )
        return str(answer["status"]["token"])

    async def let_review(self, name: str) -> None:
        """By the cluster's own role for that."""
        binding = f"{self._namespace}-{name}"
        self.roles.append(binding)
        await self._api.create(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": binding},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "ClusterRole",
                    "name": "system:auth-delegator",
                },
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": self._namespace}],
            }
        )

    async def remove(self, name: str) -> None:
        """And with it all that was made for it."""
        await self._api.delete("v1/serviceaccounts", name, self._namespace)


class OnLoopback:
    """Answers TokenReviews as an API server does, about tokens that it made itself."""

    authority = ""
    reviewer = "token-of-the-reviewer"

    def __init__(self, namespace: str) -> None:
        self.url = ""
        self._namespace = namespace
        self._given: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._reviewers: set[str] = set()

    async def token(self, name: str, *audiences: str) -> str:
        """A text that nobody can guess."""
        token = f"token-of-{name}-{uuid.uuid4().hex}"
        self._given[token] = (name, audiences)
        return token

    async def let_review(self, name: str) -> None:
        """From now on."""
        self._reviewers.add(name)

    async def remove(self, name: str) -> None:
        """Its tokens are forgotten."""
        self._given = {token: given for token, given in self._given.items() if given[0] != name}

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """One review."""
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        if shown not in self._given and shown != self.reviewer:
            return web.Response(status=401)
        if shown != self.reviewer and self._given[shown][0] not in self._reviewers:
            return web.Response(status=403)
        spec = msgspec.json.decode(await request.read())["spec"]
        name, audiences = self._given.get(spec["token"], ("", ()))
        known = bool(name) and set(spec.get("audiences") or ()) <= set(audiences)
        user = {"username": f"system:serviceaccount:{self._namespace}:{name}"}
        return web.json_response({"status": {"authenticated": True, "user": user} if known else {}})


@asynccontextmanager
async def reviews_on_cluster(api: ApiClient, namespace: str) -> AsyncIterator[Reviews]:
    """Of a real API server; what was made for them outside of the namespace goes at the end."""
    reviews = OnCluster(api, namespace)
    yield reviews
    for role in reviews.roles:
        await api.delete("rbac.authorization.k8s.io/v1/clusterrolebindings", role)


@asynccontextmanager
async def reviews_on_loopback(namespace: str) -> AsyncIterator[Reviews]:
    """Of a server in this process."""
    reviews = OnLoopback(namespace)
    runner = web.ServerRunner(web.Server(reviews.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reviews.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield reviews
    await runner.cleanup()
