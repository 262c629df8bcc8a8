"""What is pushed, to the byte: whole Secrets, properties, and what the server makes of a value."""

from collections import Counter

import pytest

from adapters.resources.kinds import PUSH_SECRET
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene

pytestmark = pytest.mark.asyncio


async def force(scene: Scene) -> None:
    """Run once more, and count from here."""
    scene.server.record.clear()
    async with scene.runs("pushed"):
        await scene.annotate(
            PUSH_SECRET, "pushed", {"external-secrets.io/force-sync": str(len(scene.journal.transitions))}
        )


@pytest.mark.statement("S63")
async def test_a_whole_secret_is_compact_sorted_json_escaped_as_go_does(scene: Scene) -> None:
    await scene.begin_with_store()
    await scene.apply(source(b="<&>\u2028é", a='1"'), push_secret(entry(None, "WHOLE")))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("dev", "/")["WHOLE"] == '{"a":"1\\"","b":"\\u003c\\u0026\\u003e\\u2028é"}'
    await force(scene)
    assert scene.requests() == Counter(single=1)


@pytest.mark.statement("S64")
async def test_a_property_is_merged_and_the_others_are_kept_as_they_are(scene: Scene) -> None:
    """Their order, and their references unexpanded."""
    await scene.begin_with_store()
    scene.project.set_secret("dev", "/", "OBJECT", '{"z": "${API_KEY}", "user": "old", "a": [1, 2]}')
    scene.server.record.clear()
    await scene.apply(source(one="new"), push_secret(entry("one", "OBJECT", property="user")))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("dev", "/")["OBJECT"] == '{"z": "${API_KEY}", "user": "new", "a": [1, 2]}'
    assert scene.requests() == Counter(single=1, update=1)
    await force(scene)
    assert scene.requests() == Counter(single=1)


@pytest.mark.statement("S64")
@pytest.mark.parametrize("existing", ["plain text", "[1]", '"text"'])
async def test_a_property_of_what_is_no_object_is_an_error(scene: Scene, existing: str) -> None:
    """Nothing is written over; what else is pushed is pushed."""
    await scene.begin_with_store()
    scene.project.set_secret("dev", "/", "OBJECT", existing)
    entries = [entry("one", "OBJECT", property="user"), entry("one", "OTHER")]
    await scene.apply(source(one="1"), push_secret(*entries))
    await scene.ready("pushed", PUSH_SECRET, status="False", said="OBJECT")
    values = scene.project.values("dev", "/")
    assert (values["OBJECT"], values["OTHER"]) == (existing, "1")


async def test_two_properties_of_one_new_secret_are_one_creation(scene: Scene) -> None:
    await scene.begin_with_store()
    scene.server.record.clear()
    entries = [entry("one", "OBJECT", property="b"), entry("two", "OBJECT", property="a.c")]
    await scene.apply(source(one="1", two="2"), push_secret(*entries))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("dev", "/")["OBJECT"] == '{"a":{"c":"2"},"b":"1"}'
    assert scene.requests() == Counter(single=1, creation=1)


@pytest.mark.statement("S66")
@pytest.mark.statement("S86")
@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("  padded\n\n", "padded\n"),
        ("final newline\n", "final newline\n"),
        ("", ""),
        ("${API_KEY} and ${nothing}", "${API_KEY} and ${nothing}"),
        ("two\nlines", "two\nlines"),
    ],
    ids=["white space", "final newline", "empty", "references", "lines"],
)
async def test_equality_is_judged_as_the_server_stores(scene: Scene, value: str, stored: str) -> None:
    """Each is written once, however often it is looked at."""
    await scene.begin_with_store()
    await scene.apply(source(one=value), push_secret(entry("one", "ONE")))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("dev", "/")["ONE"] == stored
    await force(scene)
    await force(scene)
    assert scene.requests() == Counter(single=1)
    assert scene.project.version("dev", "/", "ONE") == 1
    told = [reason for reason, _ in await scene.events("pushed") if reason == "WhiteSpaceDropped"]
    assert len(told) == (value.strip() != stored.strip() or value != stored)


async def test_an_empty_value_replaces_another(scene: Scene) -> None:
    await scene.begin_with_store()
    await scene.apply(source(one="1"), push_secret(entry("one", "ONE")))
    await scene.ready("pushed", PUSH_SECRET)
    async with scene.runs("pushed"):
        await scene.apply(source(one=""))
    assert scene.project.values("dev", "/")["ONE"] == ""
