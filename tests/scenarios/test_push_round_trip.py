"""What is pushed and then fetched again is the same to the byte, for every value that the server can store."""

import asyncio
import base64
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.cluster import Object
from adapters.infisical.stored_form import as_stored
from reconciler.demonstration import example_manifests
from tests.scenarios.pushing import entry, push_secret
from tests.scenarios.test_plan_is_the_run import World

MEANINGFUL = (
    "\n",
    "\r\n",
    '"',
    "\\",
    "\\n",
    "${A}",
    "$",
    "{",
    "}",
    "<&>",
    "\u2028",
    "\ufeff",
    "é",
    "😀",
    "\x7f",
    " ",
)

texts = st.lists(st.text(st.characters(codec="utf-8"), max_size=4) | st.sampled_from(MEANINGFUL))
values = st.lists(texts.map("".join), min_size=1, max_size=4)


def encoded(text: str) -> str:
    """As in the data of a Secret."""
    return base64.b64encode(text.encode()).decode()


def fetching(names: dict[str, dict[str, str]]) -> Object:
    """An ExternalSecret of these keys, by reference."""
    data: list[dict[str, Any]] = [{"secretKey": key, "remoteRef": remote} for key, remote in names.items()]
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "fetched"},
        "spec": {"secretStoreRef": {"name": "plain", "kind": "SecretStore"}, "data": data},
    }


async def come_back(wanted: list[str]) -> None:
    """As whole values, each must come back as stored; as properties of one secret, as it was sent."""
    world = World()
    await world.begin()
    await world.apply(plain_store(world))
    keys = [f"k{number}" for number in range(len(wanted))]
    await world.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "source"},
            "type": "Opaque",
            "data": {key: encoded(text) for key, text in zip(keys, wanted, strict=True)},
        },
        push_secret(
            *(entry(key, f"WHOLE_{key}") for key in keys),
            *(entry(key, "OBJECT", property=key) for key in keys),
        ),
    )
    await world.run()
    names = {f"whole-{key}": {"key": f"WHOLE_{key}"} for key in keys}
    names |= {f"part-{key}": {"key": "OBJECT", "property": key} for key in keys}
    await world.apply(fetching(names))
    before = {name: world.project.version("dev", "/", name) for name in world.project.values("dev", "/")}
    await world.run()
    fetched = (await world.secrets())["fetched"]
    for key, text in zip(keys, wanted, strict=True):
        assert fetched[f"whole-{key}"] == encoded(as_stored(text))
        assert fetched[f"part-{key}"] == encoded(text)
    after = {name: world.project.version("dev", "/", name) for name in world.project.values("dev", "/")}
    assert after == before


def plain_store(world: World) -> Object:
    """The documented store, but for references, which it leaves as they are."""
    documents = example_manifests(
        "http://infisical.example", world.credentials.client_id, world.credentials.client_secret
    )
    store = next(one for one in documents["store-universal-auth"] if one["kind"] == "SecretStore")
    store["metadata"] = {"name": "plain"}
    store["spec"]["provider"]["infisical"]["secretsScope"]["expandSecretReferences"] = False
    return store


@settings(max_examples=60, deadline=None)
@given(wanted=values)
def test_what_is_pushed_comes_back(wanted: list[str]) -> None:
    asyncio.run(come_back(wanted))
