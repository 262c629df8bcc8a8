"""Refreshes in company, on the simulated clock: what one store serves comes together, and costs one listing."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime

from adapters.cluster import Done, Object
from adapters.infisical.address import Address
from adapters.local.cluster import LocalCluster
from adapters.resources.kinds import EXTERNAL_SECRET
from adapters.resources.times import seconds_of
from reconciler.assembly import Options
from reconciler.controller import Controller
from reconciler.driver import Clock
from reconciler.metrics import Metrics
from reconciler.standin import ADMIN, InProcess, Kind, StandIn
from tests.scenarios.collected import Collected
from tests.scenarios.counting import CountingCluster
from tests.simulated_loop import simulated, wall_time

INTERVAL = 60.0
RESOURCES = 120
ROUNDS = 30


class _Town:
    """One server, one store, a controller, and resources that read the same folder."""

    def __init__(self) -> None:
        self.server = StandIn(wall_time)
        self.project = self.server.add_project("app", environments=["dev"])
        for number in range(RESOURCES):
            self.project.set_secret("dev", "/", f"KEY_{number}", f"value {number}")
        self.credentials = self.server.add_machine("reader", {self.project: ADMIN})
        self.cluster = CountingCluster(LocalCluster(lambda: datetime.fromtimestamp(wall_time(), UTC)))
        self.controller = Controller(
            self.cluster, self._connect, Collected(), Clock(wall_time), random.Random(1), Options(), Metrics()
        )

    def _connect(self, address: Address, certificates: bytes) -> InProcess:
        return InProcess(self.server)

    async def apply(self, *objects: Object) -> None:
        """As their author."""
        for object in objects:
            assert isinstance(await self.cluster.apply(object, "author"), Done)

    def store(self) -> tuple[Object, Object]:
        """Credentials and a store that is validated so rarely that it does not disturb the counts."""
        login = {"clientId": self.credentials.client_id, "clientSecret": self.credentials.client_secret}
        selectors = {key: {"name": "login", "key": key} for key in login}
        infisical = {
            "hostAPI": "https://infisical.example",
            "auth": {"universalAuthCredentials": selectors},
            "secretsScope": {"projectSlug": "app", "environmentSlug": "dev"},
        }
        return (
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "login", "namespace": "default"},
                "stringData": login,
            },
            {
                "apiVersion": "external-secrets.io/v1",
                "kind": "SecretStore",
                "metadata": {"name": "infisical", "namespace": "default"},
                "spec": {"refreshInterval": 86_400, "provider": {"infisical": infisical}},
            },
        )

    async def refreshed(self) -> list[float]:
        """When each resource was refreshed, as its status says."""
        found = []
        for number in range(RESOURCES):
            answer = await self.cluster.get(EXTERNAL_SECRET, "default", f"wanted-{number}")
            assert isinstance(answer, Done)
            assert answer.object is not None
            found.append(seconds_of(answer.object["status"]["refreshTime"]) or 0.0)
        return found


def resource(number: int, interval: str) -> Object:
    """An ExternalSecret of one key."""
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": f"wanted-{number}", "namespace": "default"},
        "spec": {
            "refreshInterval": interval,
            "secretStoreRef": {"name": "infisical", "kind": "SecretStore"},
            "data": [{"secretKey": "key", "remoteRef": {"key": f"KEY_{number}"}}],
        },
    }


@simulated
async def test_resources_that_began_at_different_moments_come_to_share_one_listing_a_round() -> None:
    """Created over 40 s: some companies at first, one in the end; nobody's data ever becomes older than its interval."""
    town = _Town()
    running = asyncio.create_task(town.controller.run())
    await town.apply(*town.store())
    for number in range(RESOURCES):
        await town.apply(resource(number, "60s"))
        await asyncio.sleep(40.0 / RESOURCES)
    await asyncio.sleep(10.0)
    listings = []
    for _ in range(ROUNDS):
        town.server.record.clear()
        town.cluster.writes.clear()
        await asyncio.sleep(INTERVAL)
        listings.append(town.server.counts()[Kind.LISTING])
        assert min(await town.refreshed()) >= wall_time() - INTERVAL - 2.0  # the status has whole seconds
        assert town.cluster.writes["apply Secret"] == 0
    # As many companies as there are half windows in the time of their creation.
    assert max(listings) <= 40.0 / 3.0 + 1, listings
    assert set(listings[-5:]) <= {1, 2}
    assert sum(listings[-5:]) <= 6
    await town.controller.stop()
    running.cancel()


@simulated
async def test_a_burst_beside_a_new_store_costs_each_resource_one_apply_and_one_status() -> None:
    """Nobody says that it waits for a store that is being validated for the first time."""
    town = _Town()
    await town.apply(*town.store(), *(resource(number, "1h") for number in range(RESOURCES)))
    town.cluster.writes.clear()
    running = asyncio.create_task(town.controller.run())
    await asyncio.sleep(10.0)
    assert town.cluster.writes == Counter(
        {"apply Secret": RESOURCES, "status ExternalSecret": RESOURCES, "status SecretStore": 1}
    )
    assert town.server.counts() == Counter(
        {Kind.LOGIN: 1, Kind.RESOLUTION: 1, Kind.SINGLE: 1, Kind.LISTING: 1, Kind.REVOCATION: 1}
    )
    await town.controller.stop()
    running.cancel()


@simulated
async def test_who_waits_for_a_stores_first_verdict_says_so_after_a_moment() -> None:
    """When the store's credentials are not there, for instance, and all the more when the server takes its time."""
    town = _Town()
    await town.apply(town.store()[1], resource(0, "1h"))
    running = asyncio.create_task(town.controller.run())
    await asyncio.sleep(5.0)
    answer = await town.cluster.get(EXTERNAL_SECRET, "default", "wanted-0")
    assert isinstance(answer, Done)
    assert answer.object is not None
    condition = answer.object["status"]["conditions"][0]
    assert (condition["type"], condition["status"]) == ("Ready", "False")
    assert "infisical" in condition["message"]
    await town.controller.stop()
    running.cancel()
