"""What cannot be pushed is told, holds nothing else back, and leaves nothing half-done."""

from collections import Counter
from typing import Any

import pytest

from adapters.cluster import Object
from adapters.resources.kinds import PUSH_SECRET
from reconciler.standin import Age
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene

pytestmark = pytest.mark.asyncio

TO = {"storeRef": {"name": "infisical"}}


@pytest.mark.parametrize(
    ("pushed", "said"),
    [
        (push_secret(entry("absent", "ONE"), entry("one", "TWO")), "absent"),
        (push_secret(entry("one", "SAME"), entry("two", "SAME")), "SAME"),
        (push_secret(entry("one", "SAME"), entry("two", "/SAME")), "SAME"),
        (push_secret(entry("one", "ONE"), dataTo=[TO | {"match": {"regexp": "("}}]), "regexp"),
        (push_secret(entry("one", "ONE"), dataTo=[{"storeRef": {"name": "unlisted"}}]), "dataTo[0].storeRef"),
        (push_secret(entry("one", "ONE"), template={"data": {"x": "{{ .one }}"}}), "template"),
        (
            push_secret(
                entry("one", "ONE"),
                selector={
                    "generatorRef": {
                        "apiVersion": "generators.external-secrets.io/v1alpha1",
                        "kind": "Password",
                        "name": "x",
                    }
                },
            ),
            "generator",
        ),
        (
            push_secret(entry("one", "ONE"), dataTo=[TO | {"rewrite": [{"transform": {"template": "x"}}]}]),
            "transform",
        ),
    ],
    ids=["key", "same", "same place", "regexp", "unlisted", "template", "generator", "transform"],
)
async def test_a_mistake_in_the_manifest_is_told_and_nothing_is_done(
    scene: Scene, pushed: Object, said: str
) -> None:
    await scene.begin_with_store()
    before = scene.project.values("dev", "/")
    scene.server.record.clear()
    await scene.apply(source(one="1", two="2"), pushed)
    condition = await scene.ready("pushed", PUSH_SECRET, status="False", said=said)
    assert condition["reason"] == "Errored"
    assert scene.project.values("dev", "/") == before
    assert scene.requests() == Counter()


@pytest.mark.parametrize("bad", ["not text", "too long", "name"])
async def test_what_the_server_cannot_store_is_told_and_the_others_are_pushed(scene: Scene, bad: str) -> None:
    await scene.begin_with_store()
    secret: dict[str, Any] = source(good="1", long="x" * 1_040_000 if bad == "too long" else "x")
    secret["data"] = {"bytes": "/w=="}
    if bad == "not text":
        secret = {**secret, "data": {"bytes": "/w==", "good": "MQ=="}}
        del secret["stringData"]
    remote = "A:B" if bad == "name" else "BAD"
    key = {"not text": "bytes", "too long": "long", "name": "good"}[bad]
    await scene.apply(secret, push_secret(entry(key, remote), entry("good", "GOOD")))
    condition = await scene.ready("pushed", PUSH_SECRET, status="False", said=remote)
    assert condition["reason"] == "Errored"
    values = scene.project.values("dev", "/")
    assert values["GOOD"] == "1"
    assert remote not in values


@pytest.mark.statement("S65")
@pytest.mark.parametrize("age", list(Age))
async def test_a_folder_that_is_absent_is_named_and_costs_no_resolution(scene: Scene) -> None:
    """It is told apart from a project that is missing; what else there is to push is pushed."""
    await scene.begin_with_store()
    entries = [entry("one", "/absent/ONE"), entry("one", "TWO")]
    await scene.apply(source(one="1"), push_secret(*entries))
    await scene.ready("pushed", PUSH_SECRET, status="False", said="there is no folder /absent")
    assert scene.project.values("dev", "/")["TWO"] == "1"
    scene.server.record.clear()
    async with scene.runs("pushed", end="error"):
        await scene.annotate(PUSH_SECRET, "pushed", {"external-secrets.io/force-sync": "now"})
    assert scene.requests()["resolution"] == 0


@pytest.mark.statement("S65")
@pytest.mark.parametrize("age", list(Age))
async def test_a_folder_is_made_where_the_operator_allows_it(scene: Scene) -> None:
    await scene.start(create_folders=True)
    await scene.apply(scene.credentials_secret(), scene.store())
    await scene.store_ready()
    entries = [entry("one", "/made/below/ONE"), entry("one", "/made/TWO")]
    await scene.apply(source(one="1"), push_secret(*entries))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("dev", "/made/below") == {"ONE": "1"}
    assert scene.project.values("dev", "/made") == {"TWO": "1"}


@pytest.mark.parametrize("age", list(Age))
async def test_servers_of_every_age_are_pushed_to(scene: Scene) -> None:
    """Two new ones, then one changed: as many requests, whatever routes there are."""
    await scene.begin_with_store()
    await scene.apply(source(one="1", two="2"), push_secret(entry("one", "ONE"), entry("two", "TWO")))
    await scene.ready("pushed", PUSH_SECRET)
    async with scene.runs("pushed"):
        await scene.apply(source(one="changed", two="2"))
    values = scene.project.values("dev", "/")
    assert (values["ONE"], values["TWO"]) == ("changed", "2")
    versions = [scene.project.version("dev", "/", name) for name in ("ONE", "TWO")]
    scene.server.record.clear()
    async with scene.runs("pushed"):
        await scene.annotate(PUSH_SECRET, "pushed", {"external-secrets.io/force-sync": "now"})
    assert scene.requests() == Counter(listing=1)
    assert [scene.project.version("dev", "/", name) for name in ("ONE", "TWO")] == versions


async def test_a_store_that_is_absent_and_then_not_ready_holds_back_until_it_is(scene: Scene) -> None:
    """Nothing is asked meanwhile on behalf of what is pushed; the store that turns ready lets it go at once."""
    await scene.start()
    await scene.apply(source(one="1"), push_secret(entry("one", "ONE"), refreshInterval="0"))
    await scene.ready("pushed", PUSH_SECRET, status="False", said="infisical")
    await scene.apply(scene.store())
    await scene.store_ready(status="False")
    await scene.ready("pushed", PUSH_SECRET, status="False", said="not ready")
    assert not scene.requests()
    await scene.apply(scene.credentials_secret())
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("dev", "/")["ONE"] == "1"


@pytest.mark.parametrize("existing", ["plain text", "[1]", '"text"'])
@pytest.mark.statement("S64")
async def test_a_property_of_what_is_no_object_is_told_and_nothing_is_written_over(
    scene: Scene, existing: str
) -> None:
    """What else is pushed is pushed."""
    await scene.begin_with_store()
    scene.project.set_secret("dev", "/", "OBJECT", existing)
    entries = [entry("one", "OBJECT", property="user"), entry("one", "OTHER")]
    await scene.apply(source(one="1"), push_secret(*entries))
    await scene.ready("pushed", PUSH_SECRET, status="False", said="OBJECT")
    values = scene.project.values("dev", "/")
    assert (values["OBJECT"], values["OTHER"]) == (existing, "1")
