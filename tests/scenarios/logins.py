"""What scenarios of login methods share: the documented manifests, pointed at the scene's server."""

from collections.abc import Mapping
from typing import Any

from adapters.auth.settings import AuthSettings
from adapters.cluster import Object
from reconciler.standin import ADMIN, Identity
from tests.scenarios.scene import API_KEY, Scene, example, key

NO_SETTINGS = AuthSettings()


def documented(scene: Scene, name: str, credentials: Mapping[str, str], **more: str) -> tuple[Object, Object]:
    """The Secret and the store of a documented example, with these credentials; `more`: optional selectors of the
    block, and what they select."""
    secret, store = example(name, "Secret"), example(name, "SecretStore")
    secret["stringData"] = {**credentials, **more}
    infisical = store["spec"]["provider"]["infisical"]
    infisical["hostAPI"] = scene.url
    (block,) = infisical["auth"].values()
    for field in more:
        block[field] = {"name": secret["metadata"]["name"], "key": field}
    return secret, store


def machine(scene: Scene, method: str, settings: Mapping[str, Any]) -> Identity:
    """An identity that may read the scene's project, and logs in by this method."""
    identity = scene.server.add_identity(f"by {method}", {scene.project: ADMIN})
    scene.server.configure_login(identity, method, settings)
    return identity


async def serves(scene: Scene, secret: Object, store: Object, auth: AuthSettings = NO_SETTINGS) -> None:
    """The store becomes ready and a resource is synced, for one login and one revocation in all; the controller is
    then stopped."""
    scene.server.record.clear()
    await scene.start(auth=auth)
    await scene.apply(secret, store)
    await scene.store_ready(said="store validated")
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    await scene.ready()
    assert await scene.secret() == {"key": API_KEY}
    await scene.stop()
    assert scene.requests()["login"] == scene.requests()["revocation"] == 1
    assert scene.tokens_alive() == 0


async def fails(
    scene: Scene, secret: Object, store: Object, said: str, auth: AuthSettings = NO_SETTINGS
) -> dict[str, Any]:
    """The store's condition says why not; whatever the credentials hold, it does not."""
    await scene.start(auth=auth)
    await scene.apply(secret, store)
    condition = await scene.store_ready(status="False", said=said)
    for field, text in secret["stringData"].items():
        assert text not in condition["message"], field
    return condition
