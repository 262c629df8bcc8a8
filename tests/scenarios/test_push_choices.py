"""What a PushSecret chooses: stores, sources, keys of them and their names, and what it leaves as it is."""

from collections import Counter
from typing import Any

import pytest

from adapters.cluster import Object
from adapters.resources.kinds import PUSH_SECRET, SECRET
from tests.scenarios.pushing import begin_counting, count_anew, entry, push_again, push_secret, source, stored
from tests.scenarios.scene import LISTING, SINGLE, Scene

pytestmark = pytest.mark.asyncio

EVERYWHERE = {"labelSelector": {"matchLabels": {"push": "here"}}, "kind": "SecretStore"}
HERE = {"name": "infisical", "kind": "SecretStore"}
IF_NOT_EXISTS = {"updatePolicy": "IfNotExists"}
UNCHANGED = "PushSecret synced successfully. Existing secrets in providers unchanged."


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


# --- stores ------------------------------------------------------------------------------------------------------


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


async def test_store_that_loses_the_label_loses_what_was_pushed_where_that_is_the_policy(
    scene: Scene,
) -> None:
    await scene.begin_with_store()
    await scene.apply(labelled(scene.store(), push="here"), labelled(staging(scene), push="here"))
    await scene.store_ready("staging")
    pushed = push_secret(entry("one", "ONE"), secretStoreRefs=[EVERYWHERE], deletionPolicy="Delete")
    await scene.apply(source(one="1"), pushed)
    await scene.until(lambda: scene.project.values("staging", "/") == {"ONE": "1"})
    await scene.apply(labelled(staging(scene), push="not"))
    await scene.until(lambda: scene.project.values("staging", "/") == {})
    assert stored(scene)["ONE"] == "1"


async def test_labels_that_no_store_has_are_told_until_one_has_them(scene: Scene) -> None:
    await begin_counting(scene)
    await scene.apply(source(one="1"), push_secret(entry("one", "ONE"), secretStoreRefs=[EVERYWHERE]))
    await scene.ready("pushed", PUSH_SECRET, status="False", said="spec.secretStoreRefs[0] chooses no store")
    assert not scene.requests()
    await scene.apply(labelled(scene.store(), push="here"))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene)["ONE"] == "1"


# --- dataTo ------------------------------------------------------------------------------------------------------


def many(**fields: Any) -> Object:
    """A PushSecret of one entry of dataTo."""
    return push_secret(dataTo=[{"storeRef": HERE, **fields}])


DATA = {"db-user": "u", "db-password": "p", "other": "o"}


async def pushed_of(scene: Scene, manifest: Object, **data: str) -> dict[str, str]:
    """What is at Infisical after a push that was not there before."""
    await begin_counting(scene)
    before = stored(scene)
    await scene.apply(source(**data), manifest)
    await scene.ready("pushed", PUSH_SECRET)
    return {name: value for name, value in stored(scene).items() if before.get(name) != value}


async def test_data_to_pushes_every_key_by_its_name(scene: Scene) -> None:
    assert await pushed_of(scene, many(), **DATA) == DATA
    assert scene.requests() == LISTING + Counter({"batch creation": 1})


async def test_keys_are_matched_by_a_regular_expression_and_renamed(scene: Scene) -> None:
    """The rewrites follow one another."""
    rewrite = [
        {"regexp": {"source": "^db-(.*)$", "target": "DB_$1"}},
        {"regexp": {"source": "^DB_user$", "target": "DB_LOGIN"}},
    ]
    manifest = many(match={"regexp": "^db-"}, rewrite=rewrite)
    assert await pushed_of(scene, manifest, **DATA) == {"DB_LOGIN": "u", "DB_password": "p"}
    assert scene.requests() == LISTING + Counter({"batch creation": 1})


async def test_bundle_is_one_json_object_of_the_matched_keys(scene: Scene) -> None:
    manifest = many(match={"regexp": "^db-"}, remoteKey="BUNDLE")
    assert await pushed_of(scene, manifest, **DATA) == {"BUNDLE": '{"db-password":"p","db-user":"u"}'}
    assert scene.requests() == SINGLE + Counter(creation=1)
    await count_anew(scene)
    async with scene.runs("pushed"):
        await scene.apply(source(**DATA | {"db-user": "new"}))
    assert stored(scene)["BUNDLE"] == '{"db-password":"p","db-user":"new"}'
    assert scene.requests() == SINGLE + Counter(update=1)


