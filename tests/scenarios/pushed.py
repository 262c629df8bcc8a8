"""What became of what was pushed, and moves that many scenarios of pushing share."""

from typing import Any

from adapters.cluster import Kind, Object
from adapters.resources.kinds import PUSH_SECRET, SECRET_STORE
from tests.scenarios.pushing import source
from tests.scenarios.scene import Scene

PUSH_FINALIZER = "pushsecret.externalsecrets.io/finalizer"
STORE_FINALIZER = "secretstore.externalsecrets.io/finalizer"
FOLDER = "/pushed"
ABANDON = "reconcile.external-secrets.io/abandon-remote"


async def begin_pushed(scene: Scene, pushed: Object, **data: str) -> None:
    """A controller, a store of the empty folder `/pushed`, the source with this data, and what was pushed of it. What
    that asked of Infisical and wrote to the cluster is not counted."""
    await begin_empty(scene)
    await scene.apply(source(**data), pushed)
    await scene.ready("pushed", PUSH_SECRET)
    await settle(scene)


async def begin_empty(scene: Scene) -> None:
    """A controller, and a store of the empty folder `/pushed`."""
    scene.project.add_folder("dev", FOLDER)
    await scene.begin_with_store(secretsPath=FOLDER)


async def settle(scene: Scene) -> None:
    """Wait until nothing runs, and count anew."""
    assert scene.controller is not None
    await scene.controller.idle()
    scene.server.record.clear()
    scene.counting.writes.clear()


def stored(scene: Scene, folder: str = FOLDER) -> dict[str, str]:
    """What Infisical holds in a folder of the environment `dev`."""
    values: dict[str, str] = scene.project.values("dev", folder)
    return values


async def record(scene: Scene, name: str = "pushed") -> dict[str, list[str]]:
    """The names of what is ours, by store."""
    found = await scene.object(PUSH_SECRET, name)
    recorded: dict[str, Any] = ((found or {}).get("status") or {}).get("syncedPushSecrets") or {}
    return {store: sorted(entries) for store, entries in recorded.items() if entries}


async def finalizers(scene: Scene, kind: Kind = PUSH_SECRET, name: str = "pushed") -> list[str]:
    """The finalizers of an object; none where there is no object."""
    found = await scene.object(kind, name)
    return list((found or {}).get("metadata", {}).get("finalizers") or ())


async def is_gone(scene: Scene, kind: Kind = PUSH_SECRET, name: str = "pushed") -> None:
    """Wait until an object is not there any more."""

    async def gone() -> bool:
        return await scene.object(kind, name) is None

    await scene.until(gone, lambda: f"{kind.name} {name} is still there")


async def unguarded(scene: Scene, kind: Kind = SECRET_STORE, name: str = "infisical") -> None:
    """Wait until our finalizer is off a store."""

    async def free() -> bool:
        return STORE_FINALIZER not in await finalizers(scene, kind, name)

    await scene.until(free, lambda: f"{kind.name} {name} keeps the finalizer")
