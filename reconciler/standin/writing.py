"""Creation, change and deletion of one secret."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from reconciler.standin.access import Action
from reconciler.standin.calls import Call, Form
from reconciler.standin.model import Approval, Content, Folder, Secret, stored, trimmed
from reconciler.standin.places import Spot, Style, read_target
from reconciler.standin.references import check_references
from reconciler.standin.refusals import Refused, Trouble
from reconciler.standin.shapes import Place, Shape, moment, shown
from reconciler.standin.world import World

Reply = Mapping[str, object]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a request wants of one secret; None: to be left as it is."""

    key: str
    value: str | None
    comment: str | None = None
    skip_multiline_encoding: bool | None = None
    new_key: str | None = None

    def __repr__(self) -> str:
        return f"<Wanted {self.key}>"


def read_wanted(form: Form, key: str, *, value_required: bool) -> Wanted:
    """What the form wants of the secret; complaints stay in the form."""
    value = form.text("secretValue") if value_required else form.optional_text("secretValue")
    new_key = form.optional_text("newSecretName")
    return Wanted(
        key=key,
        value=None if value is None else stored(value),
        comment=form.optional_text("secretComment"),
        skip_multiline_encoding=form.flag("skipMultilineEncoding"),
        new_key=trimmed(new_key) if new_key else None,
    )


def check_name(world: World, form: Form, name: str, *, field: str = "secretName") -> None:
    """Complain about characters that a new secret's name may not have."""
    words = {" ": "spaces", "/": "forward slash", ":": "colon"}
    for character in world.dialect.refused_in_names:
        if character in name:
            form.complain(field, f"Secret name cannot contain {words[character]}.")


def check_capitals(spot: Spot, names: Iterable[str]) -> None:
    """Refuse names that are not in capitals, in a project that demands them. Raises Refused."""
    if spot.project.capitals_only and any(name != name.upper() for name in names):
        raise Refused(Trouble.NOT_IN_CAPITALS)


def demand(spot: Spot, action: Action, names: Iterable[str]) -> None:
    """Raises Refused where the asker may not do this to all of the names."""
    for name in names:
        if not spot.access.may(action, spot.environment, spot.path, name):
            raise Refused(Trouble.DENIED, action=action.value)


def owner_of(call: Call, kind: str | None, *, creating: bool = False) -> str | None:
    """Whose secret is meant: None for shared ones. Raises Refused for a machine's own."""
    if kind != "personal":
        return None
    if creating and not call.actor.is_person:
        raise Refused(Trouble.PERSONAL_BY_MACHINE)
    return call.actor.id


def new_secret(
    world: World, folder: Folder, wanted: Wanted, version: int, owner: str | None = None
) -> Secret:
    """Put a new secret into the folder, whatever is there already."""
    now = world.now()
    content = Content(
        key=wanted.key,
        value=wanted.value or "",
        version=version,
        comment=wanted.comment or "",
        skip_multiline_encoding=bool(wanted.skip_multiline_encoding),
        updated_at=now,
    )
    secret = Secret(world.new_id(), content, owner, now)
    folder.secrets.append(secret)
    return secret


def change_secret(world: World, secret: Secret, wanted: Wanted) -> None:
    """Make the next version of the secret, also where nothing differs."""
    before = secret.content
    secret.put(
        Content(
            key=wanted.new_key or before.key,
            value=before.value if wanted.value is None else wanted.value,
            version=before.version + 1,
            comment=before.comment if wanted.comment is None else wanted.comment,
            skip_multiline_encoding=(
                before.skip_multiline_encoding
                if wanted.skip_multiline_encoding is None
                else wanted.skip_multiline_encoding
            ),
            tags=before.tags,
            updated_at=world.now(),
        )
    )


def carry_out(
    world: World,
    call: Call,
    spot: Spot,
    folder: Folder,
    keys: Iterable[str],
    change: Callable[[], Reply],
) -> Reply:
    """Do the change and announce it; or keep it for a person, where a policy says so."""

    def merge() -> Reply:
        reply = change()
        spot.project.services.changed(spot.project, folder.environment, folder.path)
        return reply

    if not _held(world, call, spot):
        return merge()
    approval = Approval(world.new_id(), folder.environment, folder.path, tuple(keys), lambda: _merge(merge))
    spot.project.approvals.append(approval)
    return {
        "approval": {
            "id": approval.id,
            "slug": approval.id[:10],
            "status": "open",
            "hasMerged": False,
            "folderId": folder.id,
            "environment": folder.environment,
            "secretPath": folder.path,
            "committerUserId": None,
            "createdAt": moment(world.now()),
        }
    }


def _merge(merge: Callable[[], Reply]) -> None:
    merge()


def _held(world: World, call: Call, spot: Spot) -> bool:
    policies = [p for p in spot.project.policies if p.covers(spot.environment, spot.path)]
    if call.actor.is_person:
        return bool(policies)
    return world.dialect.policies_hold_machines and any(not p.machines_pass for p in policies)


