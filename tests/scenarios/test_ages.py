"""Servers of three ages answer the same trouble in different words and numbers; a user reads one and the same message."""

from typing import Any

import pytest

from adapters.resources.kinds import EXTERNAL_SECRET
from reconciler.standin import ADMIN, NO_ACCESS, Age, Meanwhile, read_below
from tests.scenarios.scene import API_KEY, Scene, key, named

pytestmark = pytest.mark.parametrize("age", list(Age))


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ({"projectSlug": "unknown"}, 'has no project "unknown": check projectSlug'),
        ({"projectSlug": "Not A Slug"}, "projectSlug has not the form of a slug"),
        ({"environmentSlug": "unknown"}, "environmentSlug"),
        ({"secretsPath": "/unknown"}, "there is no folder /unknown"),
    ],
    ids=["project", "slug", "environment", "folder"],
)
async def test_store_says_what_of_its_scope_is_not_there(
    scene: Scene, scope: dict[str, str], said: str
) -> None:
    """An empty listing is not taken for an empty folder, nor a server's fault for an outage."""
    await scene.start()
    await scene.apply(scene.credentials_secret(), scene.store(**scope))
    condition = await scene.store_ready(status="False", said=said)
    assert condition["reason"] in ("InvalidProviderConfig", "InvalidStoreConfiguration")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"data": [key("ABSENT")]}, 'not found at Infisical: "ABSENT" in folder /'),
        ({"data": [key("/absent/KEY")]}, "there is no folder /absent"),
        ({"data": [key("API_KEY"), key("ABSENT", "other")]}, 'not found at Infisical: "ABSENT" in folder /'),
        (
            {"data": [key("/absent/A"), key("/absent/B", "other")]},
            "there is no folder /absent",
        ),
    ],
    ids=["key", "folder", "key among others", "folder of several"],
)
async def test_what_is_absent_is_told_apart_and_the_target_stays(
    scene: Scene, spec: dict[str, Any], said: str
) -> None:
    """A key that is missing in a folder, and a folder that is missing, are two mistakes."""
    await scene.begin()
    before = await scene.version()
    await scene.apply(scene.external_secret(**spec))
    await scene.ready(status="False", said=said)
    assert await scene.version() == before


async def test_empty_folder_is_empty_and_an_absent_one_is_not(scene: Scene) -> None:
    """The one is synced without a key, or kept as it was; the other is an error."""
    scene.project.add_folder("dev", "/empty")
    await scene.begin_with_store(secretsPath="/empty")
    await scene.apply(scene.external_secret(dataFrom=[named(".")]))
    await scene.ready(said="secret retained due to DeletionPolicy=Retain")
    scene.project.remove_folder("dev", "/empty")
    await scene.refresh()
    await scene.ready(status="False", said="there is no folder /empty")


async def test_wrong_client_secret_is_told(scene: Scene) -> None:
    """Whatever status a server gives it."""
    secret = scene.credentials_secret()
    secret["stringData"]["clientSecret"] = "wrong"
    await scene.start()
    await scene.apply(secret, scene.store())
    await scene.store_ready(status="False", said="refuses the credentials: check the Secret")
    assert scene.requests() == {"login": 1}


async def test_rights_that_are_missing_are_told_and_the_target_stays(scene: Scene) -> None:
    """No member any more; a member without rights; one with rights elsewhere, whose listing is empty."""
    identity = next(iter(scene.server.accounts.identities.values()))
    wanted = await scene.begin(data=[], dataFrom=[named("^API")])
    before = await scene.version()
    for grant, said in (
        (NO_ACCESS, "the identity may not read"),
        (read_below("dev", "/my-app"), "the identity may not read"),
        (None, "no member of the project"),
    ):
        scene.project.exclude(identity)
        if grant is not None:
            scene.project.grant(identity, grant)
        await scene.refresh()
        await scene.ready(status="False", said=said)
        assert await scene.version() == before
    scene.project.grant(identity, ADMIN)
    wanted["spec"]["dataFrom"] = [named("^DB")]
    await scene.apply(wanted)
    await scene.holds({"DB_PASSWORD": "example-database-password"})


async def test_project_that_was_made_again_is_found_again(scene: Scene) -> None:
    """Under its slug, with another ID: one resolution, and no failure in between."""
    await scene.begin()
    scene.server.remake_project("my-project").set_secret("dev", "/", "API_KEY", "of the new project")
    scene.server.record.clear()
    await scene.refresh()
    await scene.holds({"key": "of the new project"})
    assert scene.requests()["resolution"] == 1
    assert "error" not in scene.journal.ends("wanted")


async def test_project_that_is_gone_is_told_and_the_target_stays(scene: Scene) -> None:
    """Neither its absence nor what it held is taken for a wish to delete."""
    await scene.begin()
    scene.server.delete_project("my-project")
    await scene.refresh()
    await scene.ready(status="False", said="my-project")
    condition = await scene.condition(EXTERNAL_SECRET, "wanted")
    assert "check projectSlug" in condition["message"]
    assert await scene.secret() == {"key": API_KEY}


@pytest.mark.parametrize("act", ["end_tokens", "expire_tokens"])
async def test_token_that_ends_in_the_middle_is_replaced_once(scene: Scene, act: str) -> None:
    """Revoked by somebody, or past its age: one new login, and the run goes on."""
    await scene.begin()
    scene.server.record.clear()
    scene.server.faults.plan("GET */secrets*", Meanwhile(getattr(scene.server, act)))
    async with scene.runs("wanted"):
        await scene.refresh()
    assert scene.requests()["login"] == 1
    assert "error" not in scene.journal.ends("wanted")
