"""What an organisation's or a project's administrator does by requests: identities, members, folders, webhooks."""

from collections.abc import Mapping

from reconciler.standin.access import ADMIN, NO_ACCESS, ROLES, Access, Action
from reconciler.standin.accounts import DEFAULT_LIFETIME, Identity
from reconciler.standin.calls import Call, Form
from reconciler.standin.places import V3, Spot, read_target
from reconciler.standin.project import Project
from reconciler.standin.refusals import Refused, Trouble
from reconciler.standin.world import World

Reply = Mapping[str, object]


def _demand_organization_admin(call: Call) -> None:
    if not call.actor.is_organization_admin:
        raise Refused(Trouble.DENIED, action="manage identities")


def _identity(world: World, call: Call) -> Identity:
    _demand_organization_admin(call)
    identity = world.accounts.identities.get(call.parameters["identity"])
    if identity is None:
        raise Refused(Trouble.IDENTITY_ABSENT, identity=call.parameters["identity"])
    return identity


def create_identity(world: World, call: Call) -> Reply:
    """A new identity. Raises Refused."""
    _demand_organization_admin(call)
    form = Form(call.body)
    name = form.text("name")
    form.check()
    identity = world.add_identity(name, organization=call.session.organization)
    return {"identity": {"id": identity.id, "name": name}}


def delete_identity(world: World, call: Call) -> Reply:
    """Remove an identity. Raises Refused."""
    identity = _identity(world, call)
    world.delete_identity(identity)
    return {"identity": {"id": identity.id, "name": identity.name}}


def attach_universal_auth(world: World, call: Call) -> Reply:
    """Give an identity universal auth. Raises Refused."""
    identity = _identity(world, call)
    form = Form(call.body)
    ttl = form.number("accessTokenTTL", DEFAULT_LIFETIME)
    max_ttl = form.number("accessTokenMaxTTL", DEFAULT_LIFETIME)
    uses = form.number("accessTokenNumUsesLimit", 0)
    form.check()
    credentials = world.add_universal_auth(identity, ttl=ttl, max_ttl=max_ttl, uses=uses)
    return {"identityUniversalAuth": {"clientId": credentials.client_id, "identityId": identity.id}}


def create_client_secret(world: World, call: Call) -> Reply:
    """A further client secret of an identity. Raises Refused."""
    identity = _identity(world, call)
    form = Form(call.body)
    ttl, uses = form.number("ttl", 0), form.number("numUsesLimit", 0)
    form.check()
    try:
        value = world.add_client_secret(identity, uses=uses, ttl=ttl)
    except ValueError:
        raise Refused(Trouble.METHOD_ABSENT, method="Universal", configured="it") from None
    return {"clientSecret": value}


def attach_method(world: World, call: Call, *, method: str) -> Reply:
    """Configure a login method of an identity. Raises Refused."""
    identity = _identity(world, call)
    world.configure_login(identity, method, Form(call.body).everything)
    return {"identityId": identity.id}


def add_member(world: World, call: Call) -> Reply:
    """Make an identity a member of a project. Raises Refused."""
    project = world.find_project(call.parameters["id"])
    _demand_admin(world, call, project)
    identity = world.accounts.identities.get(call.parameters["identity"])
    if identity is None:
        raise Refused(Trouble.IDENTITY_ABSENT, identity=call.parameters["identity"])
    form = Form(call.body)
    roles = [Form(role, ("roles", index)).text("role") for index, role in enumerate(form.items("roles", 1))]
    form.check()
    access = Access()
    for role in roles:
        access += ROLES.get(role, NO_ACCESS)
    project.grant(identity, access)
    return {"identityMembership": {"identityId": identity.id, "projectId": project.id}}


def _demand_admin(world: World, call: Call, project: Project) -> None:
    if world.membership(project, call.actor) != ADMIN:
        raise Refused(Trouble.DENIED, action=Action.EDIT.value)


