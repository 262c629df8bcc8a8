"""Projects by slug: asked once, remembered, asked again when the ID turns out stale."""

import asyncio

import pytest

from adapters.infisical.places import Place
from adapters.infisical.projects import ResolvedProject
from adapters.infisical.readings import Reader
from machines.names import FolderPath
from machines.outcomes import Denial, Denied, Fault, Invalid, LeaseRefused, Missing, Thing
from reconciler.standin import NO_ACCESS, Age, Kind
from tests.adapters.infisical.access import RETRY, SLUG, Situation, shown
from tests.simulated_loop import simulated

AGES = pytest.mark.parametrize("age", Age)


@pytest.mark.statement("S71", "S72")
@AGES
def test_a_slug_is_resolved_once_for_all_and_remembered(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation = Situation(age)
        reader = await situation.reader()

        async def resolve() -> object:
            return await situation.projects.resolve(situation.client, reader.lease, SLUG, RETRY)

        results = await asyncio.gather(*(resolve() for _ in range(50)))
        assert all(isinstance(result, ResolvedProject) for result in results)
        again = await resolve()
        assert isinstance(again, ResolvedProject)
        assert (again.project.id, again.cached) == (situation.remote.id, True)
        assert situation.counts()[Kind.RESOLUTION] == 1

    scenario()


@AGES
def test_an_id_that_does_not_work_any_more_is_replaced_once_for_all(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation = Situation(age)
        reader = await situation.reader()
        old = (await situation.place(reader)).project.id
        new = situation.server.remake_project(SLUG)

        async def resolve() -> object:
            return await situation.projects.resolve(situation.client, reader.lease, SLUG, RETRY, stale=old)

        first = await asyncio.gather(*(resolve() for _ in range(20)))
        later = await resolve()
        for result in (*first, later):
            assert isinstance(result, ResolvedProject)
            assert result.project.id == new.id
        assert isinstance(later, ResolvedProject)
        assert later.cached
        assert situation.counts()[Kind.RESOLUTION] == 2

    scenario()


@pytest.mark.statement("S74")
@AGES
def test_why_a_slug_leads_nowhere(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation = Situation(age)
        reader = await situation.reader()
        stranger = await situation.reader("2", situation.server.add_machine("stranger", {}))
        member = await situation.reader("3", situation.machine(NO_ACCESS))

        async def resolve(who: Reader, slug: str) -> object:
            return await situation.projects.resolve(situation.client, who.lease, slug, RETRY)

        assert await resolve(reader, "no-such-project") == Missing(what=Thing.PROJECT)
        assert await resolve(reader, "No Slug") == Invalid(what=Fault.BAD_SLUG)
        assert await resolve(stranger, SLUG) == Denied(what=Denial.MEMBERSHIP)
        assert isinstance(await resolve(member, SLUG), ResolvedProject)
        await situation.revoke(reader.lease.token)
        assert await resolve(reader, "unknown-yet") == LeaseRefused()

    scenario()


@AGES
def test_a_renamed_project_with_an_underscore_is_read_by_its_slug(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation = Situation(age)
        situation.remote.slug = "my_project"
        situation.remote.set_secret("dev", "/", "A", "1")
        situation.remote.set_secret("dev", "/", "B", "2")
        reader = await situation.reader()

        async def place(slug: str) -> Place:
            result = await situation.projects.resolve(situation.client, reader.lease, slug, RETRY)
            assert isinstance(result, ResolvedProject)
            return Place(result.project, "dev", FolderPath("/"))

        where = await place("my_project")
        assert shown(await situation.read(reader, where, "A")) == ["1"]
        assert shown(await situation.read(reader, where, "A", "B")) == ["1", "2"]
        assert await situation.read(reader, await place("other_project"), "A") == [
            Missing(what=Thing.PROJECT)
        ]

    scenario()
