"""Listings and single reads of secrets."""

from collections.abc import Mapping

import msgspec

from reconciler.standin.access import Access, Action
from reconciler.standin.ages import ImportsInLists
from reconciler.standin.calls import Call, query_flag
from reconciler.standin.imports import Block, blocks, find_imported
from reconciler.standin.model import Content, Folder, Secret, folders_below, trimmed
from reconciler.standin.places import Spot, Style, from_query
from reconciler.standin.references import Expander
from reconciler.standin.refusals import Refused, Trouble
from reconciler.standin.shapes import Place, Shape, shown
from reconciler.standin.world import World


class Wishes(msgspec.Struct, frozen=True):
    """What a read asks for besides the place."""

    recursive: bool
    imports: bool
    expand: bool
    values: bool
    personal: bool
    tags: frozenset[str] | None


def _wishes(world: World, call: Call, style: Style) -> Wishes:
    query = call.query
    flag = "include_imports" if style.by_slug else world.options.imports_flag
    tags = query.get("tagSlugs") if world.dialect.tags else None
    view = query_flag(query, "viewSecretValue", default=True)
    return Wishes(
        recursive=query_flag(query, "recursive"),
        imports=query_flag(query, flag, default=style.expands),
        expand=query_flag(query, "expandSecretReferences", default=style.expands),
        values=view or not world.dialect.names_and_values_apart,
        personal=query_flag(query, "includePersonalOverrides", default=style.shows_personal),
        tags=frozenset(tags.split(",")) if tags else None,
    )


def _seeing(world: World, wishes: Wishes) -> Action:
    """The right that it takes to see what is asked for."""
    return Action.READ if wishes.values or not world.dialect.names_and_values_apart else Action.DESCRIBE


def list_secrets(world: World, call: Call, *, style: Style) -> Mapping[str, object]:
    """The secrets of a folder, or with `recursive` of all below it, and what they import. Raises Refused."""
    wishes = _wishes(world, call, style)
    spot = from_query(world, call, style, listing=True)
    if world.dialect.permission_first and not wishes.recursive:
        _demand(spot, Action.READ, None, "read")
    folders = _folders(world, spot, recursive=wishes.recursive)
    expander = Expander(spot.project, spot.access, single=False)
    secrets = [
        _listed(world, spot, wishes, expander, folder, secret)
        for folder in folders
        for secret in _visible(world, call, spot, wishes, folder)
    ]
    found = []
    if wishes.imports:
        for folder in folders:
            for block in blocks(spot.project, folder, spot.access, _seeing(world, wishes)):
                found.append(_block(world, spot, wishes, expander, block))
    return {"secrets": secrets, "imports": found}


def _folders(world: World, spot: Spot, *, recursive: bool) -> list[Folder]:
    environment = spot.project.environments.get(spot.environment)
    if environment is None and recursive and not world.dialect.absent_folder_refused:
        raise Refused(Trouble.ENVIRONMENT_ABSENT, environment=spot.environment, project=spot.project.id)
    folder = spot.folder_for("GetSecrets") if world.dialect.absent_folder_refused else spot.folder()
    if folder is None or environment is None:
        return []
    if not recursive:
        return [folder]
    return list(folders_below(environment, folder.path, by_text=world.dialect.folder_paths_by_text))


def _visible(world: World, call: Call, spot: Spot, wishes: Wishes, folder: Folder) -> list[Secret]:
    """The secrets of a folder that a listing shows the asker. Raises Refused where it may see a name but not its value."""
    owners = (None, call.actor.id) if wishes.personal else (None,)
    present = [
        s
        for s in folder.secrets
        if s.owner in owners and (wishes.tags is None or wishes.tags & set(s.content.tags))
    ]
    place = folder.environment, folder.path
    seeing = _seeing(world, wishes)
    if wishes.recursive or not world.dialect.names_and_values_apart:
        return [s for s in present if spot.access.may(seeing, *place, s.content.key)]
    described = [s for s in present if spot.access.may(Action.DESCRIBE, *place, s.content.key)]
    if world.options.hides_values or not wishes.values:
        return described
    if not all(spot.access.may(Action.READ, *place, s.content.key) for s in described):
        raise Refused(Trouble.VALUES_DENIED)
    return described


