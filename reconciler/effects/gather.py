"""What goes where: the source is read and expanded into the entries of each store, and compared with the record."""

import base64
import binascii
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from adapters import cluster
from adapters.cluster import Object, Read, Selection
from adapters.infisical.address import Address, parsed
from adapters.resources.kinds import SECRET
from adapters.resources.push_secrets import PushSecretSpec, PushStoreReference
from adapters.resources.references import LabelSelector, StoreReference
from machines.names import FieldPath
from machines.outcomes import Absent, Denied, Fault, Invalid, Outcome, StoreState, Unavailable
from machines.push_effects import Gather
from machines.push_facts import USABLE
from machines.push_outcomes import Gathered
from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.keys import Location, resolve_key
from reconciler.content.push_entries import Entry, Source, entries_for
from reconciler.content.push_plan import Removal, Wanted
from reconciler.content.values import Value
from reconciler.effects.cluster_failures import unreadable
from reconciler.effects.content_faults import invalid
from reconciler.payload import PushSecretPayload, StorePush
from reconciler.push_references import abandons, choices_of, deletes, record_key, source_of
from reconciler.stores import StoreView, selects
from reconciler.surroundings import Surroundings

_Destination = tuple[str, str, str, Location]
"""Host, project, environment and secret: one place, whichever store leads there."""


class Gatherer:
    """Performs Gather."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings

    async def __call__(self, effect: Gather, payload: PushSecretPayload) -> Outcome:
        """Reads the source as it is now, unless all is withdrawn, and fills `payload.gathered`."""
        assert payload.object is not None
        sources: tuple[Source, ...] = ()
        if not effect.withdraw:
            found = await self._sources(payload.object)
            if not isinstance(found, tuple):
                return found
            sources = payload.sources = found
            payload.versions = tuple((one.name, one.uid, one.version) for one in sources)
            assert payload.resource is not None
            unmatched = _unmatched(payload, payload.resource.spec)
            if unmatched is not None:
                return unmatched
        try:
            gathered = {
                number: self._of_store(payload, number, sources) for number in range(len(payload.references))
            }
        except ContentFault as fault:
            return invalid(fault)
        payload.gathered = gathered
        self._find_debts(payload, gathered)
        for number, store in gathered.items():
            if not self._takes(payload, number):
                store.wanted = ()
            store.entries = {one.entry.name: one.entry for one in store.wanted}
        return Gathered(
            entries=tuple(len(gathered[number].wanted) for number in sorted(gathered)),
            owed=tuple(len(gathered[number].removals) for number in sorted(gathered)),
        )

    # --- the source ----------------------------------------------------------------------------------------

    async def _sources(self, object: Object) -> tuple[Source, ...] | Absent | Denied | Unavailable:
        namespace = object["metadata"]["namespace"]
        name, selector = source_of(object)
        if name is not None:
            answer = await self._with.cluster.get(SECRET, namespace, name)
            if not self._agrees(namespace, name, answer):
                # One of both is old. What is taken for gone would be deleted, and nothing would tell of a late error.
                answer = await self._with.cluster.get(SECRET, namespace, name)
            if isinstance(answer, cluster.Done) and answer.object is not None:
                return (source_of_secret(answer.object),)
            if isinstance(answer, cluster.Absent):
                return Absent()
            assert not isinstance(answer, cluster.Done)
            return unreadable(answer)
        listed = await self._with.cluster.list(
            Selection(SECRET, namespace=namespace, labels=_text_of(selector))
        )
        if isinstance(listed, cluster.Listed):
            return tuple(source_of_secret(item) for item in listed.items) or Absent()
        if isinstance(listed, cluster.Absent):
            return Absent()
        if isinstance(listed, cluster.Expired):
            return unreadable(cluster.Unavailable())
        return unreadable(listed)

    def _agrees(self, namespace: str, name: str, answer: Read) -> bool:
        """Whether a read says what watches told. A failure contradicts nothing."""
        known = self._with.views.secrets.get((namespace, name))
        if isinstance(answer, cluster.Done) and answer.object is not None:
            return known is not None and known.version == answer.object["metadata"].get("resourceVersion")
        return known is None or not isinstance(answer, cluster.Absent)

    # --- the stores ----------------------------------------------------------------------------------------

    def _of_store(self, payload: PushSecretPayload, number: int, sources: tuple[Source, ...]) -> StorePush:
        """The entries for one store. Raises ContentFault."""
        store, view = StorePush(), payload.stores[number]
        if not sources or not payload.named[number] or payload.resource is None:
            return store
        reference = payload.references[number]

        def chosen(wanted: PushStoreReference) -> bool:
            return _means(wanted, reference, view)

        entries = entries_for(payload.resource.spec, sources, chosen)
        store.names = frozenset(entry.name for entry in entries)
        if view is not None and _scope(view) is not None:
            store.wanted = tuple(located(entries, view))
        return store

    def _takes(self, payload: PushSecretPayload, number: int) -> bool:
        """Whether a store is one that is pushed to: one that is going away, or another's, is passed over."""
        facts = self._with.stores.facts(payload.references[number], payload.subject.namespace)
        return facts.state in (*USABLE, StoreState.EXCLUDING) and not facts.deleting

    def _find_debts(self, payload: PushSecretPayload, gathered: dict[int, StorePush]) -> None:
        """What the record has and nobody wants any more: to be deleted, where that is the policy, or forgotten."""
        assert payload.object is not None
        wanted: dict[_Destination, list[tuple[int, str | None]]] = defaultdict(list)
        for number, store in gathered.items():
            for one in store.wanted:
                destination = _destination(payload.stores[number], one.location)
                if destination is not None:
                    wanted[destination].append((number, one.entry.property))
        owes = deletes(payload.object) and not abandons(payload.object)
        for number, store in gathered.items():
            reference, view = payload.references[number], payload.stores[number]
            record = payload.record.get(record_key(reference.kind, reference.name or ""), {})
            removals, forgotten = [], set()
            for name, recorded in record.items():
                if name in store.names:
                    continue
                removal = _removal(name, recorded, view)
                if not owes or removal is None:
                    forgotten.add(name)
                    continue
                destination = _destination(view, removal.location)
                there = wanted.get(destination, []) if destination is not None else []
                own = any(one == number for one, _ in there)
                if not own and any(
                    None in (path, removal.property) or path == removal.property for _, path in there
                ):
                    forgotten.add(name)  # it is wanted there through another store
                else:
                    # Also where the same place is wanted under another name: the plan passes on whose it is.
                    removals.append(removal)
            store.removals, store.forgotten = tuple(removals), frozenset(forgotten)


