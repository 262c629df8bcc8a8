"""The server that the other tests stand on is the real thing, and leaves nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apiserver.access import Access, KubectlError
from tests.apiserver.build import KUBERNETES_VERSION, find_program, given_assets
from tests.apiserver.client import ApiClient, ApiError, Object, eventually
from tests.apiserver.preparing import install_crds, make_service_account, request_token
from tests.apiserver.server import ApiServer
from tests.apiserver.sharing import joined_server

pytestmark = pytest.mark.apiserver

WIDGETS = "example.test/v1/widgets"


def secret(name: str, namespace: str, **data: str) -> Object:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


def widget_definition() -> Object:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.test"},
        "spec": {
            "group": "example.test",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


async def test_it_says_its_version(api: ApiClient) -> None:
    version = await api.request("GET", "/version")
    if given_assets() is None:
        assert (version["gitVersion"], version["major"], version["minor"]) == (
            f"v{KUBERNETES_VERSION}",
            "1",
            "36",
        )
    else:
        assert version["gitVersion"].startswith("v1.")


async def test_a_secret_comes_back_as_it_was_written(api: ApiClient, namespace: str) -> None:
    await api.create(secret("a", namespace, password="x=y\n"))
    assert await api.secret("a", namespace) == {"password": "x=y\n"}
    await api.delete("v1/secrets", "a", namespace)
    assert await api.secret("a", namespace) is None


async def test_kubectl_reads_and_writes(apiserver: Access, api: ApiClient, namespace: str) -> None:
    made = await apiserver.kubectl("create", "-n", namespace, "secret", "generic", "a", "--from-literal=k=v")
    assert made == "secret/a created\n"
    assert await api.secret("a", namespace) == {"k": "v"}
    with pytest.raises(KubectlError, match="not found"):
        await apiserver.kubectl("get", "-n", namespace, "secret", "b")


async def test_the_kubeconfig_is_private(apiserver: Access) -> None:
    assert apiserver.kubeconfig.stat().st_mode & 0o077 == 0
    assert apiserver.directory.stat().st_mode & 0o077 == 0


async def test_server_side_apply_tells_who_owns_what(api: ApiClient, namespace: str) -> None:
    await api.apply(secret("a", namespace, mine="1"), manager="one")
    applied = await api.apply(secret("a", namespace, yours="2"), manager="two")
    assert {entry["manager"] for entry in applied["metadata"]["managedFields"]} == {"one", "two"}
    assert set(applied["data"]) == {"mine", "yours"}


async def test_a_user_may_do_what_the_rules_say_and_no_more(api: ApiClient, namespace: str) -> None:
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    token = await make_service_account(api, namespace, "reader", rules=[rule])
    await api.create(secret("a", namespace, k="v"))
    async with api.as_user(f"{namespace}-reader", token) as reader:
        assert await reader.secret("a", namespace) == {"k": "v"}
        with pytest.raises(ApiError) as refused:
            await reader.delete("v1/secrets", "a", namespace)
        assert (refused.value.status, refused.value.reason) == (403, "Forbidden")
        with pytest.raises(ApiError) as refused:
            await reader.secret("a", "default")
        assert refused.value.status == 403


async def test_rules_for_the_whole_cluster(api: ApiClient, namespace: str) -> None:
    rule = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "get"]}
    token = await make_service_account(api, namespace, "lister", cluster_rules=[rule])
    async with api.as_user(f"{namespace}-lister", token) as lister:
        assert namespace in {each["metadata"]["name"] for each in await lister.list("v1/namespaces")}


async def test_an_unknown_token_is_refused(api: ApiClient) -> None:
    async with api.as_user("nobody", "no-such-token") as nobody:
        with pytest.raises(ApiError) as refused:
            await nobody.list("v1/namespaces")
        assert refused.value.status == 401


async def test_a_service_account_token_passes_its_review(api: ApiClient, namespace: str) -> None:
    await api.create(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a", "namespace": namespace}}
    )
    token = await request_token(api, namespace, "a", audiences=["infisical"])

    async def review(audience: str) -> Object:
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [audience]},
        }
        status: Object = (await api.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body))[
            "status"
        ]
        return status

    passed = await review("infisical")
    assert passed["authenticated"]
    assert passed["user"]["username"] == f"system:serviceaccount:{namespace}:a"
    assert not (await review("somebody-else")).get("authenticated", False)


async def test_garbage_is_collected_and_namespaces_end(
    api: ApiClient, namespace: str, controllers: None
) -> None:
    owner = await api.create(secret("owner", namespace))
    reference = {"apiVersion": "v1", "kind": "Secret", "name": "owner", "uid": owner["metadata"]["uid"]}
    owned = secret("owned", namespace)
    owned["metadata"]["ownerReferences"] = [reference]
    await api.create(owned)
    await api.delete("v1/secrets", "owner", namespace)
    await api.until("v1/secrets", "owned", namespace, lambda found: found is None, within=30)

    name = f"{namespace}-2"
    await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    await api.create(secret("a", name))
    await api.delete("v1/namespaces", name)
    await api.until("v1/namespaces", name, "", lambda found: found is None, within=30)


async def test_garbage_of_a_kind_defined_later_is_collected(own_apiserver: ApiServer) -> None:
    await asyncio.to_thread(own_apiserver.start_controllers)
    async with ApiClient(own_apiserver.access) as api:
        await install_crds(api, [widget_definition()])
        metadata = {"name": "w", "namespace": "default"}
        owner = await api.create({"apiVersion": "example.test/v1", "kind": "Widget", "metadata": metadata})
        reference = {
            "apiVersion": "example.test/v1",
            "kind": "Widget",
            "name": "w",
            "uid": owner["metadata"]["uid"],
        }
        owned = secret("owned", "default")
        owned["metadata"]["ownerReferences"] = [reference]
        await api.create(owned)
        await api.delete(WIDGETS, "w", "default")
        await api.until("v1/secrets", "owned", "default", lambda found: found is None)


async def test_a_restart_keeps_the_data_and_the_address(own_apiserver: ApiServer) -> None:
    async with ApiClient(own_apiserver.access) as api:
        await install_crds(api, [widget_definition()])
        metadata = {"name": "w", "namespace": "default"}
        await api.create(
            {"apiVersion": "example.test/v1", "kind": "Widget", "metadata": metadata, "spec": {"a": 1}}
        )

        await asyncio.to_thread(own_apiserver.halt)
        with pytest.raises(OSError, match="Cannot connect"):
            await api.get(WIDGETS, "w", "default")
        await asyncio.to_thread(own_apiserver.resume)

        async def served() -> bool:
            found = await api.find(WIDGETS, "w", "default")
            return found is not None and found["spec"] == {"a": 1}

        await eventually(served)


async def test_definitions_can_be_watched_at_once(own_apiserver: ApiServer) -> None:
    async with ApiClient(own_apiserver.access) as api:
        await install_crds(api, [widget_definition()])
        assert await api.list(WIDGETS) == []
        assert await api.watch_opens(WIDGETS)


def test_workers_share_one_server_and_the_last_ends_it(tmp_path: Path) -> None:
    prepared: list[str] = []

    def prepare(access: Access) -> None:
        prepared.append(access.url)

    with joined_server(tmp_path / "shared", prepare) as first:
        directory = first.access.directory
        with joined_server(tmp_path / "shared", prepare) as second:
            assert second.access == first.access
        assert asyncio.run(first.access.kubectl("get", "namespace", "default", "-o", "name"))
    assert prepared == [first.access.url]
    asyncio.run(eventually(lambda: _is_gone(directory)))


def test_a_killed_test_run_leaves_nothing_behind(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from tests.apiserver.server import ApiServer\n"
        f"server = ApiServer(pathlib.Path({str(tmp_path / 'left')!r}))\n"
        "server.start()\n"
        "print(server.server_pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    with run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        os.kill(run.pid, signal.SIGKILL)
    asyncio.run(eventually(lambda: _is_gone(tmp_path / "left")))
    asyncio.run(eventually(lambda: _is_gone(Path(f"/proc/{pid}"))))


def test_the_server_in_the_foreground_stops_cleanly() -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "tests.apiserver"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with run:
        assert run.stdout is not None
        assert run.stderr is not None
        greeting: list[str] = []
        while not greeting or "Ctrl-C" not in greeting[-1]:
            greeting.append(run.stdout.readline())
            assert greeting[-1], run.stderr.read()
        export = next(line for line in greeting if "export KUBECONFIG=" in line)
        kubeconfig = Path(export.strip().removeprefix("export KUBECONFIG="))
        shown = subprocess.run(
            [find_program("kubectl"), "get", "namespaces", "-o", "name"],
            env=os.environ | {"KUBECONFIG": str(kubeconfig)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "namespace/default" in shown.stdout
        run.terminate()
        assert run.wait(20) == 0
        assert run.stderr.read() == ""
    assert not kubeconfig.parent.exists()


async def _is_gone(path: Path) -> bool:
    return not await asyncio.to_thread(path.exists)
