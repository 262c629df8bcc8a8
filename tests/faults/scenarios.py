"""What users do, each as a preparation, in which nothing goes wrong, and moves, in which a fault strikes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from adapters.cluster import Done, Object
from adapters.local.cluster import HISTORY
from adapters.resources.kinds import CONFIG_MAP, EXTERNAL_SECRET, SECRET, SECRET_STORE
from machines.effects import Apply, Fetch
from reconciler.content.metadata import field_manager
from reconciler.standin import Kind, Meanwhile
from tests.faults.injection import Fault, Place
from tests.faults.world import World, secret
from tests.scenarios.manifests import key, named

FINALIZER = "externalsecrets.external-secrets.io/externalsecret-cleanup"
SHORT_HISTORY = 8
KEYS = [key("API_KEY", "api"), key("DB_PASSWORD", "db")]
Move = Callable[[World], Awaitable[None]]


class Scenario(NamedTuple):
    """A name, what is there before, and what is done; after each move all comes to rest."""

    name: str
    prepare: Move
    moves: Sequence[Move]
    retries: bool = False  # it ends in an error that is tried again: requests never cease
    leases: int = 1  # how many sets of credentials it uses, one after the other
    singles: int = (
        0  # how many secrets that were deleted already are looked for one by one by the next process
    )
    resources: int = 1  # how many ExternalSecrets may tell of the same trouble
    races: bool = False  # a move comes in the middle of a run: what was in between may be passed over
    without: frozenset[Place] = frozenset()  # what does not happen in it
    history: int = HISTORY  # how many changes watches can go back
    besides: Mapping[Fault, str] = {}  # differences that are right, as a regular expression


async def _nothing(world: World) -> None:
    await world.start()
    await world.rest(60.0)


async def _wanted(world: World) -> None:
    await world.ready(world.external_secret(data=KEYS))


async def _store_alone(world: World) -> None:
    await world.ready()


async def _first_sync(world: World) -> None:
    await world.apply(world.credentials_secret(), world.store(), world.external_secret(data=KEYS))


async def _changed(world: World) -> None:
    world.set("API_KEY", "changed")
    world.set("DB_PASSWORD", "changed too")


async def _changed_and_asked(world: World) -> None:
    await _changed(world)
    await world.refresh()


async def _hourly(world: World) -> None:
    await world.ready(world.external_secret(data=KEYS, refreshInterval="1h"))


async def _an_hour_passes(world: World) -> None:
    await _changed(world)
    await world.rest(3700.0)


async def _key_goes(world: World) -> None:
    world.set("API_KEY", "changed")
    world.project.remove_secret("dev", "/", "DB_PASSWORD")
    await world.refresh()


async def _key_comes(world: World) -> None:
    world.set("DB_PASSWORD", "back")


async def _found(world: World) -> None:
    await world.ready(world.external_secret(dataFrom=[named("^API")]))


async def _nothing_is_found(world: World) -> None:
    world.project.remove_secret("dev", "/", "API_KEY")
    await world.refresh()


async def _damaged(world: World) -> None:
    await world.patch(SECRET, "wanted", "replace", "/data/api", "eA==")


async def _target_deleted(world: World) -> None:
    await world.delete(SECRET, "wanted")


async def _renamed(world: World) -> None:
    await world.apply(world.external_secret(data=KEYS, target={"name": "renamed"}))


async def _with_finalizer(world: World) -> None:
    wanted = world.external_secret(data=KEYS)
    wanted["metadata"]["finalizers"] = [FINALIZER, "example.com/theirs"]
    await world.ready(wanted)


async def _resource_deleted(world: World) -> None:
    await world.delete(EXTERNAL_SECRET, "wanted")


async def _other_finalizer_off(world: World) -> None:
    there = getattr(await world.cluster.get(EXTERNAL_SECRET, "default", "wanted"), "object", {})
    kept = [name for name in there["metadata"]["finalizers"] if name != "example.com/theirs"]
    await world.patch(EXTERNAL_SECRET, "wanted", "replace", "/metadata/finalizers", kept)


async def _policies_not_built(world: World) -> None:
    await world.apply(
        *(world.external_secret(policy.lower(), data=KEYS, target={"creationPolicy": policy})
          for policy in ("Merge", "Orphan", "None")),
        *(world.external_secret(policy.lower(), data=KEYS, target={"deletionPolicy": policy})
          for policy in ("Delete",)),
    )  # fmt: skip


async def _policy_changed(world: World) -> None:
    await world.apply(world.external_secret(data=KEYS, target={"deletionPolicy": "Delete"}))


async def _wrong_credentials(world: World) -> None:
    await world.apply(world.credentials_secret(client_secret="wrong"), world.store())


async def _right_credentials(world: World) -> None:
    await world.apply(world.credentials_secret())


async def _rotated(world: World) -> None:
    new = world.server.add_client_secret(world.identity)
    world.identity.universal.secrets[0].revoked = True  # type: ignore[union-attr]
    await _changed(world)
    await world.apply(world.credentials_secret(client_secret=new))
    await world.refresh()


async def _two(world: World) -> None:
    await world.apply(
        world.external_secret("first", data=KEYS),
        world.external_secret("second", dataFrom=[named(".*")]),
    )


def _from_two_stores(world: World) -> Object:
    other = {"sourceRef": {"storeRef": {"name": "other", "kind": "SecretStore"}}}
    entry = key("SERVICE_PASSWORD", "service") | other
    return world.external_secret(data=[*KEYS, entry])


async def _two_stores(world: World) -> None:
    await world.ready(world.store("other", secretsPath="/my-app"))


async def _two_stores_used(world: World) -> None:
    await world.apply(_from_two_stores(world))


async def _both_change(world: World) -> None:
    world.set("SERVICE_PASSWORD", "changed", "/my-app")
    await _changed_and_asked(world)


async def _somebody_writes_first(world: World) -> None:
    async def move() -> None:
        await world.patch(SECRET, "wanted", "add", "/metadata/labels/theirs", "1")

    world.moves.before(Apply, move)
    await _changed_and_asked(world)


async def _somebody_adds_a_key_first(world: World) -> None:
    async def move() -> None:
        await world.patch(SECRET, "wanted", "add", "/data/theirs", "eA==")

    world.moves.before(Apply, move)
    await _changed_and_asked(world)


async def _changed_and_changed_again(world: World) -> None:
    await _changed_and_asked(world)
    await world.rest(0.5)
    world.set("API_KEY", "changed again")
    await world.refresh(how="again")


async def _much_happens_at_once(world: World) -> None:
    await world.make_noise(2 * SHORT_HISTORY)
    await _changed_and_asked(world)
    await world.apply(world.external_secret("second", data=KEYS))
    await world.make_noise(2 * SHORT_HISTORY)


async def _changed_under_the_run(world: World) -> None:
    async def move() -> None:
        await world.apply(world.external_secret(data=[KEYS[0]]))

    world.moves.before(Fetch, move)
    await _changed_and_asked(world)


async def _theirs(world: World) -> None:
    await world.apply(secret("wanted", {"old": "value"}))
    await world.ready()


async def _of_former_days(world: World) -> None:
    """As External Secrets Operator leaves it: written by an update under the manager's name that an apply uses."""
    former = secret("wanted", {"api": "former", "gone": "former"})
    former["metadata"]["namespace"] = "default"
    answer = await world.cluster.create(former, field_manager("wanted"))
    assert isinstance(answer, Done)
    await world.ready()


