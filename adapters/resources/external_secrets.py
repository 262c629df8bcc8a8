"""ExternalSecret: what to fetch, and the Secret that it becomes."""

from enum import StrEnum
from typing import Annotated

from adapters.resources.fields import Duration, Part, ResourceName, Time, about
from adapters.resources.metadata import Condition, Resource
from adapters.resources.references import ATOMIC, StoreReference
from adapters.resources.remote_data import Data, DataFrom
from adapters.resources.templates import Template


class RefreshPolicy(StrEnum):
    """When an ExternalSecret is fetched again."""

    PERIODIC = "Periodic"
    ON_CHANGE = "OnChange"
    CREATED_ONCE = "CreatedOnce"


class CreationPolicy(StrEnum):
    """Who makes the target Secret, and whose it is."""

    OWNER = "Owner"
    ORPHAN = "Orphan"
    MERGE = "Merge"
    NONE = "None"
    CREATE_OR_MERGE = "CreateOrMerge"


class DeletionPolicy(StrEnum):
    """What becomes of the target when secrets are gone from the store."""

    RETAIN = "Retain"
    DELETE = "Delete"
    MERGE = "Merge"


class WindowKind(StrEnum):
    """Whether windows are the times for refreshing, or those to keep away from."""

    ALLOW = "allow"
    DENY = "deny"


class SyncWindow(Part, frozen=True, kw_only=True):
    """A time that comes again and again."""

    schedule: Annotated[str, about("When it begins: five cron fields or a shorthand such as @daily, in UTC.")]
    duration: Annotated[Duration, about("How long it lasts, such as 1h30m.")]


class SyncWindows(Part, frozen=True, kw_only=True):
    """When periodic refreshes may happen. Other refreshes do not wait for a window."""

    kind: Annotated[WindowKind, about("allow: only in these windows. deny: never in them.")]
    windows: Annotated[tuple[SyncWindow, ...], about("The windows, one at least.", min_items=1)]


class TargetManifest(Part, frozen=True, kw_only=True):
    """Another kind of target than a Secret."""

    api_version: Annotated[str, about("Group and version of the target.")]
    kind: Annotated[str, about("Kind of the target.")]


class Target(Part, frozen=True, kw_only=True):
    """The Secret that is made."""

    name: Annotated[
        ResourceName | None, about("Name of the Secret. The resource's own name when absent.")
    ] = None
    creation_policy: Annotated[
        CreationPolicy,
        about(
            "Owner: created, and deleted with the resource. Orphan: created, and left behind. Merge: only added to a "
            "Secret that exists. CreateOrMerge: added to, or created. None: nothing is written.",
            stored=True,
        ),
    ] = CreationPolicy.OWNER
    deletion_policy: Annotated[
        DeletionPolicy,
        about(
            "When the store has none of the secrets any more: Retain keeps the Secret as it is, Delete deletes it, "
            "Merge takes out the keys that are gone.",
            stored=True,
        ),
    ] = DeletionPolicy.RETAIN
    immutable: Annotated[bool | None, about("Whether the Secret is made immutable.")] = None
    template: Annotated[Template | None, about("How the Secret is made of the fetched values.")] = None
    manifest: Annotated[
        TargetManifest | None,
        about("Another kind of target; the controller must have been allowed to write such."),
    ] = None


class ExternalSecretSpec(Part, frozen=True, kw_only=True):
    """What to fetch, when, and into which Secret."""

    secret_store_ref: Annotated[
        StoreReference | None, about("The store to read from, for entries that name no other.")
    ] = None
    refresh_policy: Annotated[
        RefreshPolicy,
        about(
            "Periodic (also when absent): at every interval and change. OnChange: only when this resource changes. "
            "CreatedOnce: never again after the first time."
        ),
    ] = RefreshPolicy.PERIODIC
    refresh_interval: Annotated[
        Duration, about("How often to fetch, such as 15m. With 0: not periodically.", stored=True)
    ] = "1h0m0s"
    sync_windows: Annotated[SyncWindows | None, about("Times that periodic refreshes keep to.")] = None
    target: Annotated[Target, about("The Secret to make.", stored=True)] = Target()
    data: Annotated[
        tuple[Data, ...], about("Single keys. They win over those of dataFrom.", max_items=10_000)
    ] = ()
    data_from: Annotated[tuple[DataFrom, ...], about("Many keys at once.", max_items=1000)] = ()


class SecretBinding(Part, frozen=True, kw_only=True):
    """The target, for those who look for it in the way of servicebinding.io."""

    name: Annotated[str, about("Name of the target Secret.", stored=True)] = ""


class ExternalSecretStatus(Part, frozen=True, kw_only=True):
    """What became of an ExternalSecret."""

    refresh_time: Annotated[
        Time | None, about("When secrets were last fetched and applied.", nullable=True)
    ] = None
    synced_resource_version: Annotated[
        str | None, about("Which state of this resource was last applied: its generation and a hash.")
    ] = None
    conditions: Annotated[tuple[Condition, ...], about("Whether the target is as it should be.")] = ()
    binding: Annotated[SecretBinding | None, about("The target Secret.", **ATOMIC)] = None


class ExternalSecret(Resource, frozen=True, kw_only=True):
    """Secrets of a store that become a Secret of the cluster."""

    spec: Annotated[ExternalSecretSpec, about("What to fetch, when, and into which Secret.")]
    status: Annotated[ExternalSecretStatus, about("What became of it.")] = ExternalSecretStatus()