async def test_explicit_entry_wins_over_data_to_for_its_key(scene: Scene) -> None:
    """One that names no key displaces nothing."""
    manifest = push_secret(
        entry("db-user", "LOGIN"),
        entry(None, "WHOLE"),
        dataTo=[{"storeRef": HERE, "match": {"regexp": "db"}}],
    )
    pushed = await pushed_of(scene, manifest, **DATA)
    whole = '{"db-password":"p","db-user":"u","other":"o"}'
    assert pushed == {"LOGIN": "u", "db-password": "p", "WHOLE": whole}


async def test_keys_of_the_source_are_turned_back_into_what_they_stand_for(scene: Scene) -> None:
    """Before they are matched: in data and in dataTo."""
    explicit = entry("a b", "SINGLE") | {"conversionStrategy": "ReverseUnicode"}
    everything = {"storeRef": HERE, "conversionStrategy": "ReverseUnicode"}
    manifest = push_secret(explicit, dataTo=[everything])
    pushed = await pushed_of(scene, manifest, a_U0020_b="1", c_U0040_d="2")
    assert pushed == {"SINGLE": "1", "c@d": "2"}


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


# --- IfNotExists -------------------------------------------------------------------------------------------------


async def test_what_exists_is_left_as_it_is_and_is_not_ours(scene: Scene) -> None:
    """A secret, and a property; what is missing is created, and is ours."""
    scene.project.set_secret("dev", "/", "THERE", "theirs")
    scene.project.set_secret("dev", "/", "LOGIN", '{"user": "theirs"}')
    await begin_counting(scene)
    entries = [
        entry("one", "THERE"),
        entry("one", "MADE"),
        entry("one", "LOGIN", property="user"),
        entry("one", "LOGIN", property="token"),
    ]
    await scene.apply(source(one="1"), push_secret(*entries, **IF_NOT_EXISTS))
    condition = await scene.ready("pushed", PUSH_SECRET)
    assert condition["message"] == UNCHANGED
    assert stored(scene)["THERE"] == "theirs"
    assert stored(scene)["MADE"] == "1"
    assert stored(scene)["LOGIN"] == '{"user": "theirs","token":"1"}'
    assert scene.requests() == LISTING + Counter(creation=1, update=1)
    assert await recorded(scene) == {"SecretStore/infisical": ["LOGIN/token", "MADE"]}
    await count_anew(scene)
    async with scene.runs("pushed"):  # what it made itself exists by now
        await scene.apply(source(one="2"))
    assert stored(scene)["MADE"] == "1"
    assert scene.requests() == LISTING


# --- sources -----------------------------------------------------------------------------------------------------


async def test_every_secret_with_certain_labels_is_a_source(scene: Scene) -> None:
    """One that gets the labels later is pushed then."""
    chosen = {"secret": {"selector": {"matchLabels": {"team": "a"}}}}
    await begin_counting(scene)
    await scene.apply(
        labelled(source("first", one="1"), team="a"),
        labelled(source("second", two="2"), team="a"),
        labelled(source("other", three="3"), team="b"),
        push_secret(selector=chosen, dataTo=[{"storeRef": HERE}]),
    )
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene).items() >= {("one", "1"), ("two", "2")}
    assert "three" not in stored(scene)
    assert scene.requests() == LISTING + Counter({"batch creation": 1})
    await count_anew(scene)
    async with scene.runs("pushed"):
        await scene.apply(labelled(source("other", three="3"), team="a"))
    assert stored(scene)["three"] == "3"
    assert scene.requests() == LISTING + Counter(creation=1)


@pytest.mark.parametrize("by", ["name", "selector"])
async def test_source_that_is_missing_is_told_and_pushed_when_it_appears(scene: Scene, by: str) -> None:
    """At once, and nothing was asked of Infisical before. Under policy None nothing goes with it when it vanishes."""
    secret = {"name": "source"} if by == "name" else {"selector": {"matchLabels": {"team": "a"}}}
    said = (
        'the source Secret "source" does not exist' if by == "name" else "a Secret that spec.selector chooses"
    )
    await begin_counting(scene)
    await scene.apply(push_secret(entry("one", "ONE"), selector={"secret": secret}))
    condition = await scene.ready("pushed", PUSH_SECRET, status="False", said=said)
    assert condition["reason"] == "Errored"
    assert not scene.requests()
    await scene.apply(labelled(source(one="1"), team="a"))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene)["ONE"] == "1"
    assert scene.requests() == SINGLE + Counter(creation=1)
    await count_anew(scene)
    await scene.delete(SECRET, "source")
    await scene.ready("pushed", PUSH_SECRET, status="False", said=said)
    assert stored(scene)["ONE"] == "1"
    assert not scene.requests()
