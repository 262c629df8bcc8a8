"""The links of a store: whose it is, whom it admits, how it logs in, with which credentials, and what it was found to be."""

import base64
import binascii
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

from adapters import cluster
from adapters.auth.credentials import Source, checked
from adapters.cluster import Kind, Listed, Object, Selection
from adapters.infisical import address as addresses
from adapters.infisical.address import Address
from adapters.resources.faults import Fault
from adapters.resources.kinds import CLUSTER_SECRET_STORE, NAMESPACE, SECRET, SECRET_STORE
from machines.outcomes import (
    Denial,
    Denied,
    Invalid,
    Missing,
    StoreFacts,
    StoreReason,
    StoreState,
    Thing,
)
from reconciler.conditions import ready_of
from reconciler.effects.certificates import certificates
from reconciler.explaining.links import Link, fine, near, note, unknown, wrong
from reconciler.failure_texts import failure_text
from reconciler.looking import Onlooker
from reconciler.stores import Connection, StoreView, connection_of


class StoreLinks:
    """Explains stores, as they are for the resources of one namespace ("" for a store by itself)."""

    def __init__(self, onlooker: Onlooker, namespace: str) -> None:
        self._onlooker = onlooker
        self._namespace = namespace
        self._secrets: dict[tuple[str, str], Object | Link] = {}

    async def of(self, facts: StoreFacts, view: StoreView | None) -> list[Link]:
        """The links of one store, in the order in which one rests on the other."""
        about = f"{facts.kind} {facts.name}"
        if view is None and facts.kind in {kind.name for kind in self._onlooker.unseen}:
            return [unknown(about, "may not be looked at by you")]
        if view is None:
            place = f" in the namespace {self._namespace}" if facts.kind == SECRET_STORE.name else ""
            hint = await self._hint(facts)
            return [wrong(about, f"does not exist{place}: create it, or mend the reference{hint}")]
        stops = self._not_usable(about, facts, view)
        if stops is not None:
            return [stops]
        is_open = ", and open to this namespace" if self._namespace and not view.namespace else ""
        links = [fine(about, f"is there, of this controller's class{is_open}")]
        links += [wrong(about, f"{fault.path or 'spec'}: {fault.message}") for fault in _faults(view)]
        if view.object["metadata"].get("deletionTimestamp"):
            links.append(note(about, f"is being deleted; it stays for {_finalizers(view.object)}"))
        if view.store is None or view.store.spec.provider.infisical is None:
            return links
        links += [link async for link in self._login(about, view)]
        links.append(_verdict(about, view))
        links.append(_scope(about, facts, view))
        return links

    # --- whether it can be used at all -----------------------------------------------------------------------

    def _not_usable(self, about: str, facts: StoreFacts, view: StoreView) -> Link | None:
        match facts.state:
            case StoreState.FOREIGN:
                ours = self._onlooker.options.controller_class
                return wrong(
                    about,
                    f'is for controllers of the class "{view.controller or "default"}", this one serves "{ours}": mend '
                    "its spec.controller, or give --controller-class",
                )
            case StoreState.OTHER_PROVIDER:
                return wrong(about, "is of another provider than infisical: another controller's business")
            case StoreState.EXCLUDING if NAMESPACE in self._onlooker.unseen and _asks_for_labels(view):
                return unknown(about, "admits namespaces by their labels, which you may not look at")
            case StoreState.EXCLUDING:
                return wrong(
                    about,
                    f"does not admit the namespace {self._namespace}: see its spec.conditions, or use another store",
                )
        return None

    async def _hint(self, facts: StoreFacts) -> str:
        """Where the store may be that was meant: under a like name, of the other kind, or in another namespace."""
        stores = self._onlooker.surroundings.views.stores
        own = SECRET_STORE if facts.kind == SECRET_STORE.name else CLUSTER_SECRET_STORE
        other = CLUSTER_SECRET_STORE if own == SECRET_STORE else SECRET_STORE
        here = "" if own == CLUSTER_SECRET_STORE else self._namespace
        there = "" if other == CLUSTER_SECRET_STORE else self._namespace
        if stores[other.name].get((there, facts.name)) is not None:
            return f"; there is a {other.name} of this name"
        if own == SECRET_STORE and (elsewhere := await self._elsewhere(own, facts.name)):
            return f"; there is one in {elsewhere}, and a SecretStore serves its own namespace only"
        return near(facts.name, (name for (space, name), _ in stores[own.name] if space == here))

    async def _elsewhere(self, kind: Kind, name: str) -> str:
        """Other namespaces where there is an object of this name, as far as one may look there."""
        listed = await self._onlooker.cluster.list(Selection(kind))
        if not isinstance(listed, Listed):
            return ""
        found = [one["metadata"] for one in listed.items if one["metadata"]["name"] == name]
        return ", ".join(sorted({one["namespace"] for one in found} - {self._namespace}))

    # --- logging in ------------------------------------------------------------------------------------------

    async def _login(self, about: str, view: StoreView) -> AsyncIterator[Link]:
        assert view.store is not None
        infisical = view.store.spec.provider.infisical
        assert infisical is not None
        address = addresses.parsed(infisical.host_api)
        if isinstance(address, Invalid):
            yield wrong(about, failure_text(address, None))
        connection = connection_of(view, self._namespace)
        if isinstance(connection, Invalid):
            yield wrong(f"{about}, login", failure_text(connection, None))
            return
        yield self._method(about, connection)
        if isinstance(address, Address):
            name = urlsplit(address.url).hostname or ""
            namespaced = bool(view.namespace)
            if not self._onlooker.surroundings.methods.may_be_shown(
                connection.auth, name, namespaced=namespaced
            ):
                facts = self._onlooker.surroundings.stores.facts_of(view, self._namespace)
                yield wrong(f"{about}, login", failure_text(Denied(what=Denial.AMBIENT), facts))
        for source in connection.auth.sources:
            yield await self._credential(about, source)
        if connection.ca_bundle or connection.ca_provider is not None:
            found = await certificates(connection, self._onlooker.cluster)
            where = f"{about}, certificates"
            if isinstance(found, bytes):
                yield fine(where, "are there")
            elif isinstance(found, Denied):
                yield unknown(where, "may not be read by you")
            else:
                yield wrong(where, failure_text(found, None))

    @staticmethod
    def _method(about: str, connection: Connection) -> Link:
        block = str(connection.auth.sources[0].path).split(".")[-2]
        if connection.auth.several:
            return note(f"{about}, login", f"of several blocks, {block} is used: take the others away")
        return fine(f"{about}, login", f"by {block}")

    async def _credential(self, about: str, source: Source) -> Link:
        where = f"{about}, credential {source.field}"
        if not source.namespace:
            return unknown(
                where, f"is read in the namespace of whoever uses the store, from the Secret {source.name}"
            )
        secret = await self._secret(where, source)
        if isinstance(secret, Link):
            return secret
        data = secret.get("data") or {}
        if source.key not in data:
            missing = Missing(
                what=Thing.CREDENTIALS_KEY, namespace=source.namespace, name=source.name, key=source.key
            )
            return wrong(where, failure_text(missing, None) + near(source.key, data))
        try:
            content = base64.b64decode(data[source.key])
        except binascii.Error:
            return wrong(where, f"what the Secret {source.namespace}/{source.name} holds is no base64")
        found = checked({source: content})
        if isinstance(found, Invalid):
            return wrong(where, failure_text(found, None))
        if source.field.endswith("Path"):
            return self._file(where, source, content.decode().strip())
        return fine(where, f"is in the Secret {source.namespace}/{source.name}, key {source.key}")

    async def _secret(self, where: str, source: Source) -> Object | Link:
        place = (str(source.namespace), str(source.name))
        if place not in self._secrets:
            answer = await self._onlooker.cluster.get(SECRET, *place)
            match answer:
                case cluster.Done(object=object) if object is not None:
                    self._secrets[place] = object
                case cluster.Absent():
                    views = self._onlooker.surroundings.views.secrets
                    others = (name for (space, name), _ in views if space == place[0])
                    missing = Missing(
                        what=Thing.CREDENTIALS_SECRET, namespace=source.namespace, name=source.name
                    )
                    self._secrets[place] = wrong(where, failure_text(missing, None) + near(place[1], others))
                case _:
                    self._secrets[place] = unknown(
                        where, f"the Secret {'/'.join(place)} may not be read by you"
                    )
        found = self._secrets[place]
        return Link(found.mark, where, found.says) if isinstance(found, Link) else found

    def _file(self, where: str, source: Source, path: str) -> Link:
        """A credential that is in a file where the controller runs, whose path the Secret has."""
        settings = self._onlooker.options.auth
        if settings.may_be_read(source.field, path):
            return fine(where, "is in a file that the controller may read, if it is there")
        if not settings.credential_directories:
            return unknown(
                where,
                "is in a file: whether the controller may read it, its --credential-directories say; give them here",
            )
        outside = Denied(
            what=Denial.FILE, namespace=source.namespace, name=source.name, secret_key=source.key
        )
        return wrong(where, failure_text(outside, None))