def source_of_secret(object: Object) -> Source:
    """A Secret as a source: its values by key."""
    metadata = object["metadata"]
    data = {key: Value(_decoded(text)) for key, text in (object.get("data") or {}).items()}
    return Source(metadata["name"], metadata.get("uid", ""), metadata.get("resourceVersion", ""), data)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""  # an API server takes nothing else than base64


def _text_of(selector: LabelSelector | None) -> str:
    """A label selector as the API takes it in a query."""
    if selector is None:
        return ""
    parts = [f"{key}={value}" for key, value in sorted(selector.match_labels.items())]
    words = {"In": "in", "NotIn": "notin"}
    for requirement in selector.match_expressions:
        if requirement.operator in words:
            parts.append(f"{requirement.key} {words[requirement.operator]} ({','.join(requirement.values)})")
        else:
            parts.append(requirement.key if requirement.operator == "Exists" else f"!{requirement.key}")
    return ",".join(parts)


def _means(wanted: PushStoreReference, reference: StoreReference, view: StoreView | None) -> bool:
    """Whether the storeRef of an entry of dataTo means this store."""
    if wanted.kind != reference.kind:
        return False
    if wanted.name:
        return wanted.name == reference.name
    labels = view.object["metadata"].get("labels") or {} if view is not None else {}
    return wanted.label_selector is not None and selects(wanted.label_selector, labels)


def _unmatched(payload: PushSecretPayload, spec: PushSecretSpec) -> Invalid | None:
    """A selector that chooses no store, or an entry of dataTo for a store that is not listed."""
    assert payload.object is not None
    named = [number for number, is_named in enumerate(payload.named) if is_named]
    for number, choice in enumerate(choices_of(payload.object)):
        if choice.name is None and not any(
            payload.references[one].kind == choice.kind
            and (view := payload.stores[one]) is not None
            and choice.selector is not None
            and selects(choice.selector, view.object["metadata"].get("labels") or {})
            for one in named
        ):
            return Invalid(what=Fault.NO_STORE_MATCHES, field=FieldPath(f"spec.secretStoreRefs[{number}]"))
    for number, entry in enumerate(spec.data_to):
        wanted = entry.store_ref
        if wanted is not None and not any(
            _means(wanted, payload.references[one], payload.stores[one]) for one in named
        ):
            return Invalid(what=Fault.STORE_NOT_LISTED, field=FieldPath(f"spec.dataTo[{number}].storeRef"))
    return None


def _scope(view: StoreView) -> Any:
    if view.store is None or view.store.spec.provider.infisical is None:
        return None
    return view.store.spec.provider.infisical.secrets_scope


def located(entries: list[Entry], view: StoreView) -> Iterator[Wanted]:
    """Where each entry goes. Raises ContentFault where two go to one place under different names."""
    seen: dict[Location, set[str | None]] = {}
    for entry in entries:
        location = resolve_key(_scope(view).secrets_path, entry.remote_key)
        others = seen.setdefault(location, set())
        if entry.property in others or (others and None in (entry.property, *others)):
            raise ContentFault(FaultKind.SAME_DESTINATION, key=entry.remote_key, property_path=entry.property)
        others.add(entry.property)
        yield Wanted(entry=entry, location=location)


def _removal(name: str, recorded: Any, view: StoreView | None) -> Removal | None:
    """What the record says was pushed; None for what nobody can have pushed.

    Of a store that is gone nothing is known but that something is owed there.
    """
    remote = ((recorded or {}).get("match") or {}).get("remoteRef") or {}
    key, path = remote.get("remoteKey"), remote.get("property") or None
    if not isinstance(key, str):
        return None
    scope = _scope(view) if view is not None else None
    try:
        location = resolve_key(scope.secrets_path if scope is not None else "/", key)
    except ContentFault:
        return None
    return Removal(name=name, location=location, property=path)


def _destination(view: StoreView | None, location: Location) -> _Destination | None:
    if view is None or (scope := _scope(view)) is None:
        return None
    assert view.store is not None
    assert view.store.spec.provider.infisical is not None
    address = parsed(view.store.spec.provider.infisical.host_api)
    host = address.url if isinstance(address, Address) else ""
    return host, scope.project_slug, scope.environment_slug, location