async def _adopted(world: World) -> None:
    await world.apply(world.external_secret(data=KEYS))


async def _somebody_elses(world: World) -> None:
    await world.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop"}, "data": {}})
    there = getattr(await world.cluster.get(CONFIG_MAP, "default", "shop"), "object", {})
    uid = there["metadata"]["uid"]
    theirs = secret("wanted", {"old": "value"})
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "shop", "uid": uid, "controller": True}
    theirs["metadata"]["ownerReferences"] = [owner]
    await world.apply(theirs)
    await world.ready()


async def _project_remade(world: World) -> None:
    world.project = world.server.remake_project("my-project")
    await _changed_and_asked(world)


async def _token_ends(world: World) -> None:
    world.server.faults.plan(Kind.LISTING, Meanwhile(world.server.end_tokens))
    await _changed_and_asked(world)


async def _keys_changed(world: World) -> None:
    await world.apply(world.external_secret(data=[KEYS[0], key("JSON_BLOB", "blob")]))


async def _store_deleted(world: World) -> None:
    await world.delete(SECRET_STORE, "infisical")
    await _changed_and_asked(world)


async def _store_is_back(world: World) -> None:
    await world.apply(world.store())


async def _folder(world: World) -> None:
    await world.ready(world.external_secret(data=[key("/my-app/SERVICE_PASSWORD", "service")]))