def place_of(spot: Spot, folder: Folder) -> Place:
    """Where the secrets of the folder are."""
    return Place(spot.project.id, folder.environment, folder.path)


def create(world: World, call: Call, *, style: Style) -> Reply:
    """Create a secret. Raises Refused."""
    form = Form(call.body)
    target = read_target(form, style)
    wanted = read_wanted(form, trimmed(call.parameters["name"]), value_required=True)
    kind, tags = form.optional_text("type"), form.items("tagIds")
    check_name(world, form, wanted.key)
    form.check()
    spot = target.resolve(world, call)
    if world.dialect.permission_first:
        demand(spot, Action.CREATE, [wanted.key])
    folder = spot.folder_for("CreateSecret")
    demand(spot, Action.CREATE, [wanted.key])
    owner = owner_of(call, kind, creating=True)
    check_capitals(spot, [wanted.key])
    if folder.named(wanted.key, owner):
        raise Refused(Trouble.SECRET_EXISTS)
    if tags:
        raise Refused(Trouble.TAG_ABSENT)
    check_references(spot.project, folder, wanted.value or "")

    def change() -> Reply:
        secret = new_secret(world, folder, wanted, 1, owner)
        content = secret.content
        return {"secret": shown(world, Shape.CREATED, place_of(spot, folder), secret, content, content.value)}

    return carry_out(world, call, spot, folder, [wanted.key], change)


def update(world: World, call: Call, *, style: Style) -> Reply:
    """Change a secret; what is left out stays. Raises Refused."""
    form = Form(call.body)
    target = read_target(form, style)
    name = trimmed(call.parameters["name"])
    wanted = read_wanted(form, name, value_required=world.dialect.update_needs_value)
    kind = form.optional_text("type")
    if wanted.new_key:
        check_name(world, form, wanted.new_key, field="newSecretName")
    form.check()
    spot = target.resolve(world, call)
    if world.dialect.permission_first:
        demand(spot, Action.EDIT, [name])
    folder = spot.folder_for("UpdateSecret")
    secret = folder.named(name, owner_of(call, kind))
    if secret is None:
        raise Refused(Trouble.SECRET_ABSENT_TO_UPDATE, name=name)
    demand(spot, Action.EDIT, [name])
    if wanted.new_key:
        check_capitals(spot, [wanted.new_key])
        if folder.named(wanted.new_key, secret.owner):
            raise Refused(Trouble.SECRET_EXISTS)
    check_references(spot.project, folder, wanted.value or "")

    def change() -> Reply:
        change_secret(world, secret, wanted)
        # A client that leaves the value out is answered an empty one, though the old value is kept.
        value = wanted.value or ""
        place = place_of(spot, folder)
        return {"secret": shown(world, Shape.UPDATED, place, secret, secret.content, value)}

    return carry_out(world, call, spot, folder, [name], change)


def delete(world: World, call: Call, *, style: Style) -> Reply:
    """Delete a secret. Raises Refused."""
    form = Form(call.body)
    target = read_target(form, style)
    kind = form.optional_text("type")
    form.check()
    name = call.parameters["name"]
    if world.dialect.trims_name_on_delete:
        name = trimmed(name)
    spot = target.resolve(world, call)
    if world.dialect.permission_first:
        demand(spot, Action.DELETE, [name])
    folder = spot.folder_for("DeleteSecret")
    secret = folder.named(name, owner_of(call, kind))
    if secret is None:
        raise Refused(Trouble.SECRET_ABSENT_TO_DELETE, name=name)
    demand(spot, Action.DELETE, [name])

    def change() -> Reply:
        folder.secrets = [s for s in folder.secrets if s is not secret]
        content = secret.content
        return {"secret": shown(world, Shape.DELETED, place_of(spot, folder), secret, content, content.value)}

    return carry_out(world, call, spot, folder, [name], change)


def create_encrypted(world: World, call: Call) -> Reply:
    """The route of clients that encrypt by themselves, which a creation without a name meets. Always raises Refused."""
    del world
    form = Form(call.body)
    for part in ("Key", "Value"):
        for piece in ("Ciphertext", "IV", "Tag"):
            form.text(f"secret{part}{piece}")
    form.complain("secretKeyCiphertext", "Invalid ciphertext")
    form.check()
    return {}


def delete_encrypted(world: World, call: Call) -> Reply:
    """The same of deletions. Always raises Refused."""
    form = Form(call.body)
    target = read_target(form, V3_ENCRYPTED)
    form.check()
    spot = target.resolve(world, call)
    raise Refused(Trouble.NO_BLIND_INDEX, project=spot.project.id, name=call.parameters["name"])


V3_ENCRYPTED = Style("workspaceId", by_slug=False, expands=False, shows_personal=False)