def create_folder(world: World, call: Call) -> Reply:
    """A folder in one that is there. Raises Refused."""
    form = Form(call.body)
    project_id, environment, name = form.text("workspaceId"), form.text("environment"), form.text("name")
    path = form.optional_text("path") or "/"
    form.check()
    project = world.find_project(project_id)
    spot = Spot(project, world.membership(project, call.actor), environment, path)
    if not spot.access.may(Action.CREATE, environment, path):
        raise Refused(Trouble.DENIED, action=Action.CREATE.value)
    parent = spot.folder_for("CreateFolder")
    below = f"{parent.path.rstrip('/')}/{name}"
    if project.folder(environment, below):
        raise Refused(Trouble.FOLDER_TAKEN, name=name)
    folder = project.add_folder(environment, below)
    return {"folder": {"id": folder.id, "name": name, "path": below, "parentId": parent.id}}


def delete_folder(world: World, call: Call) -> Reply:
    """Delete a folder, named or by its id, and all below it. Raises Refused."""
    form = Form(call.body)
    target = read_target(form, V3, path_field="path")
    form.check()
    spot = target.resolve(world, call)
    if not spot.access.may(Action.DELETE, spot.environment, spot.path):
        raise Refused(Trouble.DENIED, action=Action.DELETE.value)
    parent, wanted = spot.folder_for("DeleteFolder"), call.parameters["folder"]
    for folder in spot.project.environments[spot.environment].folders.values():
        above, _, name = folder.path.rpartition("/")
        if name and (above or "/") == parent.path and wanted in (name, folder.id):
            spot.project.remove_folder(spot.environment, folder.path)
            return {"folder": {"id": folder.id, "name": name}}
    raise Refused(Trouble.FOLDER_ABSENT, path=wanted, environment=spot.environment, doing="DeleteFolder")


def create_import(world: World, call: Call) -> Reply:
    """Let a folder import another one. Raises Refused."""
    form = Form(call.body)
    target = read_target(form, V3, path_field="path")
    source = Form(form.everything.get("import"), ("import",))
    environment, path = source.text("environment"), source.text("path")
    form.issues.extend(source.issues)
    form.check()
    spot = target.resolve(world, call)
    if not spot.access.may(Action.CREATE, spot.environment, spot.path):
        raise Refused(Trouble.DENIED, action=Action.CREATE.value)
    folder = spot.folder_for("CreateImport")
    spot.project.add_import(spot.environment, folder.path, source_environment=environment, source_path=path)
    return {"secretImport": {"folderId": folder.id, "importPath": path, "importEnv": {"slug": environment}}}


def create_webhook(world: World, call: Call) -> Reply:
    """Announce changes of a folder somewhere. Raises Refused."""
    form = Form(call.body)
    target = read_target(form, V3)
    url, key = form.text("webhookUrl"), form.optional_text("webhookSecretKey")
    form.check()
    spot = target.resolve(world, call)
    _demand_admin(world, call, spot.project)
    webhook = spot.project.add_webhook(spot.environment, spot.path, url, key or "")
    return {"webhook": {"id": webhook.id, "environment": spot.environment, "secretPath": spot.path}}


def test_webhook(world: World, call: Call) -> Reply:
    """Send a webhook's receiver an announcement of nothing. Raises Refused."""
    wanted = call.parameters["webhook"]
    for project in world.projects.values():
        for webhook in project.webhooks:
            if webhook.id == wanted:
                _demand_admin(world, call, project)
                world.announce_test(project, webhook)
                return {"webhook": {"id": webhook.id}}
    raise Refused(Trouble.WEBHOOK_ABSENT, webhook=wanted)


def subscribe(world: World, call: Call) -> Reply:
    """The event stream, an enterprise feature that this server has no licence for. Always raises Refused."""
    del world, call
    raise Refused(Trouble.NO_LICENCE)


def status(world: World, call: Call) -> Reply:
    """That the server is there. No token is needed."""
    del world, call
    return {"message": "Ok"}