async def _folder_goes(world: World) -> None:
    world.project.remove_folder("dev", "/my-app")
    await world.refresh()


async def _while_away(world: World) -> None:
    await world.stop()
    await _changed_and_asked(world)
    await world.apply(world.external_secret("second", data=KEYS))
    await world.start()


async def _damaged_while_away(world: World) -> None:
    await world.stop()
    await _damaged(world)
    await world.start()


AT_REST = frozenset({Place.EFFECT, Place.CALL, Place.READ})
NO_READS = frozenset({Place.READ})
MADE_AGAIN = dict.fromkeys(
    (Fault.EVENT_LOST, Fault.EVENT_LATE), "Secrets held|create Secret: 1|delete Secret: 2"
)
"""Where the deletion of a resource was not heard of, but that its Secret was collected, it is made once more; its owner
reference has it collected again, and the report finds out."""
UNSEEN_OWNER = {Fault.READ_STALE: 'belongs to another controller; .*, not .*"wanted" belongs to ConfigMap'}
"""Where the Secret was not seen, the API server's refusal of a second controller does not name the first."""
IN_TWO_STEPS = {Fault.READ_STALE: "Secrets held|change Secret: 3, not 2"}
"""Where the Secret was not seen, it is applied onto as it stands; what it holds besides goes after the next look."""

SCENARIOS = (
    Scenario("first sync", _nothing, (_first_sync,)),
    Scenario(
        "a store alone", _nothing, (lambda world: world.apply(world.credentials_secret(), world.store()),)
    ),
    Scenario("values change, refresh asked for", _wanted, (_changed_and_asked,)),
    Scenario("values change, refresh due", _hourly, (_an_hour_passes,)),
    Scenario("a key goes and comes", _wanted, (_key_goes, _key_comes)),
    Scenario("nothing is found any more", _found, (_nothing_is_found,)),
    Scenario("the target is damaged", _wanted, (_damaged,)),
    Scenario("the target is deleted", _wanted, (_target_deleted,)),
    Scenario("the target is renamed", _wanted, (_renamed,)),
    Scenario("the keys are changed", _wanted, (_keys_changed,)),
    Scenario("the resource is deleted", _wanted, (_resource_deleted,), without=AT_REST, besides=MADE_AGAIN),
    Scenario(
        "a resource with finalizers is deleted",
        _with_finalizer,
        (_resource_deleted, _other_finalizer_off),
        without=NO_READS,
    ),
    Scenario(
        "policies that are not built", _store_alone, (_policies_not_built,), resources=4, without=NO_READS
    ),
    Scenario("a policy that is not built comes in", _wanted, (_policy_changed,), without=NO_READS),
    Scenario("wrong credentials, then right ones", _nothing, (_wrong_credentials, _right_credentials)),
    Scenario("credentials are rotated", _wanted, (_rotated,), leases=2),
    Scenario("two resources share a lease", _store_alone, (_two,), resources=2),
    Scenario("two stores", _two_stores, (_two_stores_used, _both_change)),
    Scenario("somebody writes first", _wanted, (_somebody_writes_first,)),
    Scenario("somebody adds a key first", _wanted, (_somebody_adds_a_key_first,)),
    Scenario("values change, and again in a moment", _wanted, (_changed_and_changed_again,), races=True),
    Scenario(
        "more happens than is remembered",
        _wanted,
        (_much_happens_at_once,),
        resources=2,
        history=SHORT_HISTORY,
    ),
    Scenario("the resource changes under the run", _wanted, (_changed_under_the_run,), races=True),
    Scenario("a Secret is adopted", _theirs, (_adopted,)),
    Scenario(
        "a Secret of another controller's days is taken over",
        _of_former_days,
        (_adopted,),
        besides=IN_TWO_STEPS,
    ),
    Scenario("a Secret of somebody else", _somebody_elses, (_adopted,), besides=UNSEEN_OWNER),
    Scenario("the project is made anew", _wanted, (_project_remade,), retries=True),
    Scenario("the token ends", _wanted, (_token_ends,)),
    Scenario("the store is deleted and comes back", _wanted, (_store_deleted, _store_is_back)),
    Scenario("the folder goes", _folder, (_folder_goes,), retries=True),
    Scenario("changes while the controller is away", _wanted, (_while_away,), resources=2),
    Scenario("damage while the controller is away", _wanted, (_damaged_while_away,)),
)
