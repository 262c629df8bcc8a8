"""Calls that fail for longer: the operator is told what failed and what to do; once it is over, all is done, once."""

from collections.abc import Mapping

import pytest

from adapters.resources.kinds import EXTERNAL_SECRET, SECRET
from reconciler.effects.observe_external_secret import FINALIZER
from tests.scenarios.scene import API_KEY, key
from tests.troubles.answers import Late, Lost, Page, Status, Trouble
from tests.troubles.troubled import LISTS, Troubled

pytestmark = [pytest.mark.apiserver, pytest.mark.usefixtures("impatient")]

UNUSABLE = "the Kubernetes API server cannot be used just now"
TOLD: Mapping[Trouble, str] = {
    Status(429, retry_after=1): f"{UNUSABLE} (HTTP 429): it limits requests",
    Status(500): f"{UNUSABLE} (HTTP 500): has an admission webhook failed?",
    Status(503): f"{UNUSABLE} (HTTP 503)",
    Status(401): f"{UNUSABLE} (HTTP 401): it does not take the controller's token",
    Page(): UNUSABLE,
    Lost(): UNUSABLE,
    Late(60.0): UNUSABLE,
}
SHORT_CALL = 0.7
"""Seconds after which a call is given up here."""

troubles = pytest.mark.parametrize("trouble", TOLD, ids=str)


@pytest.fixture(autouse=True)
def _short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.kubernetes.requests.CALL_SECONDS", SHORT_CALL)


@troubles
async def test_secret_that_cannot_be_written_is_told_and_written_later(
    troubled: Troubled, trouble: Trouble
) -> None:
    """In the condition and by an event; the old content stays until then."""
    scene = troubled.scene
    await scene.begin()
    plan = troubled.proxy.plan(trouble, verb="apply", resource="secrets", times=None)
    scene.project.set_secret("dev", "/", "API_KEY", "changed")
    await scene.refresh()
    condition = await scene.ready(status="False", said=TOLD[trouble])
    assert condition["reason"] == "SecretSyncedError"
    assert "the Secret keeps what was read at 20" in condition["message"]
    assert await scene.secret() == {"key": API_KEY}
    assert plan.met <= 3
    troubled.proxy.clear()
    await scene.ready()
    assert await scene.secret() == {"key": "changed"}
    await troubled.ends_well()
    assert troubled.lists() == LISTS
    assert [reason for reason, _ in await scene.events("wanted")][-1] == "Updated"


async def test_secret_that_others_keep_changing_is_told(troubled: Troubled) -> None:
    """After a few attempts at once, with a fresh look before each."""
    scene = troubled.scene
    await scene.begin()
    plan = troubled.proxy.plan(Status(409), verb="apply", resource="secrets", times=None)
    scene.project.set_secret("dev", "/", "API_KEY", "changed")
    await scene.refresh()
    await scene.ready(status="False", said="others keep changing the object at the same time")
    assert plan.met == 4
    assert [one.name for one in troubled.proxy.calls("get", "secrets")].count("wanted") == 3
    troubled.proxy.clear()
    await scene.ready()
    assert await scene.secret() == {"key": "changed"}
    await troubled.ends_well()


@troubles
async def test_status_that_cannot_be_written_is_told_in_the_log(troubled: Troubled, trouble: Trouble) -> None:
    """The Secret is written all the same, once; the status follows."""
    scene = troubled.scene
    await scene.begin_with_store()
    plan = troubled.proxy.plan(trouble, verb="merge", resource="externalsecrets/status", times=None)
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    await scene.holds({"key": API_KEY})
    await scene.until(lambda: troubled.log("statuses cannot be written"))
    assert troubled.log("statuses cannot be written")[0].startswith(TOLD[trouble])
    assert plan.met <= 3
    troubled.proxy.clear()
    await scene.ready()
    await troubled.ends_well()
    assert len(troubled.proxy.calls("apply", "secrets")) == 1
    assert len(troubled.log("statuses cannot be written")) == 1


async def test_conflict_inside_the_api_server_delays_a_status(troubled: Troubled) -> None:
    """It gives up after some attempts of its own; the run is taken up again."""
    scene = troubled.scene
    await scene.begin_with_store()
    plan = troubled.proxy.plan(Status(409), verb="merge", resource="externalsecrets/status", times=2)
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    await scene.ready()
    assert plan.met == 2
    await troubled.ends_well()
    assert len(troubled.proxy.calls("apply", "secrets")) == 1


@troubles
async def test_former_target_that_cannot_be_deleted_is_told_and_deleted_later(
    troubled: Troubled, trouble: Trouble
) -> None:
    """The new one is there already."""
    scene = troubled.scene
    await scene.begin()
    troubled.proxy.plan(trouble, verb="delete", resource="secrets", times=None)
    await scene.apply(scene.external_secret(data=[key("API_KEY")], target={"name": "renamed"}))
    await scene.ready(status="False", said=TOLD[trouble])
    assert await scene.secret("renamed") == await scene.secret() == {"key": API_KEY}
    troubled.proxy.clear()
    await scene.holds(None)
    await scene.ready()
    await troubled.ends_well()
    assert troubled.lists() == LISTS


@troubles
async def test_finalizer_that_cannot_be_taken_off_is_told_and_taken_off_later(
    troubled: Troubled, trouble: Trouble
) -> None:
    """Whoever waits for the deletion sees in the condition why."""
    scene = troubled.scene
    await scene.begin_with_store()
    held = scene.external_secret(data=[key("API_KEY")])
    held["metadata"]["finalizers"] = [FINALIZER]
    await scene.apply(held)
    await scene.ready()
    troubled.proxy.plan(trouble, verb="patch", resource="externalsecrets", times=None)
    await scene.delete(EXTERNAL_SECRET, "wanted")
    await scene.ready(status="False", said=TOLD[trouble])
    troubled.proxy.clear()

    async def gone() -> bool:
        return await scene.object(EXTERNAL_SECRET, "wanted") is None

    await scene.until(gone)
    await troubled.ends_well()


@troubles
async def test_secret_that_cannot_be_looked_at_is_told_and_taken_over_later(
    troubled: Troubled, trouble: Trouble
) -> None:
    """It is not written blindly."""
    scene = troubled.scene
    await scene.begin_with_store()
    await scene.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "wanted"}})
    before = await scene.version()
    troubled.proxy.plan(trouble, verb="get", resource="secrets", name="wanted", times=None)
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    await scene.ready(status="False", said=TOLD[trouble])
    assert await scene.version(SECRET) == before
    troubled.proxy.clear()
    await scene.ready()
    assert await scene.secret() == {"key": API_KEY}
    await troubled.ends_well()


@troubles
async def test_events_that_cannot_be_written_are_complained_about_in_the_log(
    troubled: Troubled, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once; nothing else suffers."""
    monkeypatch.setattr("reconciler.events._PAUSES", (0.1, 0.1))
    scene = troubled.scene
    troubled.proxy.plan(trouble, verb="create", resource="events", times=None)
    await scene.begin()
    await scene.events("wanted")
    troubled.proxy.clear()
    await troubled.ends_well()
    assert troubled.events_lost() == 1
    assert scene.journal.ends("wanted")[-1] == "ready"
    scene.project.set_secret("dev", "/", "API_KEY", "changed")
    await scene.refresh()
    await scene.holds({"key": "changed"})
    await troubled.ends_well()
    assert [reason for reason, _ in await scene.events("wanted")] == ["Updated"]
