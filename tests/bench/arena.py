"""Where benchmarks run: a real API server of their own, an Infisical stand-in over HTTP, manifests, and counts.

What is written is counted by the API server itself, what is asked by the stand-in: nobody is asked for his own figures.
"""

import asyncio
import collections
import json
import re
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from reconciler.standin import ADMIN, Credentials, Project, Server, Slow, StandIn
from tests.apiserver.access import Access
from tests.apiserver.client import ApiClient, Object, path_of
from tests.bench.measured import Measured

EXTERNAL_SECRETS = "external-secrets.io/v1/externalsecrets"
TOGETHER = 64  # requests under way at once, when manifests are made
KEYS = 3  # of each ExternalSecret
_COUNTED = re.compile(r"^apiserver_request_total\{(.*)\} (\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
PUSH_SECRETS = "external-secrets.io/v1alpha1/pushsecrets"
_OURS = {"secrets", "externalsecrets", "pushsecrets", "secretstores", "clustersecretstores", "events"}
_WRITING = {"POST", "PUT", "PATCH", "APPLY", "DELETE"}


class Infisical:
    """A stand-in with one project and an identity; `url` while it is served."""

    def __init__(self, url: str, standin: StandIn, credentials: Credentials, project: Project) -> None:
        self.url = url
        self.standin = standin
        self.credentials = credentials
        self.project = project

    def requests(self) -> Counter[str]:
        """What it was asked, by kind."""
        return Counter({kind.value: number for kind, number in self.standin.counts().items()})

    def slow_down(self, seconds: float) -> None:
        """From now on it answers after so many seconds."""
        self.standin.record.clear()
        self.standin.faults.clear()
        self.standin.faults.plan("*", Slow(seconds), times=None)

    def refusals(self) -> int:
        """How often it answered that there were too many requests."""
        return sum(asked.status == 429 for asked in self.standin.requests)


@asynccontextmanager
async def infisical(secrets: int, seconds: float) -> AsyncIterator[Infisical]:
    """A server that holds so many secrets and answers each request after so many seconds."""
    standin = StandIn(time.time)
    project = standin.add_project("my-project")
    for number in range(secrets):
        project.set_secret("dev", "/", f"KEY_{number}", f"value-{number}")
    credentials = standin.add_machine("bench", {project: ADMIN})
    standin.faults.plan("*", Slow(seconds), times=None)
    async with Server(standin) as served:
        yield Infisical(served.url, standin, credentials, project)


class Arena:
    """One API server, and a namespace of its own for each workload."""

    def __init__(self, access: Access, api: ApiClient, directory: Path) -> None:
        self.access = access
        self.api = api
        self.directory = directory
        self.last_journal = directory / "none"
        """Of the controller that was started last."""

    async def namespace(self) -> str:
        """A new one."""
        name = f"bench-{uuid.uuid4().hex[:8]}"
        await self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    async def store(self, namespace: str, server: Infisical, name: str = "infisical") -> None:
        """Credentials and a SecretStore for a server."""
        login = {"clientId": server.credentials.client_id, "clientSecret": server.credentials.client_secret}
        await self.api.create(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": f"{name}-credentials", "namespace": namespace},
                "stringData": login,
            }
        )
        selectors = {key: {"name": f"{name}-credentials", "key": key} for key in login}
        await self.api.create(
            {
                "apiVersion": "external-secrets.io/v1",
                "kind": "SecretStore",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {
                    "provider": {
                        "infisical": {
                            "hostAPI": server.url,
                            "auth": {"universalAuthCredentials": selectors},
                            "secretsScope": {"projectSlug": "my-project", "environmentSlug": "dev"},
                        }
                    }
                },
            }
        )

    async def external_secrets(
        self, namespace: str, number: int, interval: str, store: str = "infisical", *, prefix: str = "wanted"
    ) -> list[Object]:
        """So many of them, of three keys each, as the API server answered."""
        gate = asyncio.Semaphore(TOGETHER)

        async def create(index: int) -> Object:
            async with gate:
                return await self.api.create(
                    external_secret(namespace, f"{prefix}-{index}", index, interval, store)
                )

        return list(await asyncio.gather(*(create(index) for index in range(number))))

    async def push_secrets(self, namespace: str, number: int, interval: str) -> None:
        """So many of them, of three keys of a Secret of their own each, into one folder."""
        gate = asyncio.Semaphore(TOGETHER)

        async def create(index: int) -> None:
            async with gate:
                await self.api.create(source(namespace, index, "first"))
                await self.api.create(push_secret(namespace, index, interval))

        await asyncio.gather(*(create(index) for index in range(number)))

    def controller(self, namespace: str, *options: str, profile: Path | None = None) -> Measured:
        """The program itself, on this namespace, with a journal."""
        program: tuple[str, ...] = ("-m", "reconciler.commands", "run")
        self.last_journal = self.directory / f"{namespace}.jsonl"
        if profile is not None:
            program = ("-m", "cProfile", "-o", str(profile), *program)
        return Measured(
            self.directory / f"{namespace}.log",
            *program,
            *("--namespace", namespace, "--listen", "", "--journal", str(self.last_journal), *options),
            environment={"KUBECONFIG": str(self.access.kubeconfig)},
        )

    async def writes(self) -> Counter[str]:
        """What was written since the server began, such as `APPLY secrets`, as the API server itself counts."""
        text = (await self.api.request("GET", "/metrics"))["text"]
        found: Counter[str] = Counter()
        for line in str(text).splitlines():
            if (counted := _COUNTED.match(line)) is None:
                continue
            labels = dict(_LABEL.findall(counted[1]))
            if labels["verb"] in _WRITING and labels["resource"] in _OURS:
                part = f"/{labels['subresource']}" if labels["subresource"] else ""
                found[f"{labels['verb'].lower()} {labels['resource']}{part}"] += int(float(counted[2]))
        return found


