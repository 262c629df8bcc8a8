"""Which values are pushed, and in which form they are found again: equal is what the server stores as equal."""

import base64
from collections import Counter

import pytest

from adapters.cluster import Object
from adapters.resources.kinds import PUSH_SECRET
from tests.scenarios.pushing import begin_counting, count_anew, entry, push_again, push_secret, source, stored
from tests.scenarios.scene import LISTING, SINGLE, Scene, key

pytestmark = pytest.mark.asyncio

TOO_LONG = "\x01" * 200_000
"""Six characters each in a request, which no longer takes them; a Secret holds them easily."""


def raw_source(**data: bytes) -> Object:
    """A Secret to push from, with values that need not be text."""
    made = source()
    del made["stringData"]
    return made | {"data": {name: base64.b64encode(value).decode() for name, value in data.items()}}


@pytest.mark.statement("S66")
async def test_white_space_at_the_ends_is_written_once_and_warned_about(scene: Scene) -> None:
    """The server drops it, and that is no difference; one warning says so, not one at each run."""
    await begin_counting(scene)
    await scene.apply(source(one="  padded\t\n\n"), push_secret(entry("one", "PADDED")))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene)["PADDED"] == "padded\n"
    assert scene.requests() == SINGLE + Counter(creation=1)
    for _ in range(2):
        await push_again(scene)
        assert scene.requests() == SINGLE
    assert scene.project.version("dev", "/", "PADDED") == 1
    warnings = [note for reason, note in await scene.events("pushed") if reason == "WhiteSpaceDropped"]
    assert warnings == [
        '"PADDED": Infisical keeps no white space at the ends of a value, but for a final newline'
    ]


@pytest.mark.statement("S66")
@pytest.mark.parametrize("value", ["", "\n", "line\n", "one\ntwo\n", "${API_KEY}"])
async def test_value_is_found_again_as_it_was_written(scene: Scene, value: str) -> None:
    """Empty, with a final newline, or with a reference that is not expanded in the comparison: one version, no warning."""
    await begin_counting(scene)
    await scene.apply(source(one=value), push_secret(entry("one", "KEPT")))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene)["KEPT"] == value
    assert scene.requests() == SINGLE + Counter(creation=1)
    await push_again(scene)
    assert scene.requests() == SINGLE
    assert scene.project.version("dev", "/", "KEPT") == 1
    assert not [reason for reason, _ in await scene.events("pushed") if reason == "WhiteSpaceDropped"]


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


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"\xff\xfe", 'what goes to "BAD" is no text (UTF-8), which Infisical cannot store'),
        (TOO_LONG.encode(), 'what goes to "BAD" is larger than Infisical takes (1 MiB); it is not sent'),
    ],
    ids=["not UTF-8", "too long"],
)
@pytest.mark.parametrize("secret_key", ["bad", None], ids=["key", "whole"])
async def test_value_that_cannot_be_stored_is_not_sent_and_the_others_are(
    scene: Scene, bad: bytes, said: str, secret_key: str | None
) -> None:
    """By itself, or within a whole Secret. Nothing of it is ever tried at the server."""
    await begin_counting(scene)
    entries = [entry(secret_key, "BAD"), entry("good", "GOOD"), entry("good", "BETTER")]
    await scene.apply(raw_source(bad=bad, good=b"fine"), push_secret(*entries))
    condition = await scene.ready("pushed", PUSH_SECRET, status="False", said=said)
    assert condition["reason"] == "Errored"
    assert "BAD" not in stored(scene)
    assert stored(scene)["GOOD"] == stored(scene)["BETTER"] == "fine"
    assert scene.requests() == LISTING + Counter({"batch creation": 1})
    await count_anew(scene)
    async with scene.runs("pushed"):
        await scene.apply(raw_source(bad=b"mended", good=b"fine"))
    assert scene.requests() == LISTING + Counter(creation=1)
    assert "mended" in stored(scene)["BAD"]


async def test_name_that_the_server_refuses_does_not_hold_up_the_others(scene: Scene) -> None:
    """They are in one batch, which is refused as a whole: the one at fault is found and told."""
    await begin_counting(scene)
    entries = [entry("one", name) for name in ("A", "B:C", "D", "E")]
    await scene.apply(source(one="1"), push_secret(*entries))
    await scene.ready("pushed", PUSH_SECRET, status="False", said='the remote key "B:C" cannot be used')
    assert stored(scene).keys() >= {"A", "D", "E"}
    assert "B:C" not in stored(scene)
    assert scene.requests() == Counter({"listing": 2, "batch creation": 4, "creation": 2})
    await push_again(scene, end="error")
    assert scene.requests() == LISTING + Counter(creation=1)


@pytest.mark.statement("S66")
async def test_what_is_pushed_is_what_an_external_secret_reads(scene: Scene) -> None:
    """There and back the same text, and a change of the source goes all the way round."""
    value = 'quotes " and \\ and ünï\u2028 {"json": "<tag>"}\n'
    await begin_counting(scene)
    await scene.apply(source(one=value), push_secret(entry("one", "ROUND")))
    await scene.ready("pushed", PUSH_SECRET)
    await scene.apply(scene.external_secret(data=[key("ROUND")]))
    await scene.holds({"key": value})
