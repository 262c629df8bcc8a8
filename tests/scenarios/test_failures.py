"""What a user is told when something is wrong, what stays, and what it costs."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.cluster import Object
from adapters.resources.kinds import EXTERNAL_SECRET, SECRET, SECRET_STORE
from reconciler.standin import NO_ACCESS, Dropped, Kind, Meanwhile, Page, Status, names_only
from tests.scenarios.scene import CREDENTIALS, LISTING, LOGIN, VALIDATION, Scene, key


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ({"projectSlug": "unknown"}, 'has no project "unknown": check projectSlug'),
        ({"environmentSlug": "unknown"}, 'has no environment "unknown": check environmentSlug'),
        ({"secretsPath": "/unknown"}, "there is no folder /unknown"),
    ],
)
async def test_store_says_what_of_its_scope_is_not_there(
    scene: Scene, scope: dict[str, str], said: str
) -> None:
    """And what uses it waits, and names it."""
    await scene.start()
    await scene.apply(
        scene.credentials_secret(), scene.store(**scope), scene.external_secret(data=[key("API_KEY")])
    )
    condition = await scene.store_ready(status="False", said=said)
    assert condition["reason"] == "InvalidProviderConfig"
    await scene.ready(status="False", said="SecretStore infisical is not ready (InvalidProviderConfig)")
    await scene.apply(scene.store())
    await scene.ready()


@pytest.mark.parametrize(
    ("spoil", "said", "reason"),
    [
        (
            lambda secret: secret["stringData"].update(clientSecret="wrong"),
            "refuses the credentials",
            "InvalidProviderConfig",
        ),
        (
            lambda secret: secret["stringData"].update(clientSecret=""),
            "is empty",
            "InvalidStoreConfiguration",
        ),
        (
            lambda secret: secret["stringData"].pop("clientId"),
            'has no key "clientId"',
            "InvalidProviderConfig",
        ),
    ],
    ids=["wrong", "empty", "missing key"],
)
async def test_store_says_what_is_wrong_with_its_credentials(
    scene: Scene, spoil: Callable[[Object], Any], said: str, reason: str
) -> None:
    """And is validated again as soon as they change."""
    secret = scene.credentials_secret()
    spoil(secret)
    await scene.start()
    await scene.apply(secret, scene.store())
    condition = await scene.store_ready(status="False", said=said)
    assert condition["reason"] == reason
    await scene.apply(scene.credentials_secret())
    await scene.store_ready()


async def test_missing_credentials_secret_is_named_and_picked_up_when_it_appears(scene: Scene) -> None:
    """Nothing is sent for a store that cannot log in."""
    await scene.start()
    await scene.apply(scene.store())
    await scene.store_ready(
        status="False", said=f"{scene.namespace}/{CREDENTIALS} with the credentials does not exist"
    )
    assert not scene.requests()
    await scene.apply(scene.credentials_secret())
    await scene.store_ready()


async def test_refused_login_is_asked_once_for_all_who_share_it(scene: Scene) -> None:
    """Three wrong ones would lock the identity."""
    secret = scene.credentials_secret()
    secret["stringData"]["clientSecret"] = "wrong"
    await scene.start(hold_back=False)
    await scene.apply(secret, scene.store())
    await scene.apply(
        *(scene.external_secret(f"wanted-{number}", data=[key("API_KEY")]) for number in range(10))
    )
    for number in range(10):
        await scene.ready(f"wanted-{number}", status="False", said="refuses the credentials")
    assert scene.requests() == {"login": 1}


@pytest.mark.parametrize(
    ("remote", "said"),
    [
        ("ABSENT", '"ABSENT" in folder /'),
        ("/absent/KEY", "there is no folder /absent"),
        ("API_KEY/", "ends in a slash"),
        ("a/../API_KEY", "climbs"),
    ],
)
async def test_key_that_cannot_be_read_is_named_and_the_target_stays(
    scene: Scene, remote: str, said: str
) -> None:
    """With deletionPolicy Retain nothing is taken away for it."""
    await scene.begin()
    before = await scene.object(SECRET, "wanted")
    await scene.apply(scene.external_secret(data=[key(remote)]))
    condition = await scene.ready(status="False", said=said)
    assert condition["reason"] == "SecretSyncedError"
    assert await scene.object(SECRET, "wanted") == before


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Status(500), "has an internal fault"),
        (Status(429), "limits requests"),
        (Page(), "does not answer as Infisical does"),
        (Dropped(), "breaks connections off"),
    ],
    ids=["500", "429", "page", "dropped"],
)
async def test_server_in_trouble_is_told_and_what_was_read_stays(scene: Scene, fault: Any, said: str) -> None:
    """The condition says since when the Secret holds what it holds; when the trouble is over, so is the condition."""
    await scene.begin()
    before = await scene.object(SECRET, "wanted")
    plan = scene.server.faults.plan(Kind.SINGLE, fault, times=3)
    assert plan is not None
    await scene.refresh()
    condition = await scene.ready(status="False", said=said)
    assert "the Secret keeps what was read at 20" in condition["message"]
    assert await scene.object(SECRET, "wanted") == before
    await scene.ready()


async def test_right_that_is_missing_is_told(scene: Scene) -> None:
    """No member, and names without values."""
    await scene.begin()
    identity = next(iter(scene.server.accounts.identities.values()))
    scene.project.grant(identity, NO_ACCESS)
    await scene.refresh()
    await scene.ready(status="False", said="may not read")
    scene.project.grant(identity, names_only("dev", "/"))
    await scene.refresh()
    await scene.ready(status="False", said="may")
    assert await scene.secret() == {"key": "example-api-key-1"}


async def test_project_made_again_under_its_slug_is_resolved_once_more(scene: Scene) -> None:
    """Its remembered ID leads nowhere: one more resolution, one more try, and nobody notices."""
    await scene.begin()
    remade = scene.server.remake_project("my-project")
    remade.set_secret("dev", "/", "API_KEY", "of the new project")
    scene.server.record.clear()
    await scene.refresh()

    async def has_arrived() -> bool:
        return await scene.secret() == {"key": "of the new project"}

    await scene.until(has_arrived)
    assert scene.requests()["resolution"] == 1


async def test_token_that_expires_in_mid_life_is_replaced_by_one_login(scene: Scene) -> None:
    """Not by one for each resource."""
    await scene.begin()
    await scene.apply(
        *(scene.external_secret(f"more-{number}", data=[key("API_KEY")]) for number in range(5))
    )
    for number in range(5):
        await scene.ready(f"more-{number}")
    scene.server.record.clear()
    scene.server.expire_tokens()
    for number in range(5):
        await scene.refresh(f"more-{number}")
    await scene.until(
        lambda: sum(one.state == "report_synced" for one in scene.journal.transitions) >= 11,
        lambda: str(scene.requests()),
    )
    assert scene.requests()["login"] == 1


async def test_refused_token_is_replaced_within_the_run(scene: Scene) -> None:
    """The lease is tainted, a new one is asked for once, and the run goes on."""
    await scene.begin()
    scene.server.faults.plan(Kind.SINGLE, Meanwhile(scene.server.end_tokens))
    scene.server.record.clear()
    async with scene.runs("wanted"):
        await scene.refresh()
    assert [one for one in scene.journal.transitions if one.state == "release_refused"]
    assert scene.requests()["login"] == 1


async def test_store_that_is_missing_is_named_and_what_waits_runs_when_it_appears(scene: Scene) -> None:
    """At once, and then as if nothing had been."""
    await scene.start()
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    await scene.ready(status="False", said="SecretStore infisical does not exist")
    await scene.apply(scene.credentials_secret(), scene.store())
    await scene.ready()


async def test_store_of_another_class_is_left_alone_with_all_who_use_it(scene: Scene) -> None:
    """No status, no request, no event."""
    store = scene.store()
    store["spec"]["controller"] = "somebody-else"
    await scene.start()
    await scene.apply(scene.credentials_secret(), store, scene.external_secret(data=[key("API_KEY")]))
    await scene.until(lambda: scene.journal.ends("wanted")[-1:] == ["passed_over"])
    assert await scene.condition(EXTERNAL_SECRET, "wanted") == {}
    assert await scene.condition(SECRET_STORE, "infisical") == {}
    assert not scene.requests()


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"target": {"template": {"data": {"a": "b"}}}}, "spec.target.template"),
        ({"target": {"creationPolicy": "Merge"}}, "spec.target.creationPolicy"),
        ({"target": {"deletionPolicy": "Delete"}}, "spec.target.deletionPolicy"),
        ({"target": {"immutable": True}}, "spec.target.immutable"),
        (
            {"syncWindows": {"kind": "allow", "windows": [{"schedule": "@daily", "duration": "1h"}]}},
            "spec.syncWindows",
        ),
        (
            {
                "dataFrom": [
                    {
                        "extract": {"key": "JSON_BLOB"},
                        "rewrite": [{"regexp": {"source": "a", "target": "b"}}],
                    },
                ]
            },
            "spec.dataFrom[0].rewrite",
        ),
    ],
)
async def test_what_is_not_built_is_answered_by_a_condition_that_names_it(
    scene: Scene, spec: dict[str, Any], field: str
) -> None:
    """Nothing is half done, and nothing ignored."""
    await scene.start()
    await scene.apply(scene.credentials_secret(), scene.store())
    await scene.store_ready()
    await scene.apply(scene.external_secret(**({"data": [key("API_KEY")]} | spec)))
    await scene.ready(status="False", said=f"not supported by this controller yet: {field}")
    assert await scene.object(SECRET, "wanted") is None


async def test_fifty_resources_of_one_store_cost_one_login_and_one_listing(scene: Scene) -> None:
    """And one Secret and one status each."""
    await scene.start()
    await scene.apply(scene.credentials_secret(), scene.store())
    await scene.store_ready()
    await scene.stop()
    keys = ("API_KEY", "DB_PASSWORD", "JSON_BLOB")
    data = [key(name, name) for name in keys]
    await scene.apply(*(scene.external_secret(f"wanted-{number}", data=data) for number in range(50)))
    async with scene.costs(LOGIN + VALIDATION + LISTING, apply_Secret=50, status_ExternalSecret=50):
        for number in range(50):
            await scene.ready(f"wanted-{number}")
        await scene.until(lambda: scene.journal.ends("infisical")[-1:] == ["valid"])
