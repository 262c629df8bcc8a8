"""What an ExternalSecret can ask for besides single keys: searches, several stores, and what is said about it."""

import pytest

from adapters.resources.kinds import CLUSTER_SECRET_STORE
from reconciler.standin import Age
from tests.apiserver.access import Access
from tests.scenarios.scene import Scene, example


@pytest.mark.parametrize("age", list(Age))
async def test_documented_manifests_work_on_servers_of_all_ages(scene: Scene) -> None:
    """Single keys, all of a folder, and a choice by name."""
    await scene.begin_with_store()
    await scene.apply(
        *(
            example(name, "ExternalSecret")
            for name in ("fetch-secret", "fetch-all-secrets", "filtered-secrets")
        )
    )
    for name in ("checkout-env", "reporting-all", "database-login"):
        await scene.ready(name)
    assert await scene.secret("database-login") == {"DB_PASSWORD": "example-database-password"}
    assert sorted(await scene.secret("reporting-all") or {}) == ["API_KEY", "DB_PASSWORD", "JSON_BLOB"]


@pytest.mark.parametrize("age", list(Age))
async def test_recursive_scope_brings_folders_below_and_a_path_narrows_it(scene: Scene) -> None:
    """By whole segments: /my-app is not /my-app2."""
    scene.project.set_secret("dev", "/my-app2", "OTHER", "other")
    await scene.begin_with_store(recursive=True)
    await scene.apply(
        scene.external_secret("all", dataFrom=[{"find": {"name": {"regexp": "PASSWORD$"}}}]),
        scene.external_secret("below", dataFrom=[{"find": {"path": "/my-app"}}]),
    )
    await scene.ready("all")
    await scene.ready("below")
    assert sorted(await scene.secret("all") or {}) == ["ADMIN_PASSWORD", "DB_PASSWORD", "SERVICE_PASSWORD"]
    assert sorted(await scene.secret("below") or {}) == ["ADMIN_PASSWORD", "SERVICE_PASSWORD"]


async def test_one_name_in_two_folders_takes_the_nearest_and_says_so(scene: Scene) -> None:
    """In an event."""
    scene.project.set_secret("dev", "/my-app", "API_KEY", "of the folder below")
    await scene.begin_with_store(recursive=True)
    await scene.apply(scene.external_secret(dataFrom=[{"find": {"name": {"regexp": "^API_KEY$"}}}]))
    await scene.ready()
    assert await scene.secret() == {"API_KEY": "example-api-key-1"}
    assert ("SameName", '"API_KEY" is found in several folders: that of / is taken') in await scene.events(
        "wanted"
    )


async def test_later_entries_win_and_data_wins_over_all(scene: Scene) -> None:
    """In the order in which they are written."""
    await scene.begin_with_store()
    await scene.apply(
        scene.external_secret(
            dataFrom=[{"find": {"name": {"regexp": "^API_KEY$"}}}, {"extract": {"key": "JSON_BLOB"}}],
            data=[{"secretKey": "key", "remoteRef": {"key": "DB_PASSWORD"}}],
        )
    )
    await scene.ready()
    assert await scene.secret() == {"API_KEY": "example-api-key-1", "key": "example-database-password"}


async def test_entries_may_name_stores_of_their_own(scene: Scene) -> None:
    """Each store is logged in to and given back before the next one; the first that fails is named."""
    await scene.begin_with_store()
    await scene.apply(scene.store("below", secretsPath="/my-app"))
    await scene.store_ready("below")
    own = {"storeRef": {"name": "below", "kind": "SecretStore"}}
    entries = [
        {"secretKey": "here", "remoteRef": {"key": "API_KEY"}},
        {"secretKey": "there", "remoteRef": {"key": "SERVICE_PASSWORD"}, "sourceRef": own},
    ]
    await scene.apply(scene.external_secret(data=entries))
    await scene.ready()
    assert await scene.secret() == {"here": "example-api-key-1", "there": "example-service-password"}
    entries[1]["sourceRef"] = {"storeRef": {"name": "nowhere"}}
    await scene.apply(scene.external_secret(data=entries))
    await scene.ready(status="False", said="SecretStore nowhere does not exist")