def _asks_for_labels(view: StoreView) -> bool:
    conditions = view.store.spec.conditions if view.store is not None else ()
    return any(condition.namespace_selector is not None for condition in conditions)


def _faults(view: StoreView) -> Iterator[Fault]:
    yield from view.faults.faults if view.faults is not None else ()


def _finalizers(object: Object) -> str:
    held = object["metadata"].get("finalizers") or ()
    return f"its finalizers {', '.join(held)}" if held else "a moment"


def _verdict(about: str, view: StoreView) -> Link:
    """What the controller found when it tried the store, as its condition tells."""
    where, ready = f"{about}, condition", ready_of(view.object)
    if ready is None:
        return unknown(
            where,
            "there is none: it was not tried yet. Does a controller run, for its class and its namespace?",
        )
    since = f" (since {ready['lastTransitionTime']})" if ready.get("lastTransitionTime") else ""
    told = f"{ready.get('reason') or 'no reason'}: {ready.get('message') or 'no message'}{since}"
    if ready.get("status") == "True":
        return (fine if view.reason is StoreReason.VALID else note)(where, told)
    return wrong(where, f"not ready, {told}")


def _scope(about: str, facts: StoreFacts, view: StoreView) -> Link:
    assert view.store is not None
    infisical = view.store.spec.provider.infisical
    assert infisical is not None
    scope = infisical.secrets_scope
    place = (
        f'project "{scope.project_slug}", environment "{scope.environment_slug}", folder '
        f"{scope.secrets_path} at {facts.host or infisical.host_api}"
    )
    where = f"{about}, place"
    if view.ready is None:
        return unknown(where, f"{place}: not tried yet")
    if not view.ready:
        return unknown(where, f"{place}: see its condition")
    if view.reason is not StoreReason.VALID:
        return unknown(where, f"{place}: nothing says that it can be read")
    return fine(where, f"{place}: could be read")
