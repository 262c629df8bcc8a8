"""Which project, environment and folder a request on secrets means: the two ways of v3 and v4 to say it."""

import re

import msgspec

from reconciler.standin.access import Access
from reconciler.standin.calls import Call, Form
from reconciler.standin.model import Folder, without_final_slash
from reconciler.standin.project import Project
from reconciler.standin.refusals import Refused, Trouble
from reconciler.standin.world import World

_PATH = re.compile(r"[A-Za-z0-9_/-]*\Z")


class Style(msgspec.Struct, frozen=True):
    """A version of the routes on secrets."""

    project: str
    by_slug: bool
    expands: bool
    """Whether a read expands references and includes imports if it does not say."""
    shows_personal: bool
    """Whether a listing shows a person's own secrets if it does not say."""


V3 = Style("workspaceId", by_slug=True, expands=False, shows_personal=True)
V4 = Style("projectId", by_slug=False, expands=True, shows_personal=False)


class Spot(msgspec.Struct, frozen=True):
    """A folder's place, there or not, and what the asker may do in its project."""

    project: Project
    access: Access
    environment: str
    path: str

    def folder(self) -> Folder | None:
        """The folder, if it is there. Raises Refused for a path with characters that none can have."""
        if not _PATH.match(self.path):
            raise Refused(Trouble.BAD_PATH)
        return self.project.folder(self.environment, self.path)

    def folder_for(self, doing: str) -> Folder:
        """The folder. Raises Refused if it is absent; `doing` is the operation's name in the refusal."""
        folder = self.folder()
        if folder is None:
            raise Refused(Trouble.FOLDER_ABSENT, path=self.path, environment=self.environment, doing=doing)
        return folder


def _spot(world: World, call: Call, project: Project, environment: str, path: str) -> Spot:
    access = world.membership(project, call.actor)
    return Spot(project, access, environment, without_final_slash(path))


def _slug(world: World, call: Call, slug: str, trouble: Trouble) -> Project:
    return world.find_slug(slug, call.session.organization, trouble)


def from_query(world: World, call: Call, style: Style, *, listing: bool) -> Spot:
    """Where a read looks. Raises Refused."""
    environment = call.query.get("environment", "")
    project_id = call.query.get(style.project)
    slug = call.query.get("workspaceSlug") if style.by_slug else None
    if style.by_slug:
        if listing and not (environment and (project_id or slug)):
            raise Refused(Trouble.PROJECT_OR_ENVIRONMENT_MISSING)
        if not (project_id or slug):
            raise Refused(Trouble.PROJECT_MISSING)
        if not environment:
            raise Refused(Trouble.PROJECT_OR_ENVIRONMENT_MISSING)
    else:
        form = Form(dict(call.query))
        form.text(style.project)
        form.text("environment")
        form.check()
    if project_id:
        project = world.find_project(project_id)
    else:
        trouble = Trouble.SLUG_ABSENT if listing else Trouble.SLUG_ABSENT_FOR_SECRET
        project = _slug(world, call, slug or "", trouble)
    return _spot(world, call, project, environment, call.query.get("secretPath", "/"))


class Target(msgspec.Struct, frozen=True):
    """Where a write goes, before the project is looked up."""

    project_id: str | None
    slug: str | None
    environment: str
    path: str

    def resolve(self, world: World, call: Call) -> Spot:
        """The place. Raises Refused."""
        if self.project_id:
            project = world.find_project(self.project_id)
        elif self.slug:
            project = _slug(world, call, self.slug, Trouble.SLUG_ABSENT_FOR_SECRET)
        else:
            raise Refused(Trouble.PROJECT_MISSING)
        return _spot(world, call, project, self.environment, self.path)


def read_target(form: Form, style: Style, *, path_field: str = "secretPath") -> Target:
    """Where a write of one secret goes; complaints stay in the form."""
    project_id = form.text(style.project)
    environment = form.text("environment")
    return Target(project_id, None, environment, _path(form, path_field))


def read_batch_target(world: World, form: Form, style: Style) -> Target:
    """Where a batch goes; complaints stay in the form."""
    if not style.by_slug:
        return read_target(form, style)
    if world.dialect.batch_by_slug_alone:
        slug: str | None = form.text("projectSlug")
        project_id = None
    else:
        slug = form.optional_text("projectSlug")
        project_id = form.optional_text(style.project)
    return Target(project_id, slug, form.text("environment"), _path(form))


def _path(form: Form, field: str = "secretPath") -> str:
    path = form.optional_text(field)
    return "/" if path is None else path
