"""What is wrong with PushSecrets in manifests, as far as the other manifests at hand tell."""

from collections.abc import Iterator, Mapping

import msgspec

from adapters.cluster import Kind, Object
from adapters.resources.faults import Faults
from adapters.resources.kinds import CLUSTER_SECRET_STORE, SECRET, SECRET_STORE
from adapters.resources.parsing import parse_as
from adapters.resources.push_secrets import PushSecret, PushSecretSpec, PushStoreReference
from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.keys import resolve_key
from reconciler.content.push_entries import Source, entries_for
from reconciler.content.regexps import searcher
from reconciler.effects.content_faults import invalid
from reconciler.effects.gather import located, source_of_secret
from reconciler.failure_texts import failure_text
from reconciler.push_references import StoreChoice, choices_of, source_of
from reconciler.stores import StoreView, selects, view_of_store
from reconciler.support import unsupported_of_push_secret

Finding = tuple[str, str, bool]
"""A field, a sentence about it, and whether it is a mistake."""

Objects = Mapping[tuple[Kind, str, str], Object]
"""The manifests at hand, by kind, namespace and name."""


def push_findings(object: Object, objects: Objects) -> Iterator[Finding]:
    """What is to be said of a PushSecret that its schema has let pass."""
    parsed = parse_as(PushSecret, object)
    if isinstance(parsed, Faults):
        for fault in parsed.faults:
            yield fault.path, fault.message, True
        return
    for field in unsupported_of_push_secret(parsed):
        yield str(field), "not supported by this controller yet; take it out", True
    choices = list(choices_of(object))
    stores: list[StoreView] = []
    for number, choice in enumerate(choices):
        found = _chosen(choice, objects)
        stores += found
        if not found:
            named = f"{choice.kind} {choice.name}" if choice.name else f"a {choice.kind} with these labels"
            yield f"spec.secretStoreRefs[{number}]", f"{named} is not in these files", False
    yield from _destinations(parsed.spec, choices)
    sources = list(_sources(object, objects))
    if not sources:
        yield "spec.selector.secret", "what it pushes is not in these files", False
        yield from _names(parsed.spec)
        return
    faults = list(_entries(parsed.spec, sources))
    yield from faults
    if not faults:
        yield from _together(parsed.spec, sources, stores)


def _chosen(choice: StoreChoice, objects: Objects) -> list[StoreView]:
    """The stores at hand that an entry of secretStoreRefs names or chooses."""
    kind = CLUSTER_SECRET_STORE if choice.kind == CLUSTER_SECRET_STORE.name else SECRET_STORE
    return [
        view_of_store(object)
        for (one, namespace, name), object in objects.items()
        if (one, namespace) == (kind, choice.namespace)
        and (
            name == choice.name
            if choice.name
            else choice.selector is not None
            and selects(choice.selector, object["metadata"].get("labels") or {})
        )
    ]


def _sources(object: Object, objects: Objects) -> Iterator[Source]:
    name, selector = source_of(object)
    for (kind, namespace, found), secret in objects.items():
        if (kind, namespace) != (SECRET, object["metadata"]["namespace"]):
            continue
        labels = secret["metadata"].get("labels") or {}
        if found == name or (selector is not None and selects(selector, labels)):
            yield source_of_secret(secret)


def _destinations(spec: PushSecretSpec, choices: list[StoreChoice]) -> Iterator[Finding]:
    """Whether the stores that entries of dataTo name are among those of the resource."""
    names = {(choice.kind, choice.name) for choice in choices}
    by_labels = {choice.kind for choice in choices if choice.name is None}
    for number, entry in enumerate(spec.data_to):
        wanted = entry.store_ref
        if wanted is None or not wanted.name or wanted.kind in by_labels:
            continue
        if (wanted.kind, wanted.name) not in names:
            yield f"spec.dataTo[{number}].storeRef", "is none of spec.secretStoreRefs", True


def _every_store(wanted: PushStoreReference) -> bool:
    return True


def _entries(spec: PushSecretSpec, sources: list[Source]) -> Iterator[Finding]:
    """Each entry by itself: keys of the source, names at Infisical, values that no server stores."""
    alone = [
        (f"spec.data[{number}]", msgspec.structs.replace(spec, data=(one,), data_to=()))
        for number, one in enumerate(spec.data)
    ]
    alone += [
        (f"spec.dataTo[{number}]", msgspec.structs.replace(spec, data=(), data_to=(one,)))
        for number, one in enumerate(spec.data_to)
        if not any(rewrite.transform is not None for rewrite in one.rewrite)
    ]
    for path, part in alone:
        try:
            entries = entries_for(part, sources, _every_store)
        except ContentFault as fault:
            yield path, _sentence(fault), True
            continue
        for entry in entries:
            if entry.fault is not None:
                yield path, _sentence(entry.fault), True


def _together(spec: PushSecretSpec, sources: list[Source], stores: list[StoreView]) -> Iterator[Finding]:
    """All entries, whether two of them go to one place."""
    if any(rewrite.transform is not None for one in spec.data_to for rewrite in one.rewrite):
        return
    try:
        entries = entries_for(spec, sources, _every_store)
        for view in stores:
            if view.store is not None and view.store.spec.provider.infisical is not None:
                list(located(entries, view))
    except ContentFault as fault:
        if fault.kind is FaultKind.SAME_DESTINATION and not _several_stores(spec):
            yield "spec", _sentence(fault), True


def _several_stores(spec: PushSecretSpec) -> bool:
    """Whether entries may go to different stores, so that the same name twice may be right."""
    wanted = {(one.store_ref.kind, one.store_ref.name) for one in spec.data_to if one.store_ref is not None}
    return len(wanted) > 1


def _names(spec: PushSecretSpec) -> Iterator[Finding]:
    """What can be said without the source: names at Infisical, and patterns."""
    for number, one in enumerate(spec.data):
        try:
            resolve_key("/", one.match.remote_ref.remote_key)
        except ContentFault as fault:
            yield f"spec.data[{number}].match.remoteRef.remoteKey", _sentence(fault), True
    for number, several in enumerate(spec.data_to):
        try:
            searcher((several.match.regexp if several.match is not None else None) or "")
        except ContentFault as fault:
            yield f"spec.dataTo[{number}].match.regexp", _sentence(fault), True


def _sentence(fault: ContentFault) -> str:
    return failure_text(invalid(fault), None)
