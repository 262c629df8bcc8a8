"""An Infisical server that is down, slow, limited or strange: what stays, what is said, and what it costs."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.infisical import http
from adapters.resources.kinds import EXTERNAL_SECRET
from reconciler.standin import (
    ADMIN,
    CLOUD_LIMITS,
    BrokenJson,
    HalfSent,
    Kind,
    OtherJson,
    Page,
    Redirect,
    Slow,
    Status,
)
from tests.scenarios.infisical import Infisical
from tests.scenarios.scene import API_KEY, LISTING, LOGIN, VALIDATION, Scene, key, named

QUICK = {"maxRetries": 1, "retryInterval": "10ms"}
"""Settings of a store, so that a scenario need not wait for the usual pauses."""


async def begin_quickly(scene: Scene) -> None:
    """A store with quick retries, and a resource that is synced."""
    store = scene.store()
    store["spec"]["retrySettings"] = QUICK
    await scene.start()
    await scene.apply(scene.credentials_secret(), store)
    await scene.store_ready()
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    await scene.ready()


async def test_server_that_is_down_takes_nothing_away_and_is_noticed_when_it_is_back(
    scene: Scene, infisical: Infisical
) -> None:
    """The Secret stays; the condition names the host, what to look at, and of when the data is."""
    await begin_quickly(scene)
    before = await scene.version()
    await infisical.goes_down()
    await scene.refresh()
    condition = await scene.ready(
        status="False", said="refuses connections: is it running, and is hostAPI right?"
    )
    assert condition["reason"] == "SecretSyncedError"
    assert "127.0.0.1" in condition["message"]
    assert "the Secret keeps what was read at 20" in condition["message"]
    assert await scene.version() == before
    await infisical.comes_back()
    scene.project.set_secret("dev", "/", "API_KEY", "changed-meanwhile")
    await scene.ready()
    await scene.holds({"key": "changed-meanwhile"})


async def test_outage_is_told_once_by_each_and_ended_for_all(scene: Scene, infisical: Infisical) -> None:
    """One status and one event for each resource, one line in the log when it begins and one when it ends."""
    names = [f"wanted-{number}" for number in range(10)]
    await begin_quickly(scene)
    await scene.apply(*(scene.external_secret(name, data=[key("API_KEY")]) for name in names))
    for name in names:
        await scene.ready(name)
    scene.counting.writes.clear()
    with capture_logs() as logs:
        await infisical.goes_down()
        for name in names:
            await scene.refresh(name)
        told = [await scene.ready(name, status="False", said="refuses connections") for name in names]
        await asyncio.sleep(2)
        assert [await scene.condition(EXTERNAL_SECRET, name) for name in names] == told
        assert scene.counting.writes == Counter({"status ExternalSecret": len(names)})
        assert 'infisical_reconciler_host_up{host="http://127.0.0.1' in scene.metrics.text().decode()
        scene.server.record.clear()
        await infisical.comes_back()
        for name in names:
            await scene.ready(name)
    lines = [one["event"] for one in logs if "Infisical server" in one["event"]]
    assert lines == [
        "an Infisical server is down: only a probe is sent to it until it answers",
        "an Infisical server is back: what waits for it goes on",
    ]
    assert scene.requests() == Counter(status=1, single=1)
    for name in names:
        assert [reason for reason, _ in await scene.events(name)] == ["Created", "UpdateFailed", "Updated"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Page(502), "has an internal fault"),
        (Page(403), "does not answer as Infisical does: check hostAPI and any proxy"),
        (BrokenJson(), "does not answer as Infisical does: check hostAPI and any proxy"),
        (HalfSent(), "breaks connections off"),
        (Redirect("http://127.0.0.1:1/"), "redirects"),
    ],
    ids=str,
)
async def test_broken_answer_is_told_as_what_it_is(scene: Scene, fault: Any, said: str) -> None:
    """And the Secret keeps what was read, and says of when that is."""
    await begin_quickly(scene)
    before = await scene.secret()
    scene.server.faults.plan(Kind.SINGLE, fault, times=None)
    await scene.refresh()
    condition = await scene.ready(status="False", said=said)
    assert "; the Secret keeps what was read at 20" in condition["message"]
    assert await scene.secret() == before
    scene.server.faults.clear()
    await scene.ready()


async def test_answer_that_is_too_large_is_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no more of it is read than the limit allows."""
    await begin_quickly(scene)
    scene.project.set_secret("dev", "/", "LARGE", "x" * 100_000)
    monkeypatch.setattr(http, "LARGEST_ANSWER", 50_000)
    await scene.apply(scene.external_secret("all", dataFrom=[named(".")]))
    await scene.ready("all", status="False", said="too large")


