"""All servers that are spoken to: one client for each address and set of certificates, one state for each host."""

import hashlib
import random
from collections.abc import Callable

from adapters.infisical.address import Address, parsed
from adapters.infisical.client import Client
from adapters.infisical.exchange import Exchange
from adapters.infisical.host_state import HostState
from adapters.infisical.routes import Routes
from adapters.infisical.transport import Transport
from machines.names import Host
from machines.outcomes import Invalid, Unavailable

Connect = Callable[[Address, bytes], Transport | Invalid]
Changed = Callable[[Host, Unavailable | None], None]
"""Is told that a host went down, and why, or that it is back (None)."""


class Hosts:
    """Clients, made when first asked for. `connect` makes the transport (`http.Network.transport`, or the embedded
    stand-in's), `chance` gives the jitter of retries and probes."""

    def __init__(
        self, connect: Connect, chance: random.Random, changed: Changed = lambda host, trouble: None
    ) -> None:
        self._connect = connect
        self._chance = chance
        self._changed = changed
        self._clients: dict[tuple[str, bytes], Client] = {}
        self.states: dict[Host, HostState] = {}
        self._routes: dict[str, Routes] = {}

    def client(self, host_api: str, certificates: bytes = b"") -> Client | Invalid:
        """The client for a `hostAPI`; `certificates` (PEM) are trusted in addition to the system's roots."""
        address = parsed(host_api)
        if isinstance(address, Invalid):
            return address
        key = address.url, hashlib.sha256(certificates).digest()
        client = self._clients.get(key)
        if client is None:
            transport = self._connect(address, certificates)
            if isinstance(transport, Invalid):
                return transport
            state = self.states.get(address.host)
            if state is None:
                state = self.states[address.host] = HostState(address.host, self._chance, self._changed)
            routes = self._routes.setdefault(address.url, Routes())
            client = Client(address, Exchange(transport, state, self._chance), routes)
            self._clients[key] = client
        return client