async def test_fields_without_effect_are_told_in_an_event(scene: Scene) -> None:
    """Infisical has nothing for version and metadataPolicy."""
    await scene.begin_with_store()
    reference = {"key": "API_KEY", "version": "1", "metadataPolicy": "Fetch"}
    await scene.apply(scene.external_secret(data=[{"secretKey": "key", "remoteRef": reference}]))
    await scene.ready()
    notes = [note for reason, note in await scene.events("wanted") if reason == "Ignored"]
    assert sorted(notes) == [
        "spec.data[0].remoteRef.metadataPolicy has no effect with Infisical",
        "spec.data[0].remoteRef.version has no effect with Infisical",
    ]


async def test_cluster_store_reads_credentials_where_it_is_used_and_admits_whom_it_says(scene: Scene) -> None:
    """Without a namespace on its selectors it cannot be validated, and works; its conditions are kept to."""
    scene.controller_class = scene.namespace
    name = f"referent-{scene.namespace}"
    store = scene.store(name) | {"kind": "ClusterSecretStore"}
    store["spec"]["controller"] = scene.controller_class
    wanted = scene.external_secret(data=[{"secretKey": "key", "remoteRef": {"key": "API_KEY"}}])
    wanted["spec"]["secretStoreRef"] = {"name": name, "kind": "ClusterSecretStore"}
    await scene.start()
    await scene.apply(scene.credentials_secret(), store, wanted)
    condition = await scene.ready(name, CLUSTER_SECRET_STORE)
    assert condition["reason"] == "ValidationUnknown"
    await scene.ready()
    store["spec"]["conditions"] = [{"namespaces": ["somewhere-else"]}]
    await scene.apply(store)
    await scene.refresh()
    await scene.ready(status="False", said=f"ClusterSecretStore {name} does not admit this namespace")
    await scene.cluster.delete(CLUSTER_SECRET_STORE, "", name)


@pytest.mark.apiserver
@pytest.mark.parametrize("where", ["real"])
async def test_kubectl_reads_as_a_user_expects(scene: Scene, apiserver: Access) -> None:
    """Columns, conditions and events, good and bad."""
    await scene.begin_with_store()
    await scene.apply(example("fetch-secret", "ExternalSecret"))
    await scene.ready("checkout-env")
    await scene.events("checkout-env")
    got = await apiserver.kubectl("get", "es,ss", "-n", scene.namespace)
    lines = [line.split() for line in got.splitlines() if line]
    assert lines[0] == [
        "NAME",
        "STORETYPE",
        "STORE",
        "REFRESH",
        "INTERVAL",
        "STATUS",
        "READY",
        "LAST",
        "SYNC",
    ]
    assert lines[1][:6] == [
        "externalsecret.external-secrets.io/checkout-env",
        "SecretStore",
        "infisical",
        "1h0m0s",
        "SecretSynced",
        "True",
    ]
    assert lines[2] == ["NAME", "AGE", "STATUS", "CAPABILITIES", "READY"]
    assert lines[3][0] == "secretstore.external-secrets.io/infisical"
    assert lines[3][2:] == ["Valid", "ReadWrite", "True"]
    described = await apiserver.kubectl("describe", "es", "checkout-env", "-n", scene.namespace)
    assert "Message:                secret synced" in described
    assert "infisical-reconciler  Secret checkout-env created" in described
    scene.project.remove_secret("dev", "/my-app", "SERVICE_PASSWORD")
    await scene.refresh("checkout-env")
    await scene.ready("checkout-env", status="False")
    await scene.events("checkout-env")
    described = await apiserver.kubectl("describe", "es", "checkout-env", "-n", scene.namespace)
    assert 'not found at Infisical: "SERVICE_PASSWORD" in folder /my-app' in described
    assert "Warning  UpdateFailed" in described
