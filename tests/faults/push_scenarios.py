"""What users do with PushSecrets, each as a preparation, in which nothing goes wrong, and moves, in which a fault strikes."""

from typing import Any

from adapters.cluster import Object
from adapters.resources.kinds import PUSH_SECRET, SECRET
from reconciler.standin import Kind, Status
from tests.faults.scenarios import AT_REST, Scenario
from tests.faults.world import World, secret
from tests.scenarios.pushing import entry, push_secret

THREE = (entry("one", "ONE"), entry("two", "TWO"), entry("three", "THREE"))
PROPERTY = entry("one", "JSON_BLOB", property="mine")  # of a secret that is there, with another property
VALUES = {"one": "1", "two": "2", "three": "3"}


def _source(**changed: str) -> Object:
    return secret("source", VALUES | changed)


def _pushed(*entries: dict[str, Any], **spec: Any) -> Object:
    return push_secret(*entries, refreshInterval="24h", **spec)


def _deleting(*entries: dict[str, Any]) -> Object:
    return _pushed(*entries, deletionPolicy="Delete")


async def _store_alone(world: World) -> None:
    await world.ready()


async def _first_push(world: World) -> None:
    await world.apply(_source(), _deleting(*THREE))


async def _pushes(world: World) -> None:
    await world.ready(_source(), _pushed(*THREE))


async def _pushes_and_deletes(world: World) -> None:
    await world.ready(_source(), _deleting(*THREE))


async def _one_changes(world: World) -> None:
    await world.apply(_source(two="changed"))


async def _property_comes(world: World) -> None:
    await world.apply(_source(), _deleting(PROPERTY))


async def _property_and_whole(world: World) -> None:
    await world.ready(_source(), _deleting(PROPERTY, THREE[1]))


async def _property_goes(world: World) -> None:
    await world.apply(_deleting(THREE[1]))


async def _entry_goes(world: World) -> None:
    await world.apply(_source(one="changed"), _deleting(*THREE[:2]))


async def _resource_deleted(world: World) -> None:
    await world.delete(PUSH_SECRET, "pushed")


async def _source_deleted(world: World) -> None:
    await world.delete(SECRET, "source")


async def _source_comes_back(world: World) -> None:
    await world.apply(_source())


async def _two_stores(world: World) -> None:
    await world.ready(world.store("other", secretsPath="/my-app"))


async def _pushed_to_both(world: World) -> None:
    stores = [{"name": name, "kind": "SecretStore"} for name in ("infisical", "other")]
    await world.apply(_source(), _deleting(*THREE[:2]) | {"spec": _spec_of(stores)})


def _spec_of(stores: list[dict[str, str]]) -> dict[str, Any]:
    spec: dict[str, Any] = _deleting(*THREE[:2])["spec"]
    return spec | {"secretStoreRefs": stores}


async def _one_store_leaves(world: World) -> None:
    await world.apply(_deleting(*THREE[:2]))


async def _kept_what_is_there(world: World) -> None:
    entries = (entry("one", "API_KEY"), THREE[1])
    await world.apply(_source(), _pushed(*entries, updatePolicy="IfNotExists"))


async def _needs_approval(world: World) -> None:
    world.project.add_change_policy("dev")
    await _store_alone(world)


async def _asks_for_approval(world: World) -> None:
    await world.apply(_source(), push_secret(*THREE[:2], refreshInterval="1h"))


async def _approved(world: World) -> None:
    world.remote.by_user = True
    for approval in world.project.approvals:
        world.project.approve(approval)
    world.remote.by_user = False
    await world.rest(3700.0)


async def _two_share(world: World) -> None:
    mine, yours = PROPERTY, entry("two", "JSON_BLOB", property="yours")
    await world.apply(_source(), _pushed(mine), _pushed(yours, name="second"))


async def _write_fails_first(world: World) -> None:
    world.server.faults.plan(Kind.BATCH_CREATION, Status(500), times=6)
    await _first_push(world)


PUSHES = (
    Scenario("first push of three keys", _store_alone, (_first_push,)),
    Scenario("one of three values changes", _pushes, (_one_changes,)),
    Scenario("a property is merged in", _store_alone, (_property_comes,)),
    Scenario("a property goes, with policy Delete", _property_and_whole, (_property_goes,)),
    Scenario("an entry goes, with policy Delete", _pushes_and_deletes, (_entry_goes,)),
    Scenario(
        "a PushSecret is deleted, with policy Delete", _pushes_and_deletes, (_resource_deleted,), singles=3
    ),
    Scenario("a PushSecret is deleted", _pushes, (_resource_deleted,), without=AT_REST),
    Scenario(
        "the source goes and comes", _pushes_and_deletes, (_source_deleted, _source_comes_back), singles=3
    ),
    Scenario(
        "pushed to two stores, then to one", _two_stores, (_pushed_to_both, _one_store_leaves), singles=3
    ),
    Scenario("what is there is kept", _store_alone, (_kept_what_is_there,)),
    Scenario("a push waits for approval", _needs_approval, (_asks_for_approval, _approved)),
    Scenario("two PushSecrets share a secret", _store_alone, (_two_share,), resources=2),
    Scenario("a write fails first", _store_alone, (_write_fails_first,)),
)
