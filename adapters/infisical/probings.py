"""Whether folders are there and may be read: one request for all who ask at the same moment."""

import asyncio

import msgspec

from adapters.infisical.client import Client, Readable
from adapters.infisical.failures import SecretsFailure
from adapters.infisical.flights import Flight
from adapters.infisical.lease_terms import LeaseKey
from adapters.infisical.places import Place, View
from adapters.infisical.reading_terms import Reader


class _Key(msgspec.Struct, frozen=True):
    client: Client
    lease: LeaseKey
    token: int
    place: Place
    view: View


class _Probing:
    """A folder that is tried, and from when on it is."""

    def __init__(self, began: float, flight: Flight[Readable | SecretsFailure]) -> None:
        self.began = began
        self.flight = flight


class Probings:
    """Those under way, and for `keeping` seconds those that found a folder readable."""

    def __init__(self, keeping: float) -> None:
        self._keeping = keeping
        self._probings: dict[_Key, _Probing] = {}

    async def probe(
        self, reader: Reader, place: Place, view: View, *, since: float
    ) -> Readable | SecretsFailure:
        """See `Readings.probe`."""
        key = _Key(reader.client, reader.lease.key, reader.lease.number, place, view)
        probing = self._probings.get(key)
        if probing is None or probing.began < since or not probing.flight.joinable:
            asked = reader.client.probe(reader.lease.token, place, view, reader.retry)
            loop = asyncio.get_running_loop()
            probing = self._probings[key] = _Probing(loop.time(), Flight(asked))
            loop.call_later(self._keeping, self._forget, key, probing)
        result = await probing.flight.result()
        if not isinstance(result, Readable):  # who asks again after that wants to know it anew
            self._forget(key, probing)
        return result

    def _forget(self, key: _Key, probing: _Probing) -> None:
        if self._probings.get(key) is probing:
            del self._probings[key]