async def test_limits_of_the_cloud_are_kept(scene: Scene) -> None:
    """Two hundred resources of a folder each: the first hundred at once, the others when a minute is over, and none is
    told of trouble."""
    scene.server.limit(CLOUD_LIMITS)
    for number in range(200):
        scene.project.set_secret("dev", f"/f{number}", "KEY", "value")
    await scene.begin_with_store()
    await scene.apply(
        *(scene.external_secret(f"wanted-{number}", data=[key(f"/f{number}/KEY")]) for number in range(200))
    )
    await scene.until(lambda: scene.requests()["single"] >= 100)
    await asyncio.sleep(1)
    assert not [one for one in scene.server.requests if one.status == 429]
    statuses = [await scene.condition(EXTERNAL_SECRET, f"wanted-{number}") for number in range(200)]
    assert {one.get("status") for one in statuses} == {"True", None}


async def test_store_keeps_its_verdict_while_the_server_is_down(scene: Scene, infisical: Infisical) -> None:
    """It does not flap: Ready stays, and the message says since when nobody answers."""
    await begin_quickly(scene)
    before = await scene.store_ready()
    await infisical.goes_down()
    store = scene.store()
    store["spec"] |= {"retrySettings": QUICK, "refreshInterval": 3600}
    await scene.apply(store)
    condition = await scene.store_ready(said="since 20")
    assert condition["reason"] == before["reason"] == "Valid"
    assert condition["lastTransitionTime"] == before["lastTransitionTime"]
    await infisical.comes_back()
    await scene.store_ready(said="store validated")


async def test_store_made_while_the_server_is_down_becomes_ready_when_it_is_back(
    scene: Scene, infisical: Infisical
) -> None:
    """And then what waits for it runs at once."""
    await infisical.goes_down()
    store = scene.store()
    store["spec"]["retrySettings"] = QUICK
    await scene.start()
    await scene.apply(scene.credentials_secret(), store, scene.external_secret(data=[key("API_KEY")]))
    condition = await scene.store_ready(status="False", said="refuses connections")
    assert condition["reason"] == "InvalidProviderConfig"
    await scene.ready(status="False", said="SecretStore infisical is not ready (InvalidProviderConfig)")
    await infisical.comes_back()
    await scene.store_ready()
    await scene.ready()
    assert await scene.secret() == {"key": API_KEY}


@pytest.mark.parametrize("fault", [Status(500), Status(502), Status(429, retry_after=0), HalfSent()], ids=str)
async def test_fault_in_passing_is_tried_again_and_nobody_notices(scene: Scene, fault: object) -> None:
    """One request more, no condition, no event, no second run."""
    store = scene.store()
    store["spec"]["retrySettings"] = QUICK
    await scene.apply(scene.credentials_secret(), store)
    async with scene.costs(
        LOGIN + VALIDATION + LISTING + LISTING,
        status_SecretStore=1,
        status_ExternalSecret=1,
        apply_Secret=1,
    ):
        await scene.store_ready()
        scene.server.faults.plan(Kind.LISTING, fault)  # type: ignore[arg-type]
        await scene.apply(scene.external_secret(dataFrom=[named("^API")]))
        await scene.ready()
        assert [reason for reason, _ in await scene.events("wanted")] == ["Created"]
    assert scene.journal.ends("wanted") == ["ready"]


async def test_pause_that_a_limited_server_asks_for_is_kept_by_all(scene: Scene) -> None:
    """Nobody asks it anything until the pause is over, and then each asks once."""
    await begin_quickly(scene)
    await scene.apply(scene.external_secret("other", data=[key("/my-app/ADMIN_PASSWORD")]))
    await scene.ready("other")
    scene.server.record.clear()
    scene.server.faults.plan(Kind.SINGLE, Status(429, retry_after=1))
    async with scene.runs("wanted", "other"):
        await scene.refresh("wanted")
        await scene.until(lambda: scene.requests()["single"] >= 1)
        await scene.refresh("other")
    times = [one.at for one in scene.server.requests if one.kind is Kind.SINGLE]
    assert len(times) == 3
    assert min(times[1:]) - times[0] >= 0.95


async def test_answers_that_are_not_infisicals_are_told_as_such(scene: Scene) -> None:
    """Valid JSON of another form is not taken for an empty folder."""
    await begin_quickly(scene)
    await scene.apply(scene.external_secret("all", dataFrom=[named(".")]))
    await scene.ready("all")
    before = await scene.secret("all")
    plan = scene.server.faults.plan(Kind.LISTING, OtherJson(), times=None)
    await scene.refresh("all")
    await scene.ready(
        "all", status="False", said="does not answer as Infisical does: check hostAPI and any proxy"
    )
    assert await scene.secret("all") == before
    assert plan.met <= 2
    scene.server.faults.clear()
    await scene.ready("all")


