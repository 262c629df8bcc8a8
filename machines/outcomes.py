"""Outcomes: what a machine is told about the effect that it asked for.

An outcome is a frozen value of numbers, times, enumerations and names of checked form; a test walks the types.
A failure is typed by what a machine must do about it, and says what and where in facts, from which the report
makes its message. Times are seconds since 1970 (UTC), durations are seconds.
"""

import enum

import msgspec

from machines.names import (
    FieldPath,
    FolderPath,
    Host,
    KindName,
    NamespaceName,
    PluralName,
    PropertyPath,
    RemoteName,
    ResourceName,
    ResourceVersion,
    RuleName,
    SecretKey,
    Slug,
    SyncedVersion,
    Verb,
)


def _tag(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


class Outcome(msgspec.Struct, frozen=True, kw_only=True, tag_field="outcome", tag=_tag, omit_defaults=True):
    """The answer to an effect. Its tag triggers the transition."""


def trigger(outcome: type[Outcome]) -> str:
    """The name by which rows call an outcome: `lease_refused` for LeaseRefused."""
    tag = outcome.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


# --- failures: what must be done about them is their type ------------------------------------------------------


class Service(enum.Enum):
    """Which server a failure is about."""

    INFISICAL = "infisical"
    CLUSTER = "cluster"
    # Who vouches for the controller's own identity:
    AWS = "aws"  # where the credential chain asks: the instance's metadata, STS, the container's agent
    AZURE = "azure"  # the instance's metadata, or the authority of workload identity
    GCP_METADATA = "gcp-metadata"
    GCP_IAM = "gcp-iam"  # the IAM credentials API, and the token endpoint before it


class Trouble(enum.Enum):
    """Why a server could not be used just now."""

    REFUSED = "refused"  # nothing listens there
    UNRESOLVED = "unresolved"  # no such host name
    TIMED_OUT = "timed-out"
    BROKEN = "broken"  # the connection broke before the answer was complete
    UNTRUSTED = "untrusted"  # TLS: the certificate's issuer is not trusted
    WRONG_HOST = "wrong-host"  # TLS: the certificate is for another name
    EXPIRED_CERTIFICATE = "expired-certificate"
    TOO_LARGE = "too-large"
    REDIRECTED = "redirected"
    LIMITED = "limited"  # 429
    FAULT = "fault"  # 5xx
    NOT_INFISICAL = "not-infisical"  # an answer that no Infisical server gives: a proxy's page, another API
    CHANGED = "changed"  # somebody else wrote the same secret at the same moment
    LOCKED = "locked"  # too many wrong credentials: the login is locked for a while


class Unavailable(Outcome, frozen=True, kw_only=True):
    """It may pass by itself: back off, keep what is there. `after`: the server said when to come again."""

    service: Service
    why: Trouble
    status: int = 0
    after: float | None = None


class Denial(enum.Enum):
    """Who was not allowed what."""

    CREDENTIALS = "credentials"  # the login was refused
    IDENTITY = "identity"  # no such identity, or the method is not enabled for it
    MEMBERSHIP = "membership"  # the identity is no member of the project
    READ = "read"  # secrets of this folder, or this key
    VALUE = "value"  # the key may be seen, its value not
    WRITE = "write"  # secrets of this folder, or this key, may not be created, changed or deleted
    REFERENCE = "reference"  # a reference of the value leads to what may not be read
    FILE = "file"  # the file lies outside of the directories that the controller's settings name
    AMBIENT = "ambient"  # the controller's own identity may not be shown to this host
    PROOF = "proof"  # whoever vouches for the identity refuses to
    CLUSTER = "cluster"  # RBAC: `verb` on `resource`


class Denied(Outcome, frozen=True, kw_only=True):
    """Not permitted: only a person can change that. The target stays."""

    what: Denial
    service: Service | None = None  # who refuses to vouch
    folder: FolderPath | None = None
    key: RemoteName | None = None
    namespace: NamespaceName | None = None  # of the Secret that gives the file's path
    name: ResourceName | None = None
    secret_key: SecretKey | None = None
    verb: Verb | None = None
    resource: PluralName | None = None


class Thing(enum.Enum):
    """What may be missing. None of these ever justifies a deletion."""

    PROJECT = "project"
    ENVIRONMENT = "environment"
    FOLDER = "folder"
    ROUTE = "route"  # the server does not know this request
    CREDENTIALS_SECRET = "credentials-secret"
    CREDENTIALS_KEY = "credentials-key"
    CERTIFICATES = "certificates"  # the Secret or ConfigMap of caProvider, or its key
    NAMESPACE = "namespace"
    FILE = "file"  # the file whose path a credential gives
    AMBIENT = "ambient"  # the controller has no identity of its own of this kind
    REGION = "region"  # nothing says in which AWS region the controller runs


class Missing(Outcome, frozen=True, kw_only=True):
    """Something that the work rests on is not there. An absent key is no failure: see `Fetched.absent`."""

    what: Thing
    service: Service | None = None  # whose identity is missing
    folder: FolderPath | None = None
    namespace: NamespaceName | None = None
    name: ResourceName | None = None
    key: SecretKey | None = None


class Fault(enum.Enum):
    """What is wrong in a configuration or in a value, so that only its author can mend it."""

    EMPTY_CREDENTIAL = "empty-credential"
    NOT_TEXT = "not-text"  # a credential that is no UTF-8
    INCOMPLETE_SELECTOR = "incomplete-selector"  # a selector without name or key
    NO_AUTH = "no-auth"
    BAD_PRIVATE_KEY = "bad-private-key"  # no private key in PEM, or not with this passphrase
    BAD_KEY_FILE = "bad-key-file"  # no key file of a service account
    BAD_FILE_PATH = "bad-file-path"  # no absolute path
    BAD_REGION = "bad-region"
    BAD_HOST = "bad-host"
    BAD_CERTIFICATES = "bad-certificates"
    BAD_SLUG = "bad-slug"
    BAD_KEY = "bad-key"  # an empty remote key, one that ends in a slash or climbs with ..
    BAD_PATH = "bad-path"  # a folder path that climbs with .., or has control characters
    NO_JSON = "no-json"  # a property or extract of a value that is no JSON (object)
    NO_PROPERTY = "no-property"
    BAD_PROPERTY = "bad-property"  # a path that cannot be read
    BAD_REGEXP = "bad-regexp"
    FIND_WITHOUT_CHOICE = "find-without-choice"
    FIND_RELATIVE_PATH = "find-relative-path"
    FIND_UNREACHABLE_PATH = "find-unreachable-path"
    FIND_TAGS = "find-tags"
    INVALID_SECRET_KEY = "invalid-secret-key"
    SAME_KEY = "same-key"  # two names fall together when converted
    BAD_ENCODING = "bad-encoding"
    NULL_BYTE = "null-byte"
    TOO_LARGE = "too-large"  # more than a Secret can hold
    # Of what is pushed:
    NO_SOURCE_KEY = "no-source-key"  # the source Secret has no such key
    NOT_UTF8 = "not-utf8"  # a value that Infisical cannot store, since it is no text
    VALUE_TOO_LARGE = "value-too-large"  # more than the server takes in one request
    NO_OBJECT = "no-object"  # a property of a remote value that is no JSON object
    SAME_DESTINATION = "same-destination"  # two entries go to the same place
    DANGLING_REFERENCE = "dangling-reference"  # the server refuses a reference to a secret that is not there
    STORE_NOT_LISTED = "store-not-listed"  # a storeRef of dataTo is not among secretStoreRefs
    NO_STORE_MATCHES = "no-store-matches"  # a label selector chooses no store


class Invalid(Outcome, frozen=True, kw_only=True):
    """A configuration or a value that cannot work as it is: wait for a change. The target stays."""

    what: Fault
    field: FieldPath | None = None
    key: RemoteName | None = None
    property: PropertyPath | None = None
    namespace: NamespaceName | None = None
    name: ResourceName | None = None
    secret_key: SecretKey | None = None
    folder: FolderPath | None = None


class Refused(Outcome, frozen=True, kw_only=True):
    """The cluster will never take the object as it is: its schema, a rule, an immutable field, a webhook."""

    field: FieldPath | None = None
    webhook: bool = False


class Conflict(Outcome, frozen=True, kw_only=True):
    """Someone else changed it in between: look again, at once."""


class Absent(Outcome, frozen=True, kw_only=True):
    """The object is not there (any more)."""


class NotOurs(Outcome, frozen=True, kw_only=True):
    """It belongs to somebody else, and was left alone."""

    owner_kind: KindName | None = None
    owner_name: ResourceName | None = None


class LeaseRefused(Outcome, frozen=True, kw_only=True):
    """Infisical no longer takes the token of this lease (revoked, expired, used up)."""


class ProjectGone(Outcome, frozen=True, kw_only=True):
    """Infisical does not know the project's ID (any more): the project was deleted, perhaps made again."""


class Cancelled(Outcome, frozen=True, kw_only=True):
    """The program is stopping, or gave up this run. Says nothing about the resource."""


Failure = (
    Unavailable
    | Denied
    | Missing
    | Invalid
    | Refused
    | Conflict
    | Absent
    | NotOurs
    | LeaseRefused
    | ProjectGone
)


# --- successes -------------------------------------------------------------------------------------------------


class Authenticated(Outcome, frozen=True, kw_only=True):
    """A lease is held. `shared`: the login was made for another run."""

    shared: bool = False


class Resolved(Outcome, frozen=True, kw_only=True):
    """The project is known. `cached`: no request was made, so that the ID may be stale."""

    cached: bool = False


class AbsentKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key that is verifiably not in a folder that is there and readable."""

    key: RemoteName
    folder: FolderPath


class Fetched(Outcome, frozen=True, kw_only=True):
    """Everything asked of one store was read; what was verified to be absent is named."""

    keys: int
    read_at: float | None = (
        None  # when the oldest of it was read, seconds since 1970; None: nothing had to be
    )
    absent: tuple[AbsentKey, ...] = ()


class Released(Outcome, frozen=True, kw_only=True):
    """The claim on the lease is given back. There is no other outcome: releasing is counting down."""


class Rendered(Outcome, frozen=True, kw_only=True):
    """The desired content stands. `agrees`: the target was seen to hold just this already."""

    keys: int
    agrees: bool = False


class Change(enum.Enum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class Applied(Outcome, frozen=True, kw_only=True):
    """The target holds the desired content."""

    change: Change


class Deleted(Outcome, frozen=True, kw_only=True):
    """It is deleted now."""


class FinalizerRemoved(Outcome, frozen=True, kw_only=True):
    """The finalizer is off, the object may go."""


class Reported(Outcome, frozen=True, kw_only=True):
    """The status says what the report said."""


class Probed(Outcome, frozen=True, kw_only=True):
    """The store can read: a single read of a name that is not there said so."""


# --- what was observed -----------------------------------------------------------------------------------------


class StoreState(enum.Enum):
    """What is known of a store that a resource uses, as its status and its spec say."""

    ABSENT = "absent"
    FOREIGN = "foreign"  # of another controller class
    OTHER_PROVIDER = "other-provider"
    EXCLUDING = "excluding"  # a ClusterSecretStore whose conditions do not admit the namespace
    UNVALIDATED = "unvalidated"
    NOT_READY = "not-ready"
    READY = "ready"


class StoreReason(enum.Enum):
    """Reasons of a store's Ready condition."""

    VALID = "Valid"
    INVALID_PROVIDER_CONFIG = "InvalidProviderConfig"
    INVALID_STORE_CONFIGURATION = "InvalidStoreConfiguration"
    VALIDATION_FAILED = "ValidationFailed"
    VALIDATION_UNKNOWN = "ValidationUnknown"
    OTHER = "Other"


class StoreFacts(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A store that a resource uses."""

    kind: KindName
    name: ResourceName
    state: StoreState
    reason: StoreReason | None = None
    host: Host | None = None
    project: Slug | None = None
    environment: Slug | None = None
    deleting: bool = False


class Ownership(enum.Enum):
    """Whose a target Secret is."""

    ABSENT = "absent"
    OURS = "ours"
    UNOWNED = "unowned"
    FOREIGN = "foreign"  # another resource or controller owns it


class Drift(enum.Enum):
    """How a target differs from what we last wrote to it."""

    NONE = "none"
    GONE = "gone"
    UNLABELLED = "unlabelled"
    CHANGED = "changed"  # its data does not match its data-hash annotation


class TargetFacts(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The target Secret as it was seen."""

    name: ResourceName
    ownership: Ownership
    drift: Drift
    version: ResourceVersion | None = None
    owner_kind: KindName | None = None
    owner_name: ResourceName | None = None


class RefreshPolicy(enum.Enum):
    PERIODIC = "Periodic"
    ON_CHANGE = "OnChange"
    CREATED_ONCE = "CreatedOnce"


class BrokenRule(msgspec.Struct, frozen=True):
    """A rule of the resource definitions, and where a manifest breaks it."""

    rule: RuleName
    path: FieldPath


class Observed(Outcome, frozen=True, kw_only=True):
    """What every observation tells of a resource."""

    now: float
    version: ResourceVersion
    deleting: bool = False
    finalizer: bool = False  # one of ours, or one that External Secrets Operator left
    broken_rules: tuple[BrokenRule, ...] = ()
    malformed: tuple[FieldPath, ...] = ()  # fields that no schema of ours would take


class ExternalSecretObserved(Observed, frozen=True, kw_only=True, tag="observed"):
    """An ExternalSecret, its target and its stores."""

    unsupported: tuple[FieldPath, ...] = ()  # asked for, and not built
    wanted: SyncedVersion  # of the resource as it is now
    synced: SyncedVersion | None = None
    refreshed: float | None = None  # status.refreshTime
    interval: float = 3600.0  # 0: not periodically
    policy: RefreshPolicy = RefreshPolicy.PERIODIC
    stores: tuple[StoreFacts, ...] = ()
    target: TargetFacts
    former: ResourceName | None = None  # the target of before a renaming, still there
    hold_back: bool = True  # a store that is not ready holds back what uses it
    failures: int = 0  # how often in a row this process tried it in vain
    failed: bool = False  # its status says that it is not ready


class StoreObserved(Observed, frozen=True, kw_only=True, tag="observed"):
    """A SecretStore or ClusterSecretStore."""

    store: StoreFacts
    needed: bool = False  # a PushSecret needs it to clean up what it pushed
    referent: bool = False  # its credentials lie in the namespace of whoever uses it
    several_auth: bool = False
    verdict: StoreReason | None = None  # what its status says now
    validated: float | None = (
        None  # when this process last validated it, as it is now, with these credentials
    )
    failing_since: float | None = None  # when this process first saw the failure that it still sees
    interval: float = 300.0  # 0: only when something changes
    patience: float = 900.0  # how long a host that does not answer leaves the last verdict standing


class KindObserved(Observed, frozen=True, kw_only=True, tag="observed"):
    """A resource of a kind that has no machine of its own yet, and the stores that it names."""

    unsupported: tuple[FieldPath, ...] = ()  # asked for, and not built
    stores: tuple[StoreFacts, ...] = ()