def _listed(
    world: World, spot: Spot, wishes: Wishes, expander: Expander, folder: Folder, secret: Secret
) -> dict[str, object]:
    content = secret.content
    value: str | None = None
    if wishes.values and spot.access.may(Action.READ, folder.environment, folder.path, content.key):
        value = expander.value(content, folder) if wishes.expand else content.value
    place = Place(spot.project.id, folder.environment, folder.path)
    return shown(world, Shape.LISTED, place, secret, content, value)


def _block(world: World, spot: Spot, wishes: Wishes, expander: Expander, block: Block) -> dict[str, object]:
    expands = world.dialect.imports_in_lists is ImportsInLists.ALWAYS
    place = Place(spot.project.id, block.source.environment, block.source.path)
    secrets = []
    for imported in block.secrets:
        content = imported.secret.content
        value: str | None = content.value
        if not wishes.values:
            value = None
        elif expands:
            value = expander.value(content, imported.folder)
        secrets.append(shown(world, Shape.IN_IMPORT, place, imported.secret, content, value))
    return {
        "secretPath": block.source.path,
        "environment": block.source.environment,
        "folderId": block.source.id,
        "secrets": secrets,
    }


def _demand(spot: Spot, action: Action, name: str | None, word: str) -> None:
    if not spot.access.may(action, spot.environment, spot.path, name):
        raise Refused(Trouble.DENIED, action=word)


def get_secret(world: World, call: Call, *, style: Style) -> Mapping[str, object]:
    """One secret by its name, of the folder itself or of what it imports. Raises Refused."""
    wishes = _wishes(world, call, style)
    spot = from_query(world, call, style, listing=False)
    name = trimmed(call.parameters["name"])
    apart = world.dialect.names_and_values_apart
    if world.dialect.permission_first:
        _demand(spot, Action.READ, None, "read")
    folder = spot.folder_for("GetSecretByName")
    if apart:
        _demand(spot, Action.DESCRIBE, name, Action.DESCRIBE.value)
    owner = call.actor.id if call.query.get("type") == "personal" else None
    secret = folder.named(name, owner)
    content = _version(world, call, secret) if secret else None
    if secret and content:
        shape = Shape.VERSION if "version" in call.query else Shape.SINGLE
        return {"secret": _single(world, spot, wishes, shape, folder, secret, content)}
    imported = (
        find_imported(spot.project, folder, spot.access, _seeing(world, wishes), name)
        if wishes.imports and owner is None and secret is None
        else None
    )
    if imported is None:
        raise Refused(Trouble.SECRET_ABSENT, name=name)
    found = imported.secret
    return {"secret": _single(world, spot, wishes, Shape.IMPORTED, imported.folder, found, found.content)}


def _version(world: World, call: Call, secret: Secret) -> Content | None:
    """The content of the version that is asked for."""
    version = call.query.get("version")
    if version is None or not world.dialect.old_versions:
        return secret.content
    return secret.at(int(version)) if version.isdigit() else None


def _single(
    world: World,
    spot: Spot,
    wishes: Wishes,
    shape: Shape,
    folder: Folder,
    secret: Secret,
    content: Content,
) -> dict[str, object]:
    expands = wishes.expand and (
        shape is not Shape.IMPORTED or world.dialect.imports_in_lists is ImportsInLists.ALWAYS
    )
    value: str | None = None
    if wishes.values and _may_read(world, spot.access, folder, content.key):
        expander = Expander(spot.project, spot.access, single=True)
        value = expander.value(content, folder) if expands else content.value
    place = Place(spot.project.id, folder.environment, folder.path)
    return shown(world, shape, place, secret, content, value)


def _may_read(world: World, access: Access, folder: Folder, name: str) -> bool:
    if access.may(Action.READ, folder.environment, folder.path, name):
        return True
    if world.options.hides_values:
        return False
    raise Refused(Trouble.VALUE_DENIED, name=name)
