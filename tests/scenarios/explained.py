"""What `explain` finds in a scene, and objects with mistakes planted in them."""

from typing import Any

from adapters.cluster import Cluster, Denied, Kind, ListResult, Object, Read, Selection
from adapters.read_only import ReadOnlyCluster
from adapters.resources.kinds import EXTERNAL_SECRET
from reconciler.assembly import Options
from reconciler.explaining import Explanation, explain
from reconciler.looking import Onlooker, nobody
from reconciler.subjects import subject_of
from tests.scenarios.scene import CREDENTIALS, Scene, key

UNIVERSAL = "universalAuthCredentials"


async def explained(
    scene: Scene, kind: Kind = EXTERNAL_SECRET, name: str = "wanted", **options: Any
) -> Explanation:
    """What `explain` finds, of Infisical not even an address at hand."""
    settings = Options(namespace=scene.namespace if kind.namespaced else None, **options)
    place = (scene.namespace if kind.namespaced else "", name)
    return await explain(
        Onlooker(ReadOnlyCluster(scene.cluster), nobody, settings), kind, subject_of(kind, place)
    )


async def first_wrong(
    scene: Scene, kind: Kind = EXTERNAL_SECRET, name: str = "wanted", **options: Any
) -> str:
    """The first thing that `explain` calls wrong."""
    explanation = await explained(scene, kind, name, **options)
    assert explanation.first_wrong is not None, explanation
    return f"{explanation.first_wrong.about}: {explanation.first_wrong.says}"


def auth_of(store: Object) -> dict[str, Any]:
    """The auth block of a store."""
    auth: dict[str, Any] = store["spec"]["provider"]["infisical"]["auth"]
    return auth


async def plant(scene: Scene, *objects: Object) -> None:
    """The objects of a test, and what they need that it does not bring itself."""
    names = {(one["kind"], one["metadata"]["name"]) for one in objects}
    if ("Secret", CREDENTIALS) not in names:
        await scene.apply(scene.credentials_secret())
    if ("SecretStore", "infisical") not in names:
        await scene.apply(scene.store())
    if not any(kind in ("ExternalSecret", "PushSecret") for kind, _ in names):
        await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    await scene.apply(*objects)


class Forbidding(ReadOnlyCluster):
    """Lets nobody look at some kinds, as an API server does for whom no role names them."""

    def __init__(self, cluster: Cluster, *kinds: Kind) -> None:
        super().__init__(cluster)
        self._forbidden = kinds

    async def get(self, kind: Kind, namespace: str, name: str) -> Read:
        forbidden = kind in self._forbidden
        return Denied("get", kind.plural) if forbidden else await super().get(kind, namespace, name)

    async def list(self, selection: Selection) -> ListResult:
        kind = selection.kind
        return Denied("list", kind.plural) if kind in self._forbidden else await super().list(selection)


async def seen_by(scene: Scene, kind: Kind, name: str, *forbidden: Kind) -> Explanation:
    """What `explain` finds for somebody who may not look at some kinds."""
    cluster = Forbidding(scene.cluster, *forbidden)
    onlooker = Onlooker(cluster, nobody, Options(namespace=scene.namespace))
    return await explain(onlooker, kind, subject_of(kind, (scene.namespace, name)))
