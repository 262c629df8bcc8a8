"""A project of the stand-in, and the plain way to fill and change it from Python."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from reconciler.standin.access import Access
from reconciler.standin.accounts import Identity
from reconciler.standin.ages import Dialect
from reconciler.standin.model import (
    Approval,
    ChangePolicy,
    Content,
    Environment,
    Folder,
    Import,
    Secret,
    Webhook,
    stored,
    without_final_slash,
)


@dataclass
class Services:
    """What a project needs of its server: the clock, fresh ids, and whom to tell of a changed folder."""

    dialect: Dialect
    now: Callable[[], float]
    new_id: Callable[[], str]
    changed: Callable[["Project", str, str], None]


@dataclass
class Project:
    """A project. All of its methods change it at once, as an administrator would, without asking for rights."""

    id: str
    slug: str
    name: str
    organization: str
    services: Services = field(repr=False)
    capitals_only: bool = False
    key_id: str = ""
    created_at: float = 0.0
    environments: dict[str, Environment] = field(default_factory=dict, repr=False)
    members: dict[str, Access] = field(default_factory=dict, repr=False)
    policies: list[ChangePolicy] = field(default_factory=list, repr=False)
    approvals: list[Approval] = field(default_factory=list, repr=False)
    webhooks: list[Webhook] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.key_id = self.services.new_id()
        self.created_at = self.services.now()

    def add_environment(self, slug: str, name: str = "") -> None:
        """An environment with an empty root folder."""
        root = Folder(self.services.new_id(), slug, "/")
        self.environments[slug] = Environment(
            self.services.new_id(), slug, name or slug.capitalize(), {"/": root}
        )

    def grant(self, identity: Identity, access: Access) -> None:
        """Make the identity a member with these rights; earlier ones are replaced."""
        self.members[identity.id] = access

    def exclude(self, identity: Identity) -> None:
        """End the identity's membership."""
        self.members.pop(identity.id, None)

    def folder(self, environment: str, path: str) -> Folder | None:
        """The folder, if it is there. Paths without a leading slash, or with empty parts, name none."""
        found = self.environments.get(environment)
        return found.folders.get(without_final_slash(path)) if found else None

    def add_folder(self, environment: str, path: str) -> Folder:
        """The folder, made with its parents where they are absent. Raises KeyError without the environment."""
        folders = self.environments[environment].folders
        folder = folders["/"]
        parts = [part for part in path.split("/") if part]
        for depth in range(1, len(parts) + 1):
            below = "/" + "/".join(parts[:depth])
            if below not in folders:
                folders[below] = Folder(self.services.new_id(), environment, below)
            folder = folders[below]
        return folder

    def remove_folder(self, environment: str, path: str) -> None:
        """Remove the folder and all below it."""
        folders = self.environments[environment].folders
        for found in [p for p in folders if p == path or p.startswith(f"{path}/")]:
            del folders[found]
        self.services.changed(self, environment, path)

    def set_secret(
        self,
        environment: str,
        path: str,
        key: str,
        value: str,
        *,
        comment: str = "",
        skip_multiline_encoding: bool = False,
        tags: Iterable[str] = (),
        owner: Identity | None = None,
    ) -> Secret:
        """Create or change a secret, making its folder where it is absent; the value is stored as the server would."""
        folder = self.add_folder(environment, path)
        now = self.services.now()
        secret = folder.named(key, owner.id if owner else None)
        content = Content(
            key=key,
            value=stored(value),
            version=secret.content.version + 1 if secret else 1,
            comment=comment,
            skip_multiline_encoding=skip_multiline_encoding,
            tags=tuple(tags),
            updated_at=now,
        )
        if secret:
            secret.put(content)
        else:
            secret = Secret(self.services.new_id(), content, owner.id if owner else None, now)
            folder.secrets.append(secret)
        self.services.changed(self, environment, folder.path)
        return secret

    def add_twin(self, environment: str, path: str, key: str, value: str) -> Secret:
        """A second secret of the same name, as simultaneous creations leave one."""
        folder = self.add_folder(environment, path)
        now = self.services.now()
        content = Content(key=key, value=stored(value), version=1, updated_at=now)
        secret = Secret(self.services.new_id(), content, None, now)
        folder.secrets.append(secret)
        self.services.changed(self, environment, folder.path)
        return secret

    def remove_secret(self, environment: str, path: str, key: str) -> None:
        """Remove the shared secrets of that name. Raises KeyError without the folder."""
        folder = self.environments[environment].folders[without_final_slash(path)]
        folder.secrets = [s for s in folder.secrets if s.owner is not None or s.content.key != key]
        self.services.changed(self, environment, folder.path)

    def values(self, environment: str, path: str) -> dict[str, str]:
        """The raw values of a folder's shared secrets; empty where there is no folder."""
        folder = self.folder(environment, path)
        return {s.content.key: s.content.value for s in folder.secrets if s.owner is None} if folder else {}

    def version(self, environment: str, path: str, key: str) -> int | None:
        """The present version of a secret; None where it is absent."""
        folder = self.folder(environment, path)
        secret = folder.named(key) if folder else None
        return secret.content.version if secret else None

    def add_import(self, environment: str, path: str, *, source_environment: str, source_path: str) -> None:
        """Let a folder import another one, after those that it imports already."""
        self.add_folder(environment, path).imports.append(Import(source_environment, source_path))
        self.services.changed(self, environment, path)

    def add_change_policy(self, environment: str, path: str = "*", *, machines_pass: bool = False) -> None:
        """From now on, changes in matching folders wait for a person."""
        self.policies.append(ChangePolicy(environment, path, machines_pass))

    def approve(self, approval: Approval) -> None:
        """Carry out a change that waits. A second time does nothing."""
        if not approval.merged:
            approval.merged = True
            approval.merge()

    def add_webhook(self, environment: str, path: str, url: str, key: str = "") -> Webhook:
        """Announce changes of matching folders at `url`, signed with `key` if there is one."""
        webhook = Webhook(self.services.new_id(), environment, path, url, key)
        self.webhooks.append(webhook)
        return webhook

    def rename(self, slug: str) -> None:
        """Give the project another slug."""
        self.slug = slug

    def __hash__(self) -> int:
        return hash(self.id)

    def find_importers(self, environment: str, path: str) -> list[Folder]:
        """The folders that import this one, directly or through others, each once."""
        found: dict[str, Folder] = {}
        waiting = [Import(environment, path)]
        while waiting:
            target = waiting.pop()
            for place in self.environments.values():
                for folder in place.folders.values():
                    if target in folder.imports and folder.id not in found:
                        found[folder.id] = folder
                        waiting.append(Import(folder.environment, folder.path))
        return [f for f in found.values() if (f.environment, f.path) != (environment, path)]
