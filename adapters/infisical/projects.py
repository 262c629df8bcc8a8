"""Projects by their slugs, remembered: a slug is unique in its organisation only, and what an identity may see differs."""

from collections import OrderedDict
from typing import Final

import msgspec

from adapters.infisical.client import Client
from adapters.infisical.exchange import Retry
from adapters.infisical.failures import ProjectFailure
from adapters.infisical.flights import Flight
from adapters.infisical.lease_terms import LeaseKey
from adapters.infisical.leases import Lease
from adapters.infisical.places import Project

_REMEMBERED: Final = 2000


class ResolvedProject(msgspec.Struct, frozen=True):
    """The project of a slug. `cached`: nothing was asked, so that its ID may be stale."""

    project: Project
    cached: bool


class _Key(msgspec.Struct, frozen=True):
    lease: LeaseKey  # host, organisation, method and credentials
    slug: str


class Projects:
    """What is known of projects. Simultaneous questions for the same one are one request."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Key, Project] = OrderedDict()
        self._asked: dict[tuple[_Key, int], Flight[Project | ProjectFailure]] = {}

    async def resolve(
        self, client: Client, lease: Lease, slug: str, retry: Retry, *, stale: str | None = None
    ) -> ResolvedProject | ProjectFailure:
        """The project of a slug; `stale` is an ID that turned out not to work (any more), and is forgotten."""
        key = _Key(lease.key, slug)
        known = self._known.get(key)
        if known is not None and known.id == stale:
            del self._known[key]
            known = None
        if known is not None:
            self._known.move_to_end(key)
            return ResolvedProject(known, cached=True)
        flight = self._asked.get((key, lease.number))
        if flight is None or not flight.under_way:
            flight = self._asked[key, lease.number] = Flight(self._ask(client, lease, slug, retry, key))
        result = await flight.result()
        return ResolvedProject(result, cached=False) if isinstance(result, Project) else result

    async def _ask(
        self, client: Client, lease: Lease, slug: str, retry: Retry, key: _Key
    ) -> Project | ProjectFailure:
        try:
            result = await client.project(lease.token, slug, retry)
        finally:
            self._asked.pop((key, lease.number), None)
        if isinstance(result, Project):
            self._known[key] = result
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return result
