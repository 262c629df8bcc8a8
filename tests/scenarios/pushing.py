"""Manifests of what is pushed."""

from typing import Any

from adapters.cluster import Object
from adapters.resources.kinds import PUSH_SECRET
from tests.scenarios.scene import Scene


def source(name: str = "source", **data: str) -> Object:
    """A Secret to push from."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "Opaque",
        "stringData": data,
    }


def entry(secret_key: str | None, remote_key: str, **remote: str) -> dict[str, Any]:
    """An entry of data."""
    match: dict[str, Any] = {"remoteRef": {"remoteKey": remote_key, **remote}}
    if secret_key is not None:
        match["secretKey"] = secret_key
    return {"match": match}


def push_secret(*entries: dict[str, Any], name: str = "pushed", **spec: Any) -> Object:
    """A PushSecret from the Secret `source` to the store `infisical`."""
    return {
        "apiVersion": "external-secrets.io/v1alpha1",
        "kind": "PushSecret",
        "metadata": {"name": name},
        "spec": {
            "secretStoreRefs": [{"name": "infisical", "kind": "SecretStore"}],
            "selector": {"secret": {"name": "source"}},
            "data": list(entries),
            **spec,
        },
    }


async def begin_counting(scene: Scene, **scope: Any) -> None:
    """A controller, a store that is ready, and nothing asked or written yet; `scope` changes its secretsScope."""
    await scene.begin_with_store(**scope)
    await count_anew(scene)


async def count_anew(scene: Scene) -> None:
    """Wait until nothing runs; what was asked and written so far is not counted."""
    assert scene.controller is not None
    await scene.controller.idle()
    scene.server.record.clear()
    scene.counting.writes.clear()


async def push_again(scene: Scene, name: str = "pushed", *, end: str = "ready") -> None:
    """Ask for a run, by the annotation that does so, and wait for its end; only what it does is counted."""
    await count_anew(scene)
    before = len(scene.journal.ends(name))
    async with scene.runs(name, end=end):
        await scene.annotate(PUSH_SECRET, name, {"external-secrets.io/force-sync": str(before)})
    assert scene.controller is not None
    await scene.controller.idle()


def stored(scene: Scene, folder: str = "/") -> dict[str, str]:
    """What Infisical holds in a folder, as it is stored."""
    values: dict[str, str] = scene.project.values("dev", folder)
    return values