def external_secret(namespace: str, name: str, index: int, interval: str, store: str) -> Object:
    """An ExternalSecret of three keys, no two of which ask for the same."""
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "refreshInterval": interval,
            "secretStoreRef": {"name": store, "kind": "SecretStore"},
            "data": [
                {"secretKey": f"key-{part}", "remoteRef": {"key": f"KEY_{index * KEYS + part}"}}
                for part in range(KEYS)
            ],
        },
    }


def source(namespace: str, index: int, text: str) -> Object:
    """A Secret of three keys."""
    data = {f"key-{part}": f"{text} {index} {part}" for part in range(KEYS)}
    metadata = {"name": f"source-{index}", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


def push_secret(namespace: str, index: int, interval: str) -> Object:
    """A PushSecret of three keys, no two of which go to the same place."""
    return {
        "apiVersion": "external-secrets.io/v1alpha1",
        "kind": "PushSecret",
        "metadata": {"name": f"pushed-{index}", "namespace": namespace},
        "spec": {
            "refreshInterval": interval,
            "secretStoreRefs": [{"name": "infisical", "kind": "SecretStore"}],
            "selector": {"secret": {"name": f"source-{index}"}},
            "data": [
                {
                    "match": {
                        "secretKey": f"key-{part}",
                        "remoteRef": {"remoteKey": f"PUSHED_{index * KEYS + part}"},
                    }
                }
                for part in range(KEYS)
            ],
        },
    }


class Seen:
    """What a watch of the resources of a namespace tells: when each was refreshed, by the clock of the bench."""

    def __init__(self) -> None:
        self.ready: set[str] = set()
        self.refreshed: dict[str, list[float]] = collections.defaultdict(list)
        self._times: dict[str, str] = {}
        self._news = asyncio.Event()

    def tell(self, object: Object) -> None:
        """One state of a resource."""
        name, status = object["metadata"]["name"], object.get("status") or {}
        conditions: Iterable[dict[str, Any]] = status.get("conditions") or ()
        if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
            self.ready.add(name)
        version = f"{status.get('refreshTime', '')}"
        if version and self._times.get(name) != version:
            self._times[name] = version
            self.refreshed[name].append(time.time())
        self._news.set()

    async def until(self, holds: Callable[["Seen"], bool], within: float) -> bool:
        """Wait until it holds; False after so many seconds."""
        try:
            async with asyncio.timeout(within):
                while not holds(self):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True


@asynccontextmanager
async def watched(access: Access, namespace: str, kind: str = EXTERNAL_SECRETS) -> AsyncIterator[Seen]:
    """The resources of a kind in a namespace, watched from what there is."""
    seen = Seen()
    path = path_of(kind, namespace)
    async with (
        ApiClient(access) as api,
        aiohttp.ClientSession(
            access.url,
            connector=aiohttp.TCPConnector(ssl=access.ssl_context()),
            headers={"Authorization": f"Bearer {access.token}"},
            timeout=aiohttp.ClientTimeout(total=None),
            read_bufsize=2**22,
        ) as session,
    ):
        listed = await api.request("GET", path)
        for item in listed["items"]:
            seen.tell(item)

        async def follow() -> None:
            query = {"watch": "true", "resourceVersion": listed["metadata"]["resourceVersion"]}
            async with session.get(path, params=query) as stream:
                async for line in stream.content:
                    seen.tell(json.loads(line)["object"])

        following = asyncio.create_task(follow())
        try:
            yield seen
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


def epoch(text: str) -> float:
    """Seconds since 1970 of a time as the API writes it."""
    return datetime.fromisoformat(text).timestamp()
