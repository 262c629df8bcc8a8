"""Several stores, and stores that come later: each gets what is for it, and the others do not wait."""

from collections import Counter

import pytest

from adapters.cluster import Object
from adapters.resources.kinds import PUSH_SECRET
from tests.scenarios.pushing import begin_counting, count_anew, entry, push_again, push_secret, source, stored
from tests.scenarios.scene import LISTING, LOGIN, SINGLE, Scene

pytestmark = pytest.mark.asyncio

HERE = {"name": "infisical", "kind": "SecretStore"}
EVERYWHERE = {"labelSelector": {"matchLabels": {"push": "here"}}, "kind": "SecretStore"}


def labelled(object: Object, **labels: str) -> Object:
    """The same object with these labels."""
    return object | {"metadata": object["metadata"] | {"labels": labels}}


def staging(scene: Scene) -> Object:
    """A second store, of another environment."""
    return scene.store("staging", environmentSlug="staging")


async def recorded(scene: Scene, name: str = "pushed") -> dict[str, list[str]]:
    """The names of what is ours, by store."""
    found = await scene.object(PUSH_SECRET, name)
    record = ((found or {}).get("status") or {}).get("syncedPushSecrets") or {}
    return {store: sorted(entries) for store, entries in record.items()}


@pytest.mark.statement("S60")
async def test_each_of_several_stores_gets_everything(scene: Scene) -> None:
    await scene.begin_with_store()
    await scene.apply(staging(scene))
    await scene.store_ready("staging")
    await count_anew(scene)
    stores = [HERE, {"name": "staging", "kind": "SecretStore"}]
    entries = [entry("one", "ONE"), entry("two", "TWO")]
    await scene.apply(source(one="1", two="2"), push_secret(*entries, secretStoreRefs=stores))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("staging", "/") == {"ONE": "1", "TWO": "2"}
    assert stored(scene).items() >= {("ONE", "1"), ("TWO", "2")}
    assert scene.requests() == Counter({"listing": 2, "batch creation": 2})
    assert await recorded(scene) == {
        "SecretStore/infisical": ["ONE", "TWO"],
        "SecretStore/staging": ["ONE", "TWO"],
    }


async def test_store_that_gets_the_label_later_is_pushed_to_then(scene: Scene) -> None:
    """At once, and what is at the other store is only looked at. One that loses it again is not asked any more."""
    await begin_counting(scene)
    await scene.apply(labelled(scene.store(), push="here"), staging(scene))
    await scene.store_ready("staging")
    await scene.apply(source(one="1"), push_secret(entry("one", "ONE"), secretStoreRefs=[EVERYWHERE]))
    await scene.ready("pushed", PUSH_SECRET)
    assert await recorded(scene) == {"SecretStore/infisical": ["ONE"]}
    assert not scene.project.values("staging", "/")
    await count_anew(scene)
    async with scene.runs("pushed"):
        await scene.apply(labelled(staging(scene), push="here"))
    assert scene.project.values("staging", "/") == {"ONE": "1"}
    assert scene.requests() == SINGLE + SINGLE + Counter(creation=1)
    async with scene.runs("pushed"):
        await scene.apply(labelled(staging(scene), push="not"))
    await push_again(scene)
    assert scene.requests() == SINGLE
    assert scene.project.values("staging", "/") == {"ONE": "1"}


async def test_labels_that_no_store_has_are_told_until_one_has_them(scene: Scene) -> None:
    await begin_counting(scene)
    await scene.apply(source(one="1"), push_secret(entry("one", "ONE"), secretStoreRefs=[EVERYWHERE]))
    await scene.ready("pushed", PUSH_SECRET, status="False", said="spec.secretStoreRefs[0] chooses no store")
    assert not scene.requests()
    await scene.apply(labelled(scene.store(), push="here"))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene)["ONE"] == "1"


async def test_data_to_goes_to_the_store_that_it_names_only(scene: Scene) -> None:
    await scene.begin_with_store()
    await scene.apply(staging(scene))
    await scene.store_ready("staging")
    manifest = push_secret(
        entry("one", "EVERYWHERE"),
        secretStoreRefs=[HERE, {"name": "staging", "kind": "SecretStore"}],
        dataTo=[{"storeRef": {"name": "staging", "kind": "SecretStore"}}],
    )
    await scene.apply(source(one="1", two="2"), manifest)
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("staging", "/") == {"EVERYWHERE": "1", "two": "2"}
    assert stored(scene)["EVERYWHERE"] == "1"
    assert "two" not in stored(scene)


async def test_store_that_is_absent_is_told_and_used_when_it_appears(scene: Scene) -> None:
    """Another one that is there gets what is for it all the same."""
    await begin_counting(scene)
    stores = [HERE, {"name": "later", "kind": "SecretStore"}]
    await scene.apply(source(one="1"), push_secret(entry("one", "ONE"), secretStoreRefs=stores))
    condition = await scene.ready(
        "pushed", PUSH_SECRET, status="False", said="SecretStore later does not exist: create it, or mend"
    )
    assert condition["reason"] == "Errored"
    assert stored(scene)["ONE"] == "1"
    assert scene.requests() == SINGLE + Counter(creation=1)
    await scene.apply(scene.store("later", environmentSlug="prod"))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("prod", "/") == {"ONE": "1"}


@pytest.mark.statement("S74")
async def test_project_that_is_absent_is_told_apart_from_a_folder(scene: Scene) -> None:
    """The store is not ready for the same reason; where it does not hold back, the PushSecret says it itself."""
    await scene.start(hold_back=False)
    await scene.apply(scene.credentials_secret(), scene.store(projectSlug="another"))
    await scene.store_ready(status="False", said='has no project "another"')
    await scene.apply(source(one="1"), push_secret(entry("one", "ONE")))
    await scene.ready(
        "pushed", PUSH_SECRET, status="False", said='has no project "another": check projectSlug'
    )


@pytest.mark.statement("S66")
async def test_controller_that_comes_after_another_compares_and_writes_nothing(scene: Scene) -> None:
    data = {f"key-{number}": "1" for number in range(20)}
    await begin_counting(scene)
    await scene.apply(source(**data), push_secret(*(entry(name, name) for name in data)))
    await scene.ready("pushed", PUSH_SECRET)
    await scene.stop()
    await scene.start()
    await scene.store_ready()
    await push_again(scene)
    assert scene.requests() - LOGIN == LISTING
    assert {scene.project.version("dev", "/", name) for name in data} == {1}
