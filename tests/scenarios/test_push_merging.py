"""What comes together at Infisical: properties of one secret, keys of a bundle, entries of several folders."""

from collections import Counter
from typing import Any

import pytest

from adapters.cluster import Object
from adapters.resources.kinds import PUSH_SECRET, SECRET
from tests.scenarios.pushing import begin_counting, count_anew, entry, push_again, push_secret, source, stored
from tests.scenarios.scene import LISTING, SINGLE, Scene

pytestmark = pytest.mark.asyncio

HERE = {"name": "infisical", "kind": "SecretStore"}
DATA = {"db-user": "u", "db-password": "p", "other": "o"}


def many(**fields: Any) -> Object:
    """A PushSecret of one entry of dataTo."""
    return push_secret(dataTo=[{"storeRef": HERE, **fields}])


async def pushed_of(scene: Scene, manifest: Object, **data: str) -> dict[str, str]:
    """What is at Infisical after a push that was not there before."""
    await begin_counting(scene)
    before = stored(scene)
    await scene.apply(source(**data), manifest)
    await scene.ready("pushed", PUSH_SECRET)
    return {name: value for name, value in stored(scene).items() if before.get(name) != value}


async def test_entries_of_several_folders_cost_each_folder_its_own(scene: Scene) -> None:
    """A listing and a batch where there are several, a look and a write where there is one."""
    scene.project.add_folder("dev", "/more")
    await begin_counting(scene)
    entries = [entry("one", key) for key in ("A", "B", "/my-app/C", "/my-app/D", "more/E")]
    await scene.apply(source(one="1"), push_secret(*entries))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.requests() == Counter({"listing": 2, "batch creation": 2, "single": 1, "creation": 1})
    assert stored(scene).keys() >= {"A", "B"}
    assert stored(scene, "/my-app").keys() >= {"C", "D"}
    assert stored(scene, "/more") == {"E": "1"}
    await push_again(scene)
    assert scene.requests() == Counter(listing=2, single=1)


@pytest.mark.statement("S64")
async def test_property_is_merged_and_the_others_keep_their_order(scene: Scene) -> None:
    """Also where it is replaced in the middle; several of one secret are one write. A value that holds them costs
    nothing more."""
    scene.project.set_secret("dev", "/", "LOGIN", '{"z": 1, "user": "old", "a": [true]}')
    await begin_counting(scene)
    entries = [
        entry("user", "LOGIN", property="user"),
        entry("port", "LOGIN", property="deep.port"),
        entry("user", "FRESH", property="user"),
    ]
    await scene.apply(source(user="new", port="5432"), push_secret(*entries))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene)["LOGIN"] == '{"z": 1, "user": "new", "a": [true],"deep":{"port":"5432"}}'
    assert stored(scene)["FRESH"] == '{"user":"new"}'
    assert scene.requests() == LISTING + Counter(creation=1, update=1)
    await push_again(scene)
    assert scene.requests() == LISTING
    assert scene.project.version("dev", "/", "LOGIN") == 2


@pytest.mark.statement("S64")
async def test_merged_property_leaves_its_siblings_references_as_they_were(scene: Scene) -> None:
    """What is merged into is the text as it is stored, where a reading would have the referred values."""
    scene.project.set_secret("dev", "/", "LOGIN", '{"password": "${DB_PASSWORD}", "user": "old"}')
    await begin_counting(scene)
    entries = [entry("user", "LOGIN", property="user"), entry("token", "LOGIN", property="token")]
    await scene.apply(source(user="new", token="${API_KEY}"), push_secret(*entries))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene)["LOGIN"] == '{"password": "${DB_PASSWORD}", "user": "new","token":"${API_KEY}"}'
    await push_again(scene)
    assert scene.requests() == SINGLE
    assert scene.project.version("dev", "/", "LOGIN") == 2


async def test_value_that_an_import_brings_is_not_taken_for_the_folder_s_own(scene: Scene) -> None:
    """It is created in the folder, though a reading finds the same value there already."""
    scene.project.set_secret("dev", "/shared", "BOTH", "1")
    scene.project.add_import("dev", "/", source_environment="dev", source_path="/shared")
    await begin_counting(scene)
    await scene.apply(source(one="1"), push_secret(entry("one", "BOTH")))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene)["BOTH"] == "1"
    assert scene.requests() == SINGLE + Counter(creation=1)


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


async def recorded(scene: Scene, name: str = "pushed") -> dict[str, list[str]]:
    """The names of what is ours, by store."""
    found = await scene.object(PUSH_SECRET, name)
    record = ((found or {}).get("status") or {}).get("syncedPushSecrets") or {}
    return {store: sorted(entries) for store, entries in record.items()}


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
    await scene.apply(source(one="1"), push_secret(*entries, updatePolicy="IfNotExists"))
    condition = await scene.ready("pushed", PUSH_SECRET)
    assert condition["message"].endswith("successfully. Existing secrets in providers unchanged.")
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


def labelled(object: Object, **labels: str) -> Object:
    """The same object with these labels."""
    return object | {"metadata": object["metadata"] | {"labels": labels}}


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