async def test_slow_server_holds_up_nobody_else(scene: Scene) -> None:
    """While one listing takes long, what needs another folder is synced."""
    await scene.begin_with_store()
    scene.server.faults.plan(Kind.LISTING, Slow(1.5))
    await scene.apply(
        scene.external_secret("slow", dataFrom=[named(".")]),
        scene.external_secret("quick", data=[key("/my-app/ADMIN_PASSWORD")]),
    )
    await scene.ready("quick")
    assert not await scene.condition(EXTERNAL_SECRET, "slow")
    await scene.ready("slow")


async def test_failure_is_tried_again_at_the_cost_of_one_request_each_time(scene: Scene) -> None:
    """Three attempts take more than three seconds: no hot loop, no new login, and one status for all of them."""
    await scene.begin_with_store()
    scene.server.record.clear()
    scene.counting.writes.clear()
    await scene.apply(scene.external_secret(data=[key("ABSENT")]))
    await scene.until(lambda: len(scene.journal.ends("wanted")) == 3)
    ends = [one.at for one in scene.journal.transitions if one.end and one.subject.name == "wanted"]
    assert ends[1] - ends[0] >= 0.95
    assert ends[2] - ends[1] >= 1.4
    assert scene.requests() == Counter(single=3)
    assert scene.counting.writes == Counter({"status ExternalSecret": 1})


async def test_login_that_is_locked_is_told_and_not_asked_again(scene: Scene) -> None:
    """Somebody else tried wrong secrets: the right one is refused as well, and asking would not help."""
    client = scene.credentials.client_id
    for identity in scene.server.accounts.identities.values():
        if identity.universal is not None and identity.universal.client_id == client:
            identity.universal.locked_until = scene.server.now() + 300
    await scene.start(hold_back=False)
    await scene.apply(scene.credentials_secret(), scene.store())
    await scene.store_ready(status="False", said="has locked this login for a while, after wrong credentials")
    await scene.apply(
        *(scene.external_secret(f"wanted-{number}", data=[key("API_KEY")]) for number in range(5))
    )
    for number in range(5):
        await scene.ready(f"wanted-{number}", status="False", said="has locked this login")
    assert scene.requests() == Counter(login=1)


async def test_wrong_client_secret_holds_back_and_the_right_one_sets_all_going(scene: Scene) -> None:
    """The store names the Secret to look at; what uses it names the store, keeps its Secret, and asks nothing."""
    await scene.begin()
    before = await scene.version()
    scene.server.record.clear()
    spoilt = scene.credentials_secret()
    spoilt["stringData"]["clientSecret"] = "wrong"
    await scene.apply(spoilt)
    condition = await scene.store_ready(status="False", said="refuses the credentials: check the Secret")
    assert condition["reason"] == "InvalidProviderConfig"
    await scene.refresh()
    await scene.ready(status="False", said="SecretStore infisical is not ready (InvalidProviderConfig)")
    assert await scene.version() == before
    assert scene.requests()["login"] == 1
    await scene.apply(scene.credentials_secret())
    await scene.ready()


async def test_token_with_few_uses_is_replaced_and_then_shared_by_few(scene: Scene) -> None:
    """Every resource is synced; in the end there are about as many logins as the limit makes necessary."""
    identity = scene.server.add_identity("frugal", {scene.project: ADMIN})
    scene.credentials = scene.server.add_universal_auth(identity, uses=6)
    names = [f"wanted-{number}" for number in range(12)]
    for name in names:
        scene.project.set_secret("dev", f"/{name}", "KEY", name)
    await scene.begin_with_store()
    await scene.apply(*(scene.external_secret(name, data=[key(f"/{name}/KEY")]) for name in names))
    for name in names:
        await scene.ready(name)
    for _ in range(2):
        async with scene.runs(*names):
            for name in names:
                await scene.refresh(name)
    assert 6 <= scene.requests()["login"] <= 12


async def test_identity_that_is_no_member_is_told(scene: Scene) -> None:
    """The store says so, and to whom to turn."""
    identity = scene.server.add_identity("stranger", {})
    scene.credentials = scene.server.add_universal_auth(identity)
    await scene.start()
    await scene.apply(scene.credentials_secret(), scene.store())
    condition = await scene.store_ready(status="False", said="no member of the project")
    assert 'project "my-project"' in condition["message"]
    assert condition["reason"] == "InvalidProviderConfig"
