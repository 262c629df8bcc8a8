"""PushSecret: what the cluster holds comes to be at Infisical, as often as needed and no more."""

from collections import Counter
from importlib.resources import files

import pytest
import yaml

from adapters.resources.kinds import PUSH_SECRET
from reconciler.standin import ADMIN, VIEWER
from tests.scenarios.pushing import begin_counting, count_anew, entry, push_again, push_secret, source, stored
from tests.scenarios.scene import LISTING, SINGLE, Scene

pytestmark = pytest.mark.asyncio


@pytest.mark.statement("S2")
async def test_values_of_the_cluster_come_to_infisical(scene: Scene) -> None:
    await begin_counting(scene)
    await scene.apply(source(one="1", two="2"), push_secret(entry("one", "ONE"), entry("two", "TWO")))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.requests() == Counter(listing=1, **{"batch creation": 1})
    assert {name: stored(scene)[name] for name in ("ONE", "TWO")} == {"ONE": "1", "TWO": "2"}


@pytest.mark.statement("S59")
async def test_identity_without_the_right_to_write_is_told_so(scene: Scene) -> None:
    """Reading is no right to write. The store is valid all the same; with the right, the same PushSecret works."""
    scene.credentials = scene.server.add_machine("reader", {scene.project: VIEWER})
    await begin_counting(scene)
    await scene.apply(source(one="value-of-one"), push_secret(entry("one", "ONE")))
    condition = await scene.ready(
        "pushed", PUSH_SECRET, status="False", said='the identity may not write "ONE" in folder /'
    )
    assert condition["reason"] == "Errored"
    assert "value-of-one" not in condition["message"]
    assert "give it the right to create, edit and delete secrets there" in condition["message"]
    assert scene.requests() == SINGLE + Counter(creation=1)
    assert "ONE" not in stored(scene)
    for identity in scene.project.members:
        scene.project.members[identity] = ADMIN
    await push_again(scene)
    assert stored(scene)["ONE"] == "value-of-one"


@pytest.mark.statement("S60")
@pytest.mark.statement("S64")
async def test_the_documented_example_does_what_it_says(scene: Scene) -> None:
    """As it is in the documentation: single keys, an absolute one, and one member of a JSON value."""
    text = files("reconciler").joinpath("examples", "push-secret.yaml").read_text()
    await begin_counting(scene)
    await scene.apply(*yaml.safe_load_all(text))
    condition = await scene.ready("checkout-push", PUSH_SECRET, said="PushSecret synced successfully")
    assert condition["reason"] == "Synced"
    assert stored(scene)["API_KEY"] == "change-me"
    assert stored(scene)["JSON_BLOB"] == '{"key": "value","apiKey":"change-me"}'
    assert stored(scene, "/my-app")["SERVICE_PASSWORD"] == "change-me-too"
    assert scene.requests() == LISTING + SINGLE + Counter({"batch update": 1, "update": 1})


@pytest.mark.statement("S61")
async def test_remote_keys_lead_where_keys_of_reading_lead(scene: Scene) -> None:
    """Below the store's folder, from the root, and by a folder within the key."""
    scene.project.add_folder("dev", "/my-app/inner")
    await begin_counting(scene, secretsPath="/my-app")
    entries = [entry("one", "PLAIN"), entry("one", "/ABSOLUTE"), entry("one", "inner/WITHIN")]
    await scene.apply(source(one="1"), push_secret(*entries))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene, "/my-app")["PLAIN"] == "1"
    assert stored(scene)["ABSOLUTE"] == "1"
    assert stored(scene, "/my-app/inner") == {"WITHIN": "1"}
    assert scene.requests() == Counter(single=3, creation=3)


@pytest.mark.statement("S62")
async def test_one_key_is_pushed_and_its_neighbours_are_not(scene: Scene) -> None:
    await begin_counting(scene)
    before = dict(stored(scene))
    await scene.apply(source(one="1", two="2"), push_secret(entry("two", "SECOND")))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene) == before | {"SECOND": "2"}
    assert scene.requests() == SINGLE + Counter(creation=1)


@pytest.mark.statement("S63")
async def test_without_a_key_the_whole_secret_goes_as_json_in_go_s_form(scene: Scene) -> None:
    """Compact, sorted, with the characters escaped that Go escapes, so that a switch makes no new version."""
    value = '{"a":"say \\"\\u003chi\\u003e\\" \\u0026 é","b":"line\\u2028end\\n","c":""}'
    scene.project.set_secret("dev", "/", "SAME", value)
    await begin_counting(scene)
    whole = source(b="line\u2028end\n", c="", a='say "<hi>" & é')
    await scene.apply(whole, push_secret(entry(None, "WHOLE"), entry(None, "SAME")))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene)["WHOLE"] == value
    assert scene.project.version("dev", "/", "SAME") == 1
    assert scene.requests() == LISTING + Counter(creation=1)


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


@pytest.mark.statement("S65")
async def test_what_is_missing_is_created_and_what_is_there_is_updated(scene: Scene) -> None:
    """Then a change of the source is pushed by itself, without waiting for the interval."""
    scene.project.set_secret("dev", "/", "THERE", "old")
    await begin_counting(scene)
    await scene.apply(source(one="1", two="2"), push_secret(entry("one", "THERE"), entry("two", "MISSING")))
    await scene.ready("pushed", PUSH_SECRET)
    assert (stored(scene)["THERE"], stored(scene)["MISSING"]) == ("1", "2")
    assert scene.requests() == LISTING + Counter(creation=1, update=1)
    await count_anew(scene)
    async with scene.runs("pushed"):
        await scene.apply(source(one="1", two="3"))
    assert (stored(scene)["THERE"], stored(scene)["MISSING"]) == ("1", "3")
    assert scene.project.version("dev", "/", "THERE") == 2
    assert scene.requests() == LISTING + Counter(update=1)


@pytest.mark.statement("S66")
async def test_what_is_there_as_wanted_is_not_written(scene: Scene) -> None:
    """Found so at first, and at each later run: no new version at Infisical, and one look at it."""
    scene.project.set_secret("dev", "/", "EQUAL", "1")
    await begin_counting(scene)
    await scene.apply(source(one="1"), push_secret(entry("one", "EQUAL")))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.requests() == SINGLE
    for _ in range(2):
        await push_again(scene)
        assert scene.requests() == SINGLE
    assert scene.project.version("dev", "/", "EQUAL") == 1


@pytest.mark.statement("S66")
async def test_twenty_entries_cost_a_listing_and_one_batch_and_then_a_listing(scene: Scene) -> None:
    """However many entries there are in one folder."""
    data = {f"key-{number}": f"value-{number}" for number in range(20)}
    entries = [entry(name, name.replace("-", "_").upper()) for name in data]
    await begin_counting(scene)
    await scene.apply(source(**data), push_secret(*entries))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.requests() == LISTING + Counter({"batch creation": 1})
    assert stored(scene).items() >= {(name.replace("-", "_").upper(), text) for name, text in data.items()}
    await push_again(scene)
    assert scene.requests() == LISTING


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
