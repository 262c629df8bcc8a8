"""How an API server is found, what a person is told who has none, and tokens that are renewed."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.cluster import Absent, Denied, Done, Listed, Selection, Unavailable
from adapters.kubernetes.connect import connect, is_in_pod
from adapters.kubernetes.requests import NoCluster
from adapters.resources.kinds import SECRET
from tests.adapters.clusters.samples import secret
from tests.apiserver.access import Access
from tests.apiserver.client import ApiClient

LISTING = {"kind": "SecretList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": []}


class Server:
    """Answers any path with a Secret; takes one token."""

    def __init__(self) -> None:
        self.token = "first"
        self.requests: list[web.Request] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"kind": "Status", "code": 401}, status=401)
        return web.json_response(secret("x"))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.handle)
        async with TestServer(application) as server:
            yield f"http://127.0.0.1:{server.port}"


def kubeconfig(directory: Path, url: str, **user: str) -> dict[str, str]:
    """A kubeconfig for that user; the environment that names it."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    file = directory / "kubeconfig"
    file.write_text(json.dumps(content))
    return {"KUBECONFIG": str(file)}


async def refusal(environment: dict[str, str], home: Path) -> str:
    with pytest.raises(NoCluster) as caught:
        await connect(environment, home=home)
    return str(caught.value)


async def test_without_any_cluster_a_person_is_told_what_to_do(tmp_path: Path) -> None:
    text = await refusal({}, tmp_path)
    assert "KUBECONFIG" in text
    assert "--local" in text


async def test_namespace_is_the_one_that_the_kubeconfig_names(tmp_path: Path) -> None:
    """In its current context; none where it names none."""
    environment = kubeconfig(tmp_path, "http://127.0.0.1:1")
    file = Path(environment["KUBECONFIG"])
    content = json.loads(file.read_text())
    for context, namespace in (({}, ""), ({"namespace": None}, ""), ({"namespace": "here"}, "here")):
        content["contexts"][0]["context"] |= context
        file.write_text(json.dumps(content))
        cluster = await connect(environment)
        assert cluster.namespace == namespace
        await cluster.close()


