"""Tokens over a life: what a login may cost, what a refusal costs, and that each token is given back."""

import asyncio

import pytest
from structlog.testing import capture_logs

from adapters.resources.kinds import SECRET_STORE
from reconciler.standin import ADMIN, Kind, Status
from tests.scenarios.scene import Scene, key

BURST = 20


def burst(scene: Scene) -> list[dict[str, object]]:
    """Resources of one store, created at once."""
    return [scene.external_secret(f"wanted-{number}", data=[key("API_KEY")]) for number in range(BURST)]


@pytest.mark.statement("S42")
async def test_client_secret_that_is_good_for_one_login_serves_a_burst(scene: Scene) -> None:
    """The store's validation and all that uses it share the one token."""
    identity = scene.server.add_identity("once", {scene.project: ADMIN})
    credentials = scene.credentials_secret()
    credentials["stringData"] = {
        "clientId": scene.server.add_universal_auth(identity).client_id,
        "clientSecret": scene.server.add_client_secret(identity, uses=1),
    }
    await scene.start()
    await scene.apply(credentials, scene.store(), *burst(scene))
    for number in range(BURST):
        await scene.ready(f"wanted-{number}")
    await scene.stop()
    assert scene.requests()["login"] == 1
    assert scene.requests()["revocation"] == 1
    assert not scene.tokens_alive()


async def test_refused_login_is_asked_once_for_all_who_share_it_until_the_credentials_change(
    scene: Scene,
) -> None:
    """Three wrong ones would lock the identity, for everybody."""
    wrong = scene.credentials_secret()
    wrong["stringData"]["clientSecret"] = "not-the-one"
    stores = [scene.store(f"store-{number}") for number in range(BURST)]
    await scene.start()
    await scene.apply(wrong, *stores)
    for number in range(BURST):
        await scene.store_ready(f"store-{number}", status="False", said="refuses the credentials")
    assert scene.requests()["login"] == 1
    await scene.apply(scene.credentials_secret())
    for number in range(BURST):
        await scene.store_ready(f"store-{number}")
    assert scene.requests()["login"] == 2


async def test_revocation_that_fails_is_told_and_fails_no_run(scene: Scene) -> None:
    """The resource is ready; the log names the host and the method, and the token ends by its age."""
    scene.server.faults.plan(Kind.REVOCATION, Status(500), times=None)
    with capture_logs() as logs:
        await scene.begin()
        await scene.ready("infisical", SECRET_STORE)
        await scene.stop()
    told = [one for one in logs if one["event"].startswith("a token could not be revoked")]
    assert len(told) == 1
    assert (told[0]["host"], told[0]["method"]) == (scene.url, "universal")
    assert scene.tokens_alive() == 1


async def test_token_that_ends_under_a_burst_is_replaced_by_one_login(scene: Scene) -> None:
    """Not by one for each that met its end."""
    await scene.begin_with_store()
    await scene.apply(*burst(scene))
    for number in range(BURST):
        await scene.ready(f"wanted-{number}")
    scene.server.record.clear()
    scene.server.end_tokens()
    names = [f"wanted-{number}" for number in range(BURST)]
    async with scene.runs(*names):
        await asyncio.gather(*(scene.refresh(name) for name in names))
    assert scene.requests()["login"] == 1
