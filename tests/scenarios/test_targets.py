"""Target Secrets: whose they are, what is mended, and what is left alone."""

import base64
from typing import Any

import pytest

from adapters.cluster import Done, Object
from adapters.resources.kinds import EXTERNAL_SECRET, SECRET
from reconciler.content.hashes import data_hash
from reconciler.content.metadata import field_manager
from tests.scenarios.scene import API_KEY, LOGIN, SINGLE, VALIDATION, Scene, key


async def test_foreign_key_goes_and_then_there_is_silence(scene: Scene) -> None:
    """What others add to an owned Secret is removed; three rounds later nothing has been written again."""
    await scene.begin(refreshInterval="1s")
    patch = [{"op": "add", "path": "/data/FOREIGN", "value": "eA=="}]
    assert isinstance(await scene.cluster.patch(SECRET, scene.namespace, "wanted", patch, "somebody"), Done)
    await scene.holds({"key": API_KEY})
    calm = await scene.version()
    runs = len(scene.journal.ends("wanted"))
    scene.counting.writes.clear()
    await scene.until(lambda: len(scene.journal.ends("wanted")) >= runs + 3)
    assert await scene.version() == calm
    assert {name for name in scene.counting.writes if "Secret" in name} <= {"status ExternalSecret"}


def _wanted_of(secret: Object) -> tuple[Any, ...]:
    metadata = secret["metadata"]
    return secret.get("data"), metadata.get("labels"), metadata.get("annotations")


@pytest.mark.parametrize(
    "damage",
    [
        [{"op": "replace", "path": "/data/key", "value": "eA=="}],
        [{"op": "remove", "path": "/data/key"}],
        [{"op": "remove", "path": "/metadata/labels/reconcile.external-secrets.io~1managed"}],
        [{"op": "remove", "path": "/metadata/annotations/reconcile.external-secrets.io~1data-hash"}],
    ],
    ids=["changed", "removed", "unlabelled", "unhashed"],
)
async def test_drift_is_mended_at_once(scene: Scene, damage: list[dict[str, Any]]) -> None:
    """Whatever of ours was touched, long before a refresh is due."""
    await scene.begin()
    whole = await scene.object(SECRET, "wanted")
    assert whole is not None
    answer = await scene.cluster.patch(SECRET, scene.namespace, "wanted", damage, "somebody")
    assert isinstance(answer, Done)

    async def is_whole() -> bool:
        found = await scene.object(SECRET, "wanted")
        return found is not None and _wanted_of(found) == _wanted_of(whole)

    await scene.until(is_whole)


async def test_deleted_target_is_made_anew(scene: Scene) -> None:
    """At once."""
    await scene.begin()
    await scene.delete(SECRET, "wanted")
    await scene.holds({"key": API_KEY})


async def test_unowned_secret_of_that_name_is_taken_over(scene: Scene) -> None:
    """Its data becomes exactly what is wanted, and it is owned from then on."""
    await scene.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "wanted", "labels": {"theirs": "stays"}},
            "stringData": {"key": "old", "other": "goes"},
        }
    )
    await scene.begin()
    assert await scene.secret() == {"key": API_KEY}
    found = await scene.object(SECRET, "wanted")
    assert found is not None
    assert found["metadata"]["ownerReferences"][0]["kind"] == "ExternalSecret"
    assert found["metadata"]["labels"]["theirs"] == "stays"


async def test_target_of_another_resource_is_left_alone(scene: Scene) -> None:
    """The second one to ask for a Secret is told whose it is, and nothing is asked of Infisical for it."""
    await scene.begin()
    scene.server.record.clear()
    before = await scene.version()
    await scene.apply(scene.external_secret("second", target={"name": "wanted"}, data=[key("API_KEY")]))
    condition = await scene.ready("second", status="False")
    assert condition["message"].startswith('the target Secret "wanted" belongs to ExternalSecret wanted')
    assert await scene.version() == before
    assert not scene.requests()


async def test_what_waits_for_a_name_gets_it_when_its_owner_is_gone(scene: Scene) -> None:
    """Without anybody's doing."""
    await scene.begin()
    await scene.apply(scene.external_secret("second", target={"name": "wanted"}, data=[key("API_KEY")]))
    await scene.ready("second", status="False")
    await scene.delete(EXTERNAL_SECRET, "wanted")
    await scene.cluster.delete(SECRET, scene.namespace, "wanted")  # where nobody collects garbage
    await scene.ready("second")
    assert await scene.secret() == {"key": API_KEY}


async def test_renamed_target_is_deleted_once_the_new_one_stands(scene: Scene) -> None:
    """And not before."""
    wanted = await scene.begin()
    wanted["spec"]["target"] = {"name": "renamed"}
    scene.counting.writes.clear()
    await scene.apply(wanted)
    await scene.holds(None)
    assert await scene.secret("renamed") == {"key": API_KEY}
    states = [one.state for one in scene.journal.transitions if one.subject.name == "wanted"]
    assert states.index("delete_former_target") > max(
        number
        for number, state in enumerate(states[: states.index("delete_former_target")])
        if state == "apply"
    )

    async def is_bound() -> bool:
        found = await scene.object(EXTERNAL_SECRET, "wanted") or {}
        return bool(found["status"]["binding"] == {"name": "renamed"})

    await scene.until(is_bound)


