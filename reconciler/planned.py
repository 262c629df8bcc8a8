"""What a run would change, by name only: no value, and nothing made of one."""

import enum
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from adapters.cluster import Object
from reconciler.content.metadata import ANNOTATION_DATA_HASH, field_manager
from reconciler.content.push_plan import Step, StepKind
from reconciler.payload import ExternalSecretPayload, PushSecretPayload
from reconciler.push_references import record_key
from reconciler.secret_view import controller_of


class Action(enum.Enum):
    """What would become of a thing."""

    CREATE = "create"
    CHANGE = "change"
    REMOVE = "remove"
    ADOPT = "adopt"  # it is there already, and becomes ours


class Planned(msgspec.Struct, frozen=True):
    """One thing that would be changed, and what of it: names after + (new), ~ (other than before) and - (gone)."""

    action: Action
    thing: str
    parts: tuple[str, ...] = ()


def planned_secret(payload: ExternalSecretPayload, observed: Object | None) -> Planned | None:
    """What an apply of the desired Secret would change; None: nothing."""
    desired = payload.desired
    assert desired is not None
    thing = f"Secret {desired['metadata']['name']}"
    if observed is None:
        return Planned(Action.CREATE, thing, tuple(f"+ {key}" for key in sorted(desired["data"])))
    parts = (
        *_differences(observed.get("data") or {}, desired["data"], exactly=True),
        *(f"{part[:2]}label {part[2:]}" for part in _marks(payload, observed, "labels")),
        *(f"{part[:2]}annotation {part[2:]}" for part in _marks(payload, observed, "annotations")),
    )
    owners = desired["metadata"].get("ownerReferences") or ()
    if owners and controller_of(observed).get("uid") != owners[0]["uid"]:
        return Planned(Action.ADOPT, thing, (*parts, "~ owner"))
    if not parts and not _is_held(payload, observed):
        return Planned(Action.ADOPT, thing, ("~ who manages its fields",))
    return Planned(Action.CHANGE, thing, parts) if parts else None


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], *, exactly: bool) -> Iterator[str]:
    """What is new, other and, with `exactly`, gone."""
    for key in sorted({*before, *after}):
        if key not in before:
            yield f"+ {key}"
        elif key not in after:
            if exactly:
                yield f"- {key}"
        elif before[key] != after[key]:
            yield f"~ {key}"


def _marks(payload: ExternalSecretPayload, observed: Object, name: str) -> Iterator[str]:
    """Labels or annotations that differ: the desired ones, and those that an apply of before put there. That the data
    differ is told by their keys, and not once more by the annotation over them."""
    assert payload.desired is not None
    after = payload.desired["metadata"].get(name) or {}
    held = _held(payload, observed, "f:metadata", f"f:{name}")
    before = observed["metadata"].get(name) or {}
    for part in _differences(
        {key: text for key, text in before.items() if key in held or key in after}, after, exactly=True
    ):
        if part[2:] != ANNOTATION_DATA_HASH:
            yield part


def _held(payload: ExternalSecretPayload, observed: Object, *path: str) -> set[str]:
    """The names below a path that our field manager applied."""
    found: set[str] = set()
    for entry in observed["metadata"].get("managedFields") or ():
        if entry.get("manager") == field_manager(payload.subject.name) and entry.get("operation") == "Apply":
            fields = entry.get("fieldsV1") or {}
            for step in path:
                fields = fields.get(step) or {}
            found |= {name.removeprefix("f:") for name in fields}
    return found


def _is_held(payload: ExternalSecretPayload, observed: Object) -> bool:
    """Whether all data are our field manager's."""
    assert payload.desired is not None
    return set(payload.desired["data"]) <= _held(payload, observed, "f:data")


_ACTIONS = {
    StepKind.CREATE: Action.CREATE,
    StepKind.UPDATE: Action.CHANGE,
    StepKind.DELETE: Action.REMOVE,
}


def planned_pushes(payload: PushSecretPayload, number: int) -> Iterator[Planned]:
    """What a push to one store would change there, secret by secret, and which secrets would become ours."""
    assert payload.gathered is not None
    store, reference = payload.gathered[number], payload.references[number]
    if store.plan is None:
        return
    about = f"{reference.kind} {reference.name}"
    recorded = payload.record.get(record_key(reference.kind, reference.name or ""), {})
    written = set[str]()
    for step in store.steps:
        written.update(step.entries)
        if step.kind in _ACTIONS:
            place = f"{step.location.folder.rstrip('/')}/{step.location.name}"
            yield Planned(_ACTIONS[step.kind], f"{place} at {about}", tuple(_parts(payload, number, step)))
    for name in sorted(set(store.plan.equal) & set(store.plan.owned) - written):
        if name not in recorded:
            yield Planned(Action.ADOPT, f"{name} at {about}", ("as it is",))


def _parts(payload: PushSecretPayload, number: int, step: Step) -> Iterator[str]:
    """The properties that a step sets and takes off; none where it is about the whole value."""
    assert payload.gathered is not None
    sign = "+" if step.kind is StepKind.CREATE else "~"
    for name in step.entries:
        entry = payload.entry(number, name)
        if entry is not None and entry.property is not None:
            yield f"{sign} property {entry.property}"
    if step.kind is StepKind.UPDATE:
        for removal in payload.gathered[number].removals:
            if removal.name in step.removals and removal.property is not None:
                yield f"- property {removal.property}"
