"""Properties and whole sources that are pushed are read again byte for byte; bytes that are no text are told."""

import asyncio
import base64
import json
from typing import Any

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from adapters.cluster import Done, Kind, Object
from adapters.infisical.stored_form import as_stored
from adapters.resources.kinds import EXTERNAL_SECRET, PUSH_SECRET, SECRET
from reconciler.content.push_entries import is_too_large
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.test_plan_is_the_run import World

PATHS = ("user", r"db\.user", "db.password", r"wild\*", "ключ")
"""Paths of properties that reading and writing understand alike, and that do not cross each other."""

WORDS = ('{"a": "b"}', '"quoted"', "null", "-0.10", "{", "\\u0041", "line\r\nbreak\n", "$", "$${", "{{ . }}")
texts = (
    st.text(max_size=40)
    | st.text('"\\{}[]:,\x00\x1f\x7f\n\r\t\u2028\ufeff\U0001f511é ', max_size=20)
    | st.sampled_from(WORDS)
).filter(lambda text: "${" not in text)  # the server replaces references
quickly = settings(max_examples=40, phases=(Phase.explicit, Phase.generate))


def secret(data: dict[str, bytes]) -> Object:
    """The source with these bytes."""
    manifest = source()
    del manifest["stringData"]
    return {**manifest, "data": {key: base64.b64encode(value).decode() for key, value in data.items()}}


def reading(**spec: Any) -> Object:
    """An ExternalSecret of the Secret `target`."""
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "wanted"},
        "spec": {"secretStoreRef": {"name": "infisical"}, "target": {"name": "target"}, **spec},
    }


async def condition(world: World, kind: Kind, name: str) -> dict[str, Any]:
    """The Ready condition."""
    answer = await world.cluster.get(kind, "default", name)
    assert isinstance(answer, Done)
    assert answer.object is not None
    return dict(answer.object["status"]["conditions"][0])


async def read_again(world: World, **spec: Any) -> dict[str, bytes]:
    """What an ExternalSecret makes of what is at Infisical; it is applied and run."""
    await world.apply(reading(**spec))
    await world.run()
    found = await condition(world, EXTERNAL_SECRET, "wanted")
    assert found["status"] == "True", found
    answer = await world.cluster.get(SECRET, "default", "target")
    assert isinstance(answer, Done)
    assert answer.object is not None
    return {key: base64.b64decode(value) for key, value in (answer.object.get("data") or {}).items()}


@quickly
@given(st.lists(texts, min_size=len(PATHS), max_size=len(PATHS)), st.booleans())
def test_properties_of_one_secret(values: list[str], there: bool) -> None:
    """Nothing is lost of them, neither white space; and what else the secret holds stays as it was."""

    async def pushed_and_read() -> None:
        world = World()
        if there:
            world.project.set_secret("dev", "/", "NAME", '{"theirs": 1.50, "db": {"more": null}}')
        await world.begin()
        data = {f"key-{number}": text.encode() for number, text in enumerate(values)}
        entries = [entry(key, "NAME", property=path) for key, path in zip(data, PATHS, strict=True)]
        await world.apply(secret(data), push_secret(*entries))
        await world.run()
        found = await condition(world, PUSH_SECRET, "pushed")
        assert found["status"] == "True", found
        wanted = [
            {"secretKey": key, "remoteRef": {"key": "NAME", "property": path}}
            for key, path in zip(data, PATHS, strict=True)
        ]
        assert await read_again(world, data=wanted) == data
        held = world.at_infisical()["/NAME"]
        assert ('"theirs": 1.50' in held and '"more": null' in held) == there

    asyncio.run(pushed_and_read())


@quickly
@given(
    st.dictionaries(
        st.from_regex("[A-Za-z_-][A-Za-z0-9._-]{0,5}", fullmatch=True), texts, min_size=1, max_size=5
    )
)
def test_all_of_a_source_as_one_value_and_back_as_keys(content: dict[str, str]) -> None:
    """One object at Infisical, of which `dataFrom.extract` makes the same keys again."""

    async def pushed_and_read() -> None:
        world = World()
        await world.begin()
        data = {key: text.encode() for key, text in content.items()}
        await world.apply(secret(data), push_secret(entry(None, "NAME")))
        await world.run()
        assert json.loads(world.at_infisical()["/NAME"]) == content
        assert await read_again(world, dataFrom=[{"extract": {"key": "NAME"}}]) == data

    asyncio.run(pushed_and_read())


def storable(value: bytes) -> bool:
    """Whether a server can hold it."""
    try:
        return not is_too_large(value.decode())
    except UnicodeDecodeError:
        return False


@quickly
@given(st.lists(st.binary(max_size=6), min_size=1, max_size=4), st.sampled_from((None, "part")))
@example([b"\xff", b"one"], None)
@example([b"x" * 1_040_000, b"one"], "part")
def test_bytes_that_are_no_text_are_told_and_not_written(contents: list[bytes], part: str | None) -> None:
    """What can be pushed is pushed; of what cannot, the first is named, and all that was there stays."""

    async def pushed() -> None:
        world = World()
        before = '{"theirs":"1"}'
        await world.begin()
        data = {f"key-{number}": value for number, value in enumerate(contents)}
        for number in range(len(contents)):
            world.project.set_secret("dev", "/", f"NAME_{number}", before)
        remote = {} if part is None else {"property": part}
        entries = [entry(key, f"NAME_{number}", **remote) for number, key in enumerate(data)]
        await world.apply(secret(data), push_secret(*entries))
        await world.run()
        held = world.at_infisical()
        for number, value in enumerate(contents):
            stored = held[f"/NAME_{number}"]
            if not storable(value):
                assert stored == before
            elif part is None:
                assert stored == as_stored(value.decode())
            else:
                assert json.loads(stored) == {"theirs": "1", part: value.decode()}
        failed = [number for number, value in enumerate(contents) if not storable(value)]
        found = await condition(world, PUSH_SECRET, "pushed")
        assert (found["status"] == "True") == (not failed)
        assert all(f"NAME_{number}" in found["message"] for number in failed[:1])

    asyncio.run(pushed())
