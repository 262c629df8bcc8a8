"""Creation, change and deletion of several secrets of a folder in one request: all or nothing."""

from collections.abc import Callable, Sequence

import msgspec

from reconciler.standin.access import Action
from reconciler.standin.calls import Call, Form
from reconciler.standin.model import Folder, Secret, trimmed
from reconciler.standin.places import Spot, Style, Target, read_batch_target
from reconciler.standin.references import check_references
from reconciler.standin.refusals import Refused, Trouble
from reconciler.standin.shapes import Shape, shown
from reconciler.standin.world import World
from reconciler.standin.writing import (
    Reply,
    Wanted,
    carry_out,
    change_secret,
    check_capitals,
    check_name,
    demand,
    new_secret,
    place_of,
    read_wanted,
)

_FAIL, _IGNORE, _UPSERT = "failOnNotFound", "ignore", "upsert"


class Element(msgspec.Struct, frozen=True):
    """One secret of a batch. `path` is its own folder, where it names one."""

    wanted: Wanted
    path: str | None

    def __repr__(self) -> str:
        return f"<Element {self.wanted.key}>"


def _elements(world: World, form: Form, read: Callable[[Form, str], Wanted], *, new: bool) -> list[Element]:
    """The batch's secrets; complaints go into the form."""
    elements = []
    for index, item in enumerate(form.items("secrets", minimum=1)):
        inner = Form(item, ("secrets", index))
        key = trimmed(inner.text("secretKey"))
        if new:
            check_name(world, inner, key, field="secretKey")
        elements.append(Element(read(inner, key), inner.optional_text("secretPath")))
        form.issues.extend(inner.issues)
    return elements


def _shown(world: World, shape: Shape, spot: Spot, folder: Folder, secrets: Sequence[Secret]) -> Reply:
    place = place_of(spot, folder)
    return {"secrets": [shown(world, shape, place, s, s.content, s.content.value) for s in secrets]}


def create(world: World, call: Call, *, style: Style) -> Reply:
    """Create secrets. Raises Refused; then none was created."""
    form = Form(call.body)
    target = read_batch_target(world, form, style)
    elements = _elements(world, form, lambda f, key: read_wanted(f, key, value_required=True), new=True)
    form.check()
    spot = target.resolve(world, call)
    wanted = [element.wanted for element in elements]
    keys = [w.key for w in wanted]
    if world.dialect.permission_first:
        demand(spot, Action.CREATE, keys)
    folder = spot.folder_for("CreateManySecret")
    demand(spot, Action.CREATE, keys)
    check_capitals(spot, keys)
    for key in keys:
        if folder.named(key):
            raise Refused(Trouble.SECRETS_EXIST, name=key)
    for one in wanted:
        check_references(spot.project, folder, one.value or "")

    def change() -> Reply:
        version = world.dialect.first_version_in_batch
        made = [new_secret(world, folder, one, version) for one in wanted]
        return _shown(world, Shape.CREATED, spot, folder, made)

    return carry_out(world, call, spot, folder, keys, change)


def update(world: World, call: Call, *, style: Style) -> Reply:
    """Change secrets, and with mode upsert create those that are absent. Raises Refused; then none was changed."""
    form = Form(call.body)
    target = read_batch_target(world, form, style)
    mode = (form.optional_text("mode") if world.dialect.batch_modes else None) or _FAIL
    if mode not in (_FAIL, _IGNORE, _UPSERT):
        form.complain("mode", "Invalid enum value. Expected 'upsert' | 'ignore' | 'failOnNotFound'")
    required = world.dialect.update_needs_value
    elements = _elements(
        world,
        form,
        lambda f, key: read_wanted(f, key, value_required=required),
        new=mode == _UPSERT,
    )
    form.check()
    spots = _by_folder(world, call, style, target, elements)
    steps = [_plan_update(world, spot, wanted, mode) for spot, wanted in spots]
    first, folder = spots[0][0], steps[0][0]

    def change() -> Reply:
        changed: list[object] = []
        for (spot, _), (place, existing, absent) in zip(spots, steps, strict=True):
            for secret, one in existing:
                change_secret(world, secret, one)
            version = world.dialect.first_version_in_batch
            made = [new_secret(world, place, one, version) for one in absent]
            touched = [secret for secret, _ in existing] + made
            changed.extend(_listed(_shown(world, Shape.UPDATED, spot, place, touched)))
            if place is not folder:
                spot.project.services.changed(spot.project, place.environment, place.path)
        return {"secrets": changed}

    return carry_out(world, call, first, folder, [e.wanted.key for e in elements], change)


def _listed(reply: Reply) -> list[object]:
    secrets = reply["secrets"]
    return list(secrets) if isinstance(secrets, list) else []


def _by_folder(
    world: World, call: Call, style: Style, target: Target, elements: Sequence[Element]
) -> list[tuple[Spot, list[Wanted]]]:
    """The secrets by the folder that they are in: v4 lets each name its own."""
    paths: dict[str, list[Wanted]] = {}
    for element in elements:
        path = target.path if style.by_slug or element.path is None else element.path
        paths.setdefault(path, []).append(element.wanted)
    return [
        (msgspec.structs.replace(target, path=path).resolve(world, call), wanted)
        for path, wanted in paths.items()
    ]


def _plan_update(
    world: World, spot: Spot, wanted: Sequence[Wanted], mode: str
) -> tuple[Folder, list[tuple[Secret, Wanted]], list[Wanted]]:
    keys = [one.key for one in wanted]
    if world.dialect.permission_first:
        demand(spot, Action.EDIT, keys)
    folder = spot.folder_for("UpdateManySecret")
    found = [(folder.named(one.key), one) for one in wanted]
    absent = [one for secret, one in found if secret is None]
    if absent and mode == _FAIL:
        raise Refused(Trouble.SECRETS_ABSENT_TO_UPDATE, name=absent[0].key, path=folder.path)
    demand(spot, Action.EDIT, keys)
    if mode == _UPSERT:
        demand(spot, Action.CREATE, [one.key for one in absent])
        check_capitals(spot, [one.key for one in absent])
    for one in wanted:
        check_references(spot.project, folder, one.value or "")
    return (
        folder,
        [(secret, one) for secret, one in found if secret is not None],
        absent if mode == _UPSERT else [],
    )


def delete(world: World, call: Call, *, style: Style) -> Reply:
    """Delete secrets. Raises Refused; then none was deleted."""
    form = Form(call.body)
    target = read_batch_target(world, form, style)
    elements = _elements(world, form, lambda _, key: Wanted(key=key, value=None), new=False)
    form.check()
    keys = [element.wanted.key for element in elements]
    twins = [key for key in keys if keys.count(key) > 1]
    if twins and world.dialect.batch_refuses_twins:
        raise Refused(Trouble.SECRET_TWICE, name=twins[0])
    spot = target.resolve(world, call)
    if world.dialect.permission_first:
        demand(spot, Action.DELETE, keys)
    folder = spot.folder_for("DeleteManySecret")
    found = {key: folder.named(key) for key in keys}
    absent = [key for key, secret in found.items() if secret is None]
    if absent:
        present = ", ".join(key for key, secret in found.items() if secret is not None)
        raise Refused(Trouble.SECRETS_ABSENT_TO_DELETE, name=absent[0], found=present)
    demand(spot, Action.DELETE, keys)

    def change() -> Reply:
        gone = [secret for secret in found.values() if secret is not None]
        folder.secrets = [s for s in folder.secrets if s not in gone]
        return _shown(world, Shape.DELETED, spot, folder, gone)

    return carry_out(world, call, spot, folder, keys, change)
