"""Projects: by slug, by id, listed, made and deleted."""

import re
from collections.abc import Mapping

from reconciler.standin.access import ADMIN
from reconciler.standin.calls import Call, Form
from reconciler.standin.project import Project
from reconciler.standin.refusals import Issue, Refused, Trouble
from reconciler.standin.shapes import moment
from reconciler.standin.world import World

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


def _shown(world: World, project: Project, *, key: bool) -> dict[str, object]:
    environments = [
        {"name": environment.name, "slug": environment.slug, "id": environment.id}
        for environment in project.environments.values()
    ]
    shown: dict[str, object] = {
        "id": project.id,
        "_id": project.id,
        "name": project.name,
        "slug": project.slug,
        "orgId": world.organizations[project.organization],
        "environments": environments,
        "createdAt": moment(project.created_at),
        "updatedAt": moment(project.created_at),
        **dict(world.dialect.project_defaults),
    }
    if key:
        shown["kmsSecretManagerKeyId"] = project.key_id if world.dialect.project_keys else None
    return shown


def _check_slug(world: World, slug: str) -> None:
    shortest, longest = world.dialect.slug_lengths
    issues = []
    if len(slug) < shortest:
        issues.append(Issue("too_small", ("slug",), f"String must contain at least {shortest} character(s)"))
    if len(slug) > longest:
        issues.append(
            Issue("too_big", ("slug",), f"Slug field must be at most {longest} lowercase characters")
        )
    if not _SLUG.match(slug):
        message = "Slug field can only contain lowercase letters, numbers, and hyphens"
        issues.append(Issue("custom", ("slug",), message))
    if issues:
        raise Refused(Trouble.INVALID, tuple(issues))


def by_slug(world: World, call: Call) -> Mapping[str, object]:
    """The project of that slug, for its members. Raises Refused."""
    slug = call.parameters["slug"]
    _check_slug(world, slug)
    project = world.find_slug(slug, call.session.organization, Trouble.SLUG_ABSENT)
    world.membership(project, call.actor)
    return _shown(world, project, key=True)


def by_id(world: World, call: Call) -> Mapping[str, object]:
    """The project of that id, for its members. Raises Refused."""
    project = world.projects.get(call.parameters["id"])
    if project is None:
        raise Refused(Trouble.PROJECT_UNKNOWN_BY_ID, project=call.parameters["id"])
    world.membership(project, call.actor)
    return {"workspace": _shown(world, project, key=False)}


def listed(world: World, call: Call) -> Mapping[str, object]:
    """The projects that the asker is a member of. Raises Refused."""
    if not (world.dialect.project_lists_for_machines or call.actor.is_person):
        raise Refused(Trouble.USERS_ONLY, path=call.path)
    mine = [
        _shown(world, project, key=False)
        for project in world.projects.values()
        if call.actor.id in project.members and project.organization == call.session.organization
    ]
    return {"workspaces": mine}


def create(world: World, call: Call) -> Mapping[str, object]:
    """Make a project; who makes it is its administrator. Raises Refused."""
    form = Form(call.body)
    name, slug = form.text("projectName"), form.text("slug")
    form.check()
    _check_slug(world, slug)
    try:
        project = world.add_project(slug, name=name, organization=call.session.organization)
    except ValueError:
        raise Refused(Trouble.SLUG_TAKEN, slug=slug) from None
    project.grant(call.actor, ADMIN)
    return {"project": _shown(world, project, key=False)}


def delete(world: World, call: Call) -> Mapping[str, object]:
    """Delete a project. Raises Refused."""
    slug = call.parameters["slug"]
    project = world.find_slug(slug, call.session.organization, Trouble.SLUG_ABSENT)
    if world.membership(project, call.actor) != ADMIN:
        raise Refused(Trouble.DENIED, action="delete")
    del world.projects[project.id]
    return _shown(world, project, key=False)