async def test_secret_left_by_external_secrets_operator_is_taken_over(scene: Scene) -> None:
    """Its entries of operation Update become ours, so that a key that is no longer produced goes."""
    await scene.begin(refreshPolicy="OnChange")
    await scene.stop()
    old = {"key": API_KEY, "gone": "old"}
    found = await scene.object(SECRET, "wanted")
    assert found is not None
    metadata = {name: found["metadata"][name] for name in ("name", "namespace", "labels", "ownerReferences")}
    digest = data_hash({key: text.encode() for key, text in old.items()})
    metadata["annotations"] = {"reconcile.external-secrets.io/data-hash": digest}
    await scene.delete(SECRET, "wanted")
    left = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
    left["data"] = {key: base64.b64encode(text.encode()).decode() for key, text in old.items()}
    assert isinstance(await scene.cluster.create(left, field_manager("wanted")), Done)
    before = await scene.version()

    await scene.start()
    await scene.until(lambda: scene.journal.ends("wanted")[-1:] == ["idle"])
    assert await scene.version() == before, "nothing is due, so nothing is written"
    await scene.refresh()
    await scene.holds({"key": API_KEY})
    entries = (await scene.object(SECRET, "wanted") or {})["metadata"]["managedFields"]
    ours = [one["operation"] for one in entries if one["manager"] == field_manager("wanted")]
    assert ours == ["Apply"]


async def test_nothing_at_infisical_keeps_the_target(scene: Scene) -> None:
    """With deletionPolicy Retain, a search that finds nothing leaves the Secret as it is, and says so."""
    find = [{"find": {"name": {"regexp": "^DB_"}}}]
    await scene.begin(data=[], dataFrom=find)
    scene.project.remove_secret("dev", "/", "DB_PASSWORD")
    before = await scene.version()
    await scene.refresh()
    await scene.ready(said="secret retained due to DeletionPolicy=Retain")
    assert await scene.version() == before


async def test_deleted_resource_with_a_finalizer_left_behind_may_go(scene: Scene) -> None:
    """Whatever put it there, nothing is owed any more."""
    wanted = scene.external_secret(data=[key("API_KEY")])
    wanted["metadata"]["finalizers"] = ["externalsecrets.external-secrets.io/externalsecret-cleanup"]
    await scene.apply(wanted)
    await scene.delete(EXTERNAL_SECRET, "wanted")
    await scene.start()

    async def is_gone() -> bool:
        return await scene.object(EXTERNAL_SECRET, "wanted") is None

    await scene.until(is_gone)
    assert not scene.requests()


@pytest.mark.apiserver
@pytest.mark.parametrize("where", ["real"])
@pytest.mark.usefixtures("controllers")
async def test_target_goes_with_its_resource(scene: Scene) -> None:
    """By the cluster's garbage collection."""
    await scene.begin()
    await scene.delete(EXTERNAL_SECRET, "wanted")
    await scene.holds(None)


async def test_restart_with_nothing_due_reads_and_writes_nothing(scene: Scene) -> None:
    """But for one validation of the store."""
    await scene.begin()
    runs = len(scene.journal.ends("wanted"))
    async with scene.costs(LOGIN + VALIDATION):
        await scene.until(lambda: scene.journal.ends("wanted")[runs:] == ["idle"])
        await scene.until(lambda: scene.journal.ends("infisical")[-1:] == ["valid"])
        await scene.until(lambda: len(scene.journal.ends("infisical")) >= 2)


async def test_changed_spec_is_fetched_at_once(scene: Scene) -> None:
    """For what it costs to read one key."""
    wanted = await scene.begin()
    wanted["spec"]["data"][0]["remoteRef"]["key"] = "DB_PASSWORD"
    async with scene.costs(LOGIN + VALIDATION + SINGLE, apply_Secret=1, status_ExternalSecret=1):
        await scene.until(lambda: scene.journal.ends("infisical")[-1:] == ["valid"])
        await scene.apply(wanted)
        await scene.holds({"key": "example-database-password"})
        await scene.until(lambda: scene.journal.ends("wanted")[-1:] == ["ready"])


@pytest.mark.parametrize(
    ("spec", "refreshes"),
    [
        ({"refreshInterval": "1s"}, True),
        ({"refreshInterval": "0"}, False),
        ({"refreshPolicy": "OnChange", "refreshInterval": "1s"}, False),
        ({"refreshPolicy": "CreatedOnce", "refreshInterval": "1s"}, False),
    ],
)
async def test_refresh_comes_as_interval_and_policy_say(
    scene: Scene, spec: dict[str, Any], refreshes: bool
) -> None:
    """A changed value arrives by itself, or only when somebody asks."""
    await scene.begin(**spec)
    scene.project.set_secret("dev", "/", "API_KEY", "changed")
    if refreshes:
        await scene.holds({"key": "changed"})
        return
    await begin_another(scene)
    assert await scene.secret() == {"key": API_KEY}
    await scene.refresh()
    if spec.get("refreshPolicy") == "CreatedOnce" or spec["refreshInterval"] == "0":
        await scene.until(lambda: scene.journal.ends("wanted")[-1:] == ["idle"])
        assert await scene.secret() == {"key": API_KEY}
    else:
        await scene.holds({"key": "changed"})


async def begin_another(scene: Scene) -> None:
    """Let more than the interval pass, as told by another resource that has it."""
    await scene.apply(scene.external_secret("clock", refreshInterval="1s", data=[key("API_KEY")]))
    await scene.until(lambda: len(scene.journal.ends("clock")) >= 3)
