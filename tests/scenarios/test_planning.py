"""`plan` on both clusters: the run that follows does just what was planned, and planning itself does nothing."""

from collections import Counter
from typing import Any

from adapters.cluster import Object
from adapters.infisical.http import Network
from adapters.resources.kinds import CONFIG_MAP, EXTERNAL_SECRET, PUSH_SECRET, SECRET
from reconciler.assembly import Options
from reconciler.planned import Planned
from reconciler.planning import Outlook, Planner
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene, key

CANARY = "canary-value-that-no-plan-shows"


async def outlooks(scene: Scene, **options: Any) -> dict[str, Outlook]:
    """What is planned, by the names of resources; nothing is written to the cluster, nor to Infisical, and no token
    lives on."""
    scene.counting.writes.clear()
    scene.server.record.clear()
    events, tokens = scene.counting.events, scene.tokens_alive()
    said: list[str] = []
    async with Network() as network:
        settings = Options(namespace=scene.namespace, **options)
        found = await Planner(scene.counting, network.transport, settings).plan(said.append)
    assert not said
    assert not scene.counting.writes
    assert scene.counting.events == events
    assert set(scene.requests()) <= {"login", "resolution", "listing", "single", "revocation"}
    assert scene.tokens_alive() == tokens
    assert CANARY not in str(found)
    return {str(one.subject.name): one for one in found}


async def lines(scene: Scene, name: str = "wanted") -> list[str]:
    """What is planned for one resource: the action, the thing, and what of it."""
    outlook = (await outlooks(scene))[name]
    assert not outlook.error, outlook
    return [line_of(one) for one in outlook.planned]


def line_of(planned: Planned) -> str:
    """As `create Secret wanted: + key`."""
    parts = ", ".join(planned.parts)
    return f"{planned.action.value} {planned.thing}" + (f": {parts}" if parts else "")


async def plant(scene: Scene, *objects: Object) -> None:
    """A store, its credentials, and these; no controller runs."""
    await scene.apply(scene.credentials_secret(), scene.store(), *objects)


# --- ExternalSecrets ---------------------------------------------------------------------------------------------


async def test_new_secret_is_planned_and_one_that_is_there_is_not(scene: Scene) -> None:
    """The store, which nobody has tried yet, is tried by the plan; its status is not written."""
    await plant(scene, scene.external_secret(data=[key("API_KEY"), key("DB_PASSWORD", "other")]))
    assert await lines(scene) == ["create Secret wanted: + key, + other"]
    assert scene.requests() == Counter(login=1, resolution=1, single=1, listing=1, revocation=1)
    assert not (await scene.condition(EXTERNAL_SECRET, "wanted"))
    await scene.start()
    await scene.ready()
    await scene.stop()
    assert await lines(scene) == []


async def test_change_at_infisical_is_planned_before_its_time(scene: Scene) -> None:
    """The time of the next refresh has not come; a plan says what it would bring."""
    await scene.begin(dataFrom=[{"find": {"name": {"regexp": "^(API_KEY|NEW|OLD)$"}}}])
    await scene.stop()
    scene.project.set_secret("dev", "/", "NEW", CANARY)
    assert await lines(scene) == ["change Secret wanted: + NEW"]
    scene.project.set_secret("dev", "/", "API_KEY", CANARY)
    assert await lines(scene) == ["change Secret wanted: ~ API_KEY, + NEW, ~ key"]


async def test_key_that_is_wanted_no_more_is_planned_to_go(scene: Scene) -> None:
    await scene.begin(data=[key("API_KEY"), key("DB_PASSWORD", "other")])
    await scene.stop()
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    assert await lines(scene) == ["change Secret wanted: - other"]


