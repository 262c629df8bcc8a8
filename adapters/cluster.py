"""The cluster as the rest of the program sees it: a few calls, each with its precondition and a closed result.

Two implementations answer this protocol: `adapters.kubernetes` (a Kubernetes API server) and
`adapters.local` (a directory of manifests). Objects are plain JSON dictionaries. No exception of a client
library leaves an implementation: what went wrong is a value that the caller matches on.
"""

import enum
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

Object = dict[str, Any]


class Kind(msgspec.Struct, frozen=True):
    """A kind of resource: `Kind("external-secrets.io", "v1", "ExternalSecret", "externalsecrets", True)`."""

    group: str
    version: str
    name: str
    plural: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        """`v1` for the core group, `group/version` otherwise."""
        return f"{self.group}/{self.version}" if self.group else self.version


class Done(msgspec.Struct, frozen=True):
    """It was done, or was so already; the object as it is now (None after a deletion)."""

    object: Object | None = None

    def __repr__(self) -> str:  # the object may be a Secret
        return "<Done>"


class Conflict(msgspec.Struct, frozen=True):
    """The precondition did not hold: someone else changed, made or deleted the object in between."""


class Absent(msgspec.Struct, frozen=True):
    """There is no such object (or, when creating, no such namespace or kind, or a namespace going away)."""


class Refused(msgspec.Struct, frozen=True):
    """The cluster will never take this: a schema, a rule, an immutable field or a webhook said no.

    `field` is the path of the field at fault where the cluster told it ("" otherwise); `rule` is True where
    an admission webhook or policy refused. The server's text is not kept: it may quote a value.
    """

    field: str = ""
    rule: bool = False


class Denied(msgspec.Struct, frozen=True):
    """RBAC does not let us: `verb` on `resource` (such as "secrets")."""

    verb: str
    resource: str


class Expired(msgspec.Struct, frozen=True):
    """The resource version is too old to watch from: list again (HTTP 410)."""


class Unavailable(msgspec.Struct, frozen=True):
    """No answer, or one that may pass by itself: a time-out, 429, 5xx. `after` seconds if the server said."""

    status: int = 0
    after: float | None = None


class Listed(msgspec.Struct, frozen=True):
    """All objects, and the resource version to watch from."""

    items: list[Object]
    version: str

    def __repr__(self) -> str:
        return f"<Listed {len(self.items)} at {self.version}>"


class ChangeType(enum.Enum):
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"


class Change(msgspec.Struct, frozen=True):
    """One line of a watch. A bookmark's object holds nothing but a resource version."""

    type: ChangeType
    object: Object

    def __repr__(self) -> str:
        return f"<Change {self.type.value}>"


def bookmark(kind: Kind, version: str) -> Change:
    """A change that says no more than how far a watch has come."""
    metadata = {"resourceVersion": version}
    return Change(
        ChangeType.BOOKMARK, {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}
    )


class Selection(msgspec.Struct, frozen=True):
    """Which objects of a kind: one namespace or all (None), by labels (`a=b,c`) or fields (`metadata.name=x`)."""

    kind: Kind
    namespace: str | None = None
    labels: str = ""
    fields: str = ""
    metadata_only: bool = False  # PartialObjectMetadata: no data crosses the wire


def applicable(object: Object) -> Object:
    """An object as both clusters apply it: without metadata that is empty.

    An API server takes an empty list or map in an apply for a change, of custom resources at least, as soon as a
    second has passed since the last; the same apply again would not be silent.
    """
    metadata = {name: value for name, value in object["metadata"].items() if value not in ({}, [])}
    return {**object, "metadata": metadata}


Read = Done | Absent | Denied | Unavailable | Refused
Written = Done | Conflict | Absent | Refused | Denied | Unavailable
ListResult = Listed | Absent | Denied | Unavailable | Expired | Refused
WatchEvent = Change | Expired | Denied | Unavailable | Absent


class Cluster(Protocol):
    """What the controller asks of a cluster."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Read:
        """The object as it is on the server now, not from a cache. `namespace` is "" for cluster-wide kinds."""
        ...

    async def list(self, selection: Selection) -> ListResult:
        """All objects of a selection, read in pages, consistent at one resource version."""
        ...

    def watch(self, selection: Selection, version: str, idle: float) -> AsyncGenerator[WatchEvent, None]:
        """Changes after `version`, bookmarks included, until the server ends the watch (the iterator then ends
        without a word), or one event that is no Change, which is then the last. Silence for `idle` seconds ends
        it too. The first event is a bookmark of `version`: it says that the watch stands."""
        ...

    async def apply(
        self, object: Object, manager: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        """Server-side apply, forced, under a field manager; makes the object where it is not there.

        With `uid`, only onto that very object. With `version`, only onto that resource version; an object that
        is not there has none, and is made all the same (an API server does so) unless `uid` is given too.
        """
        ...

    async def create(self, object: Object, manager: str) -> Written:
        """Create; Conflict where the name is taken."""
        ...

    async def patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> Written:
        """JSON patch (RFC 6902). A `test` that fails is a Conflict."""
        ...

    async def patch_status(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        status: Mapping[str, Any],
        manager: str,
        *,
        version: str | None = None,
    ) -> Written:
        """Merge patch (RFC 7386) of the status subresource. With `version`, only onto that resource version."""
        ...

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        """Delete, in the background as to dependents, if uid and version are still these."""
        ...