async def test_namespace_in_a_pod_is_that_of_its_service_account(
    tmp_path: Path, apiserver: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which is beside its token."""
    token = tmp_path / "token"
    token.write_text("token")
    certificates = tmp_path / "ca.crt"
    certificates.write_text(apiserver.authority)
    monkeypatch.setattr("adapters.kubernetes.connect.SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr("adapters.kubernetes.connect.SERVICE_CERT_FILENAME", str(certificates))
    environment = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"}
    assert is_in_pod(environment)
    assert not is_in_pod(environment | {"KUBECONFIG": "somewhere"})
    for namespace in ("", "of-the-pod"):
        if namespace:
            (tmp_path / "namespace").write_text(namespace)
        cluster = await connect(environment, home=tmp_path)
        assert cluster.namespace == namespace
        await cluster.close()


async def test_a_kubeconfig_that_is_missing_or_broken_is_told(tmp_path: Path) -> None:
    file = tmp_path / "config"
    environment = {"KUBECONFIG": str(file)}
    assert "does not exist" in await refusal(environment, tmp_path)
    file.write_text("a: b\n  c: [")
    assert "not readable YAML, line 2" in await refusal(environment, tmp_path)
    for content in (
        "{}",
        "[]",
        "text",
        "contexts: 5",
        "current-context: x\ncontexts: []\nclusters: []\nusers: []",
    ):
        file.write_text(content)
        assert f"The kubeconfig {file} " in await refusal(environment, tmp_path)
    file.unlink()
    file.mkdir()
    assert "cannot be read" in await refusal(environment, tmp_path)


async def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("no certificate")
    environment = kubeconfig(tmp_path, "https://127.0.0.1:1")
    config = json.loads((tmp_path / "kubeconfig").read_text())
    config["clusters"][0]["cluster"]["certificate-authority"] = "ca.crt"
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    assert "certificate" in await refusal(environment, tmp_path)


async def test_the_default_kubeconfig_serves_where_nothing_is_named(tmp_path: Path) -> None:
    server = Server()
    async with server.running() as url:
        (tmp_path / ".kube").mkdir()
        kubeconfig(tmp_path, url, token="first")
        (tmp_path / "kubeconfig").rename(tmp_path / ".kube" / "config")
        cluster = await connect({}, home=tmp_path)
        assert isinstance(await cluster.get(SECRET, "x", "sample"), Done)
        await cluster.close()


async def test_a_token_file_that_changes_is_read_again_at_the_first_refusal(tmp_path: Path) -> None:
    server = Server()
    token = tmp_path / "token"
    token.write_text("first")
    async with server.running() as url:
        cluster = await connect(kubeconfig(tmp_path, url, tokenFile=str(token)))
        assert isinstance(await cluster.get(SECRET, "x", "sample"), Done)
        server.token = "second"
        token.write_text("second")
        answers = await asyncio.gather(*(cluster.get(SECRET, "x", "sample") for _ in range(5)))
        assert all(isinstance(answer, Done) for answer in answers)
        assert len(server.requests) == 1 + 2 * 5
        await cluster.close()


async def test_a_credential_plugin_is_asked_again_at_the_first_refusal(tmp_path: Path) -> None:
    server = Server()
    token, plugin = tmp_path / "token", tmp_path / "plugin"
    token.write_text("first")
    credential = '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": '
    plugin.write_text(f'#!/bin/sh\nprintf \'{credential}{{"token": "%s"}}}}\' $(cat {token})\n')
    plugin.chmod(stat.S_IRWXU)
    async with server.running() as url:
        environment = kubeconfig(tmp_path, url)
        config = json.loads((tmp_path / "kubeconfig").read_text())
        version = "client.authentication.k8s.io/v1"
        config["users"][0]["user"] = {"exec": {"apiVersion": version, "command": str(plugin)}}
        (tmp_path / "kubeconfig").write_text(json.dumps(config))
        cluster = await connect(environment)
        assert isinstance(await cluster.get(SECRET, "x", "sample"), Done)
        server.token = "second"
        token.write_text("second")
        assert isinstance(await cluster.get(SECRET, "x", "sample"), Done)
        await cluster.close()


async def test_a_token_that_cannot_be_renewed_is_no_answer(tmp_path: Path) -> None:
    server = Server()
    token = tmp_path / "token"
    token.write_text("wrong")
    async with server.running() as url:
        cluster = await connect(kubeconfig(tmp_path, url, tokenFile=str(token)))
        assert await cluster.get(SECRET, "x", "sample") == Unavailable(401)
        assert len(server.requests) == 1
        token.unlink()
        assert await cluster.get(SECRET, "x", "sample") == Unavailable(401)
        await cluster.close()


async def test_nothing_but_the_asked_host_is_looked_up_or_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password of-netrc\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = Server()
    async with server.running() as url:
        cluster = await connect(kubeconfig(tmp_path, url, token="first"))
        await cluster.get(SECRET, "x", "sample")
        assert server.requests[0].headers["Authorization"] == "Bearer first"
        await cluster.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried again within a call."""
    monkeypatch.setattr("adapters.kubernetes.api.PAUSES", ())


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    cluster = await connect(kubeconfig(tmp_path, "http://127.0.0.1:1", token="first"))
    assert await cluster.get(SECRET, "x", "sample") == Unavailable()
    assert await cluster.list(Selection(SECRET)) == Unavailable()
    assert await cluster.apply(secret("x"), "test") == Unavailable()
    assert [event async for event in cluster.watch(Selection(SECRET), "1", 1)] == [Unavailable()]
    await cluster.close()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b"<html>",
        b'{"half',
        b'{"metadata": null}',
        b'{"a": "\xff"}',
        b'{"type": "ADDED", "object": {}}\n',
        b'{"type": "ADDED", "object": {"metadata": {"resourceVersion": null}}}\n',
        b'{"type": "CHANGED", "object": {}}\n',
    ],
)
async def test_an_answer_that_is_no_object_is_unavailable(tmp_path: Path, body: bytes) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(application) as server:
        cluster = await connect(kubeconfig(tmp_path, f"http://127.0.0.1:{server.port}", token="first"))
        assert await cluster.get(SECRET, "x", "sample") == Unavailable()
        assert await cluster.list(Selection(SECRET)) == Unavailable()
        events = [event async for event in cluster.watch(Selection(SECRET), "1", 1)]
        assert events[1:] in ([], [Unavailable()])
        await cluster.close()


