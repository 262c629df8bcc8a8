"""The whole state of a stand-in server, and the plain way to fill it from Python."""

import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from reconciler.standin.access import Access
from reconciler.standin.accounts import (
    DEFAULT_LIFETIME,
    Accounts,
    ClientSecret,
    Identity,
    Lifetimes,
    Token,
    UniversalAuth,
)
from reconciler.standin.ages import DIALECTS, Age
from reconciler.standin.cloud_accounts import CloudAccounts
from reconciler.standin.model import Webhook
from reconciler.standin.outbound import CHANGED, TEST, Outbound, announcement
from reconciler.standin.project import Project, Services
from reconciler.standin.refusals import Refused, Trouble

ENVIRONMENTS: Mapping[str, str] = {"dev": "Development", "staging": "Staging", "prod": "Production"}
"""What a new project has."""


Directory = Callable[[Mapping[str, Any], str, str], bool]
"""Whether the directory that an identity's settings for ldap-auth describe knows a user name and a password."""


class Credentials(msgspec.Struct, frozen=True):
    """What a machine logs in with by universal auth."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return "<Credentials>"


@dataclass
class Options:
    """Peculiarities that servers of one age do not share."""

    imports_flag: str = "includeImports"
    """How the v4 routes call the flag for imports: `includeImports` or `include_imports`. The other is ignored."""
    hides_values: bool = False
    """A value that may not be seen is replaced by a placeholder, where other servers refuse the request."""
    web_pages: bool = False
    """Unknown paths are left to the web pages, which answer 404 with HTML."""
    directory: Directory | None = None
    """Asks the directory servers of LDAP logins; none: every such login is refused."""


@dataclass
class World:
    """Projects, accounts and settings of one server."""

    age: Age
    now: Callable[[], float]
    options: Options
    organization: str = "my-organization"
    projects: dict[str, Project] = field(default_factory=dict, repr=False)
    clouds: CloudAccounts = field(default_factory=CloudAccounts, repr=False)
    """What the clouds know of who logs in."""
    deliveries: list[Outbound] = field(default_factory=list, repr=False)
    """What webhooks were to be told, oldest first."""
    deliver: Callable[[Outbound], None] | None = field(default=None, repr=False)
    """Sends a delivery on its way; without it they are only kept."""
    _ids: int = 0

    def __post_init__(self) -> None:
        self.dialect = DIALECTS[self.age]
        self.organizations = {self.organization: self.new_id()}
        self.accounts = Accounts(self.dialect, self.now, self.new_id)

    def new_id(self) -> str:
        """A fresh UUID, the same ones in every run."""
        self._ids += 1
        return str(uuid.UUID(bytes=hashlib.sha256(f"id {self._ids}".encode()).digest()[:16], version=4))

    def add_organization(self, slug: str) -> None:
        """A further organisation, for logins that name it."""
        self.organizations[slug] = self.new_id()

    def add_project(
        self,
        slug: str,
        *,
        environments: Iterable[str] = tuple(ENVIRONMENTS),
        name: str = "",
        organization: str = "",
        capitals_only: bool = False,
    ) -> Project:
        """A project with empty environments. The slug has to be free in its organisation (ValueError)."""
        organization = organization or self.organization
        if self._by_slug(slug, organization):
            raise ValueError(f"there is a project {slug} already")
        services = Services(self.dialect, self.now, self.new_id, self._announce)
        project = Project(
            self.new_id(), slug, name or slug, organization, services, capitals_only=capitals_only
        )
        for environment in environments:
            project.add_environment(environment, ENVIRONMENTS.get(environment, ""))
        self.projects[project.id] = project
        return project

    def delete_project(self, slug: str) -> None:
        """Remove the project and all in it. Raises KeyError if there is none."""
        project = self._by_slug(slug, None)
        if project is None:
            raise KeyError(slug)
        del self.projects[project.id]

    def remake_project(self, slug: str) -> Project:
        """Delete the project and make it again under its slug: with another id, its environments and its members."""
        old = self._by_slug(slug, None)
        if old is None:
            raise KeyError(slug)
        self.delete_project(slug)
        new = self.add_project(
            slug, environments=old.environments, name=old.name, organization=old.organization
        )
        new.members.update(old.members)
        return new

    def _announce(self, project: Project, environment: str, path: str) -> None:
        """A folder has changed: tell the webhooks that cover it, or a folder that imports it."""
        if not project.webhooks:
            return
        places = [(f.environment, f.path) for f in project.find_importers(environment, path)]
        for place in ((environment, path), *places):
            for webhook in project.webhooks:
                if webhook.covers(*place):
                    self._send(announcement(project, webhook, *place, event=CHANGED, now=self.now()))

    def announce_test(self, project: Project, webhook: Webhook) -> None:
        """Tell a webhook's receiver of nothing, for it to try itself."""
        place = webhook.environment, webhook.path
        self._send(announcement(project, webhook, *place, event=TEST, now=self.now()))

    def _send(self, delivery: Outbound) -> None:
        self.deliveries.append(delivery)
        if self.deliver is not None:
            self.deliver(delivery)

    def add_identity(
        self,
        name: str,
        grants: Mapping[Project, Access] | None = None,
        *,
        organization: str = "",
        is_person: bool = False,
        is_organization_admin: bool = False,
    ) -> Identity:
        """An identity without a login method, a member of the given projects."""
        identity = Identity(
            self.new_id(),
            name,
            organization or self.organization,
            is_person=is_person,
            is_organization_admin=is_organization_admin,
        )
        self.accounts.identities[identity.id] = identity
        for project, access in (grants or {}).items():
            project.grant(identity, access)
        return identity

    def delete_identity(self, identity: Identity) -> None:
        """Remove the identity; its tokens and secrets are worth nothing from now on."""
        del self.accounts.identities[identity.id]

    def add_universal_auth(
        self,
        identity: Identity,
        *,
        ttl: int = DEFAULT_LIFETIME,
        max_ttl: int = DEFAULT_LIFETIME,
        uses: int = 0,
    ) -> Credentials:
        """Let the identity log in by universal auth; tokens live `ttl` s, at most `max_ttl` s, for `uses` requests (0: no limit)."""
        identity.universal = UniversalAuth(self.new_id(), Lifetimes(ttl, max_ttl, uses))
        return Credentials(identity.universal.client_id, self.add_client_secret(identity))

    def add_client_secret(self, identity: Identity, *, uses: int = 0, ttl: int = 0) -> str:
        """A further client secret, good for `uses` logins and `ttl` s (0: no limit). Raises ValueError without universal auth."""
        if identity.universal is None:
            raise ValueError(f"{identity.name} has no universal auth")
        value = hashlib.sha256(f"client secret {self.new_id()}".encode()).hexdigest()
        identity.universal.secrets.append(
            ClientSecret(value, self.now() + ttl if ttl else None, uses or None)
        )
        return value

    def configure_login(self, identity: Identity, method: str, settings: Mapping[str, object]) -> None:
        """Let the identity log in by a method such as kubernetes-auth; the settings are those of the API."""
        identity.settings[method] = dict(settings)

    def revoke_client_secrets(self, identity: Identity) -> None:
        """Make all client secrets of the identity worthless."""
        for secret in identity.universal.secrets if identity.universal else ():
            secret.revoked = True

    def add_machine(self, name: str, grants: Mapping[Project, Access]) -> Credentials:
        """An identity with universal auth and these rights, in one step."""
        return self.add_universal_auth(self.add_identity(name, grants))

    def add_token(
        self,
        identity: Identity,
        *,
        ttl: int = DEFAULT_LIFETIME,
        max_ttl: int = DEFAULT_LIFETIME,
        uses: int = 0,
    ) -> str:
        """A token for token auth, with the ages and uses of a login's."""
        return self.accounts.signed(self.accounts.new_token(identity, Lifetimes(ttl, max_ttl, uses)))

    def end_tokens(self) -> None:
        """End every token that was given out, as if each had been revoked by an administrator."""
        for token in self.accounts.tokens.values():
            token.alive = False

    def expire_tokens(self) -> None:
        """Let every token that was given out come to the end of its age."""
        for token in self.accounts.tokens.values():
            token.expired = True

    @property
    def tokens(self) -> Sequence[Token]:
        """All tokens that were ever given out, oldest first."""
        return tuple(self.accounts.tokens.values())

    @property
    def tokens_alive(self) -> Sequence[Token]:
        """Those that are neither revoked nor ended by age or use."""
        now = self.now()
        return tuple(t for t in self.tokens if t.alive and not t.expired and (t.end is None or t.end > now))

    def _by_slug(self, slug: str, organization: str | None) -> Project | None:
        return next(
            (p for p in self.projects.values() if p.slug == slug and organization in (None, p.organization)),
            None,
        )

    def find_project(self, project_id: str) -> Project:
        """The project of that id. Raises Refused."""
        project = self.projects.get(project_id)
        if project is None:
            raise Refused(Trouble.PROJECT_ABSENT, project=project_id)
        return project

    def find_slug(self, slug: str, organization: str, trouble: Trouble) -> Project:
        """The project of that slug in the organisation. Raises Refused with `trouble`."""
        project = self._by_slug(slug, organization)
        if project is None:
            raise Refused(trouble, slug=slug)
        return project

    def membership(self, project: Project, identity: Identity) -> Access:
        """What the identity may do in the project. Raises Refused for one that is no member."""
        access = project.members.get(identity.id)
        if access is None:
            raise Refused(Trouble.NOT_A_MEMBER, project=project.id)
        return access