async def test_secret_of_nobody_is_adopted(scene: Scene) -> None:
    """With what becomes of its keys."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "wanted"},
        "type": "Opaque",
        "stringData": {"key": CANARY, "stranger": CANARY},
    }
    await plant(scene, secret, scene.external_secret(data=[key("API_KEY")]))
    (line,) = await lines(scene)
    assert line.startswith("adopt Secret wanted: ~ key, - stranger, ")
    assert line.endswith("~ owner")
    assert "+ label reconcile.external-secrets.io/managed" in line


async def test_renamed_target_is_created_and_the_one_of_before_removed(scene: Scene) -> None:
    await scene.begin()
    await scene.stop()
    await scene.apply(scene.external_secret(data=[key("API_KEY")], target={"name": "renamed"}))
    assert await lines(scene) == ["create Secret renamed: + key", "remove Secret wanted"]
    assert await scene.secret() is not None


async def test_label_is_planned(scene: Scene) -> None:
    """Labels of the resource go to its Secret, and away with it."""
    wanted = await scene.begin()
    await scene.stop()
    wanted["metadata"]["labels"] = {"app": "shop"}
    await scene.apply(wanted)
    assert await lines(scene) == ["change Secret wanted: + label app"]
    await scene.start()
    await scene.until(lambda: labels_hold(scene, "app"))
    await scene.ready()
    await scene.stop()
    del wanted["metadata"]["labels"]
    await scene.apply(wanted)
    assert await lines(scene) == ["change Secret wanted: - label app"]


async def labels_hold(scene: Scene, name: str) -> bool:
    """Whether the target has a label."""
    found = await scene.object(SECRET, "wanted")
    return found is not None and name in found["metadata"]["labels"]


async def test_errors_are_told_with_what_to_do(scene: Scene) -> None:
    """Of a key that is not there, a store that is not there, a target of another, and a store that cannot be used."""
    await scene.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop"}, "data": {}})
    there = await scene.object(CONFIG_MAP, "shop")
    assert there is not None
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "shop", "controller": True}
    owner["uid"] = there["metadata"]["uid"]
    taken = {"name": "taken", "ownerReferences": [owner]}
    nowhere = scene.store("nowhere", projectSlug="another")
    await plant(
        scene,
        nowhere,
        {"apiVersion": "v1", "kind": "Secret", "metadata": taken, "type": "Opaque", "data": {}},
        scene.external_secret("key-less", data=[key("NOT_THERE")]),
        scene.external_secret("store-less", secretStoreRef={"name": "infiscal"}, data=[key("API_KEY")]),
        scene.external_secret("target-less", target={"name": "taken"}, data=[key("API_KEY")]),
        scene.external_secret("project-less", secretStoreRef={"name": "nowhere"}, data=[key("API_KEY")]),
    )
    found = await outlooks(scene)
    errors = {name: one.error for name, one in found.items()}
    assert 'not found at Infisical: "NOT_THERE"' in errors["key-less"]
    assert "SecretStore infiscal does not exist" in errors["store-less"]
    assert "belongs to ConfigMap shop" in errors["target-less"]
    assert "SecretStore nowhere is not ready" in errors["project-less"]
    assert 'has no project "another"' in errors["nowhere"]
    assert "infisical" not in errors
    assert not any(one.planned for one in found.values())


async def test_secret_that_cannot_be_changed_is_an_error(scene: Scene) -> None:
    """As it would be for a run: an API server does not change the type of a Secret."""
    metadata = {"name": "wanted"}
    tls = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "example.com/other",
        "data": {},
    }
    await plant(scene, tls, scene.external_secret(data=[key("API_KEY")]))
    assert "has another type" in (await outlooks(scene))["wanted"].error


async def test_what_is_another_controllers_is_left_alone(scene: Scene) -> None:
    store = scene.store()
    store["spec"]["controller"] = "other"
    await plant(scene, scene.external_secret(data=[key("API_KEY")]))
    await scene.apply(store)
    outlook = (await outlooks(scene))["wanted"]
    assert not outlook.error
    assert not outlook.planned
    assert outlook.remark.startswith("left alone")
    assert not scene.requests()


async def test_resource_that_is_created_once_is_not_planned_again(scene: Scene) -> None:
    await scene.begin(refreshPolicy="CreatedOnce")
    await scene.stop()
    scene.project.set_secret("dev", "/", "API_KEY", CANARY)
    outlook = (await outlooks(scene))["wanted"]
    assert not outlook.planned
    assert outlook.remark == "is not refreshed by itself, and has not changed"


async def test_many_resources_cost_one_login_and_one_listing(scene: Scene) -> None:
    """As their runs would."""
    await plant(
        scene,
        *(
            scene.external_secret(f"wanted-{number}", data=[key("API_KEY"), key("DB_PASSWORD", "b")])
            for number in range(20)
        ),
    )
    assert len(await outlooks(scene)) == 20
    assert scene.requests() == Counter(login=1, resolution=1, single=1, listing=1, revocation=1)


# --- PushSecrets -------------------------------------------------------------------------------------------------


async def test_push_is_planned_secret_by_secret(scene: Scene) -> None:
    """Created, changed, changed in a property, adopted since it is there as wanted; and nothing once it was done."""
    scene.project.set_secret("dev", "/", "THERE", "value-of-before")
    scene.project.set_secret("dev", "/", "SAME", CANARY)
    push = push_secret(
        entry("A", "NEW"),
        entry("A", "THERE"),
        entry("A", "SAME"),
        entry("A", "/my-app/DEEP"),
        entry("A", "JSON_BLOB", property="name"),
        deletionPolicy="Delete",
    )
    await plant(scene, source(A=CANARY), push)
    at = "at SecretStore infisical"
    assert sorted(await lines(scene, "pushed")) == sorted(
        [
            f"change PushSecret {scene.namespace}/pushed: + finalizer",
            "change SecretStore infisical: + finalizer",
            f"create /my-app/DEEP {at}",
            f"change /JSON_BLOB {at}: ~ property name",
            f"create /NEW {at}",
            f"change /THERE {at}",
            f"adopt SAME {at}: as it is",
        ]
    )
    await scene.start()
    await scene.ready("pushed", PUSH_SECRET)
    await scene.stop()
    assert await lines(scene, "pushed") == []


async def test_what_is_pushed_no_more_is_planned_to_go(scene: Scene) -> None:
    """A whole secret, and a property whose siblings stay."""
    first, second = entry("A", "GOES"), entry("A", "JSON_BLOB", property="name")
    await scene.begin_with_store()
    await scene.apply(
        source(A=CANARY), push_secret(first, second, entry("A", "STAYS"), deletionPolicy="Delete")
    )
    await scene.ready("pushed", PUSH_SECRET)
    await scene.stop()
    await scene.apply(push_secret(entry("A", "STAYS"), deletionPolicy="Delete"))
    at = "at SecretStore infisical"
    assert await lines(scene, "pushed") == [
        f"remove /GOES {at}",
        f"change /JSON_BLOB {at}: - property name",
    ]


async def test_deleted_push_is_planned_to_clean_up(scene: Scene) -> None:
    """What a controller that comes back would do for it: delete what was pushed, then let it go."""
    await scene.begin_with_store()
    await scene.apply(source(A=CANARY), push_secret(entry("A", "GOES"), deletionPolicy="Delete"))
    await scene.ready("pushed", PUSH_SECRET)
    await scene.stop()
    await scene.delete(PUSH_SECRET, "pushed")
    assert await lines(scene, "pushed") == [
        "remove /GOES at SecretStore infisical",
        f"change PushSecret {scene.namespace}/pushed: - finalizer",
    ]


async def test_errors_of_pushes_are_told(scene: Scene) -> None:
    """A source that is not there, a key that it lacks, a folder that is not there."""
    await plant(
        scene,
        source(A=CANARY),
        push_secret(entry("A", "X"), name="source-less", selector={"secret": {"name": "sauce"}}),
        push_secret(entry("B", "X"), name="key-less"),
        push_secret(entry("A", "/nowhere/X"), name="folder-less"),
    )
    errors = {name: one.error for name, one in (await outlooks(scene)).items()}
    assert "sauce" in errors["source-less"]
    assert '"B"' in errors["key-less"]
    assert "/nowhere" in errors["folder-less"]