@pytest.mark.parametrize(
    "page",
    [
        {"metadata": {}},
        {"metadata": {"resourceVersion": ""}},
        {"metadata": {"resourceVersion": "7"}, "items": {}},
    ],
)
async def test_what_is_no_list_does_not_pass_for_an_empty_cluster(
    tmp_path: Path, page: dict[str, object]
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(page)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(application) as server:
        cluster = await connect(kubeconfig(tmp_path, f"http://127.0.0.1:{server.port}", token="first"))
        assert await cluster.list(Selection(SECRET)) == Unavailable()
        await cluster.close()


async def test_a_token_that_stays_wrong_is_not_read_again_by_every_call(tmp_path: Path) -> None:
    """A credential plugin is a process: calls that fail together ask it once."""
    server = Server()
    calls, plugin = tmp_path / "calls", tmp_path / "plugin"
    credential = '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": '
    plugin.write_text(f'#!/bin/sh\necho >> {calls}\nprintf \'{credential}{{"token": "wrong"}}}}\'\n')
    plugin.chmod(stat.S_IRWXU)
    async with server.running() as url:
        environment = kubeconfig(tmp_path, url)
        config = json.loads((tmp_path / "kubeconfig").read_text())
        version = "client.authentication.k8s.io/v1"
        config["users"][0]["user"] = {"exec": {"apiVersion": version, "command": str(plugin)}}
        (tmp_path / "kubeconfig").write_text(json.dumps(config))
        cluster = await connect(environment)
        answers = await asyncio.gather(*(cluster.get(SECRET, "x", "sample") for _ in range(20)))
        assert set(answers) == {Unavailable(401)}
        assert len(calls.read_text()) == 2  # at the start, and once for all of them
        await cluster.close()


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
async def test_a_call_outlives_trouble_in_passing(tmp_path: Path, code: int) -> None:
    """But not for long, and where the server says when, not before."""
    times: list[float] = []

    async def answer(request: web.Request) -> web.Response:
        times.append(asyncio.get_running_loop().time())
        if len(times) > 2:
            return web.json_response(secret("x"))
        return web.json_response({}, status=code, headers={"Retry-After": "1"} if code == 429 else {})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(application) as server:
        cluster = await connect(kubeconfig(tmp_path, f"http://127.0.0.1:{server.port}", token="first"))
        assert isinstance(await cluster.apply(secret("x"), "test"), Done)
        assert len(times) == 3
        assert times[1] - times[0] >= (1.0 if code == 429 else 0.2)
        await cluster.close()


async def test_a_long_pause_that_a_server_asks_for_is_handed_on(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({}, status=429, headers={"Retry-After": "60"})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(application) as server:
        cluster = await connect(kubeconfig(tmp_path, f"http://127.0.0.1:{server.port}", token="first"))
        assert await cluster.apply(secret("x"), "test") == Unavailable(429, 60.0)
        await cluster.close()


@pytest.mark.apiserver
async def test_lists_longer_than_a_page_are_whole(
    apiserver: Access, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.kubernetes.api.PAGE_SIZE", 3)
    cluster = await connect({"KUBECONFIG": str(apiserver.kubeconfig)})
    for number in range(10):
        await cluster.apply(secret(namespace, f"s{number}", a="1"), "test")
    for metadata_only in (False, True):
        listed = await cluster.list(Selection(SECRET, namespace, metadata_only=metadata_only))
        assert isinstance(listed, Listed)
        assert [item["metadata"]["name"] for item in listed.items] == [f"s{number}" for number in range(10)]
    await cluster.close()


@pytest.mark.apiserver
async def test_what_rbac_forbids_is_denied_by_its_names(
    api: ApiClient, apiserver: Access, namespace: str
) -> None:
    await api.create(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "nobody", "namespace": namespace},
        }
    )
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/nobody/token"
    answer = await api.request("POST", path, {"spec": {"expirationSeconds": 600}})
    nobody = apiserver.as_user("nobody", answer["status"]["token"])
    cluster = await connect({"KUBECONFIG": str(nobody.kubeconfig)})
    assert await cluster.get(SECRET, namespace, "a") == Denied("get", "secrets")
    assert await cluster.list(Selection(SECRET)) == Denied("list", "secrets")
    assert await cluster.apply(secret(namespace), "test") == Denied("patch", "secrets")
    assert await cluster.create(secret(namespace), "test") == Denied("create", "secrets")
    assert await cluster.delete(SECRET, namespace, "a") == Denied("delete", "secrets")
    events = [event async for event in cluster.watch(Selection(SECRET), "1", 1)]
    assert events == [Denied("watch", "secrets")]
    await cluster.close()


@pytest.mark.apiserver
async def test_nothing_is_made_in_a_namespace_that_is_going_away(
    api: ApiClient, apiserver: Access, namespace: str
) -> None:
    cluster = await connect({"KUBECONFIG": str(apiserver.kubeconfig)})
    held = {"finalizers": ["example.test/hold"]}
    await api.merge("v1/namespaces", namespace, "", {"metadata": held})
    await api.delete("v1/namespaces", namespace)
    async with asyncio.timeout(10):
        while isinstance(answer := await cluster.create(secret(namespace), "test"), Done):
            await cluster.delete(SECRET, namespace, "sample")  # admission may not have heard yet
    assert answer == Absent()
    await api.merge("v1/namespaces", namespace, "", {"metadata": {"finalizers": None}})
    await cluster.close()
