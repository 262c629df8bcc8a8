"""PushSecret: which values of the cluster go to which stores, and under which names."""

from enum import StrEnum
from typing import Annotated

import msgspec

from adapters.resources.fields import Duration, Part, ResourceName, Time, about
from adapters.resources.metadata import Condition, FreeForm, Resource
from adapters.resources.references import ATOMIC, GeneratorReference, LabelSelector, StoreKind
from adapters.resources.rewrites import KeyRewrite
from adapters.resources.templates import Template

FREE_FORM = {"x-kubernetes-preserve-unknown-fields": True}


class UpdatePolicy(StrEnum):
    """What is done about a secret that the store has already."""

    REPLACE = "Replace"
    IF_NOT_EXISTS = "IfNotExists"


class PushDeletionPolicy(StrEnum):
    """What becomes of pushed secrets that are pushed no more."""

    NONE = "None"
    DELETE = "Delete"


class PushConversionStrategy(StrEnum):
    """How keys of the source are read."""

    NONE = "None"
    REVERSE_UNICODE = "ReverseUnicode"


PushConversion = Annotated[
    PushConversionStrategy,
    about(
        "ReverseUnicode: _U<code>_ in keys of the source is turned back into the character first.",
        stored=True,
    ),
]
PushMetadata = Annotated[
    FreeForm,
    about("Settings for the store; their form is the store's matter. Infisical has none.", **FREE_FORM),
]


class PushStoreReference(Part, frozen=True, kw_only=True):
    """A store, or every store with certain labels."""

    name: Annotated[ResourceName | None, about("Name of the store.")] = None
    label_selector: Annotated[
        LabelSelector | None, about("Every store with these labels, in place of a name.", **ATOMIC)
    ] = None
    kind: Annotated[StoreKind, about("Kind of the store.", stored=True)] = StoreKind.SECRET_STORE


class SourceSecret(Part, frozen=True, kw_only=True):
    """The Secret whose values are pushed, or every Secret with certain labels."""

    name: Annotated[ResourceName | None, about("Name of a Secret in the namespace of the PushSecret.")] = None
    selector: Annotated[
        LabelSelector | None, about("Every Secret with these labels, in place of a name.", **ATOMIC)
    ] = None


class PushSelector(Part, frozen=True, kw_only=True):
    """What is pushed."""

    secret: Annotated[SourceSecret | None, about("A Secret, or several.")] = None
    generator_ref: Annotated[GeneratorReference | None, about("A generator in place of a Secret.")] = None


class PushRemoteReference(Part, frozen=True, kw_only=True):
    """A secret in the store."""

    remote_key: Annotated[str, about("Name of the secret in the store; with a slash, its folder too.")]
    property: Annotated[
        str | None, about("Path of the property that is set, in a value that is a JSON object.")
    ] = None


class PushMatch(Part, frozen=True, kw_only=True):
    """A key of the source, and where it goes."""

    secret_key: Annotated[
        str | None, about("Key of the source. Without it, all of the source as one JSON object.")
    ] = None
    remote_ref: Annotated[PushRemoteReference, about("Where it goes.")]


class PushData(Part, frozen=True, kw_only=True):
    """One value that is pushed."""

    match: Annotated[PushMatch, about("Which key goes where.")]
    metadata: PushMetadata = None
    conversion_strategy: PushConversion = PushConversionStrategy.NONE


class PushDataToMatch(Part, frozen=True, kw_only=True):
    """Keys chosen by name."""

    regexp: Annotated[
        str | None, about("Regular expression (RE2) for keys of the source. All keys when absent.")
    ] = None


class PushDataTo(Part, frozen=True, kw_only=True):
    """Many keys at once, under their own or rewritten names."""

    store_ref: Annotated[
        PushStoreReference | None, about("Which of the stores they go to; one of secretStoreRefs. Needed.")
    ] = None
    remote_key: Annotated[
        str | None, about("All keys go, as one JSON object, into the secret of this name.")
    ] = None
    match: Annotated[PushDataToMatch | None, about("Which keys. All of them when absent.")] = None
    rewrite: Annotated[
        tuple[KeyRewrite, ...], about("How the names are made of the keys, in this order.", max_items=1000)
    ] = ()
    metadata: PushMetadata = None
    conversion_strategy: PushConversion = PushConversionStrategy.NONE


class PushSecretSpec(Part, frozen=True, kw_only=True):
    """What to push, where and when."""

    refresh_interval: Annotated[
        Duration,
        about("How often to compare, such as 15m. With 0: only when something changes.", stored=True),
    ] = "1h0m0s"
    secret_store_refs: Annotated[tuple[PushStoreReference, ...], about("The stores that are pushed to.")]
    update_policy: Annotated[
        UpdatePolicy,
        about("Replace: existing secrets are changed. IfNotExists: they are left as they are.", stored=True),
    ] = UpdatePolicy.REPLACE
    deletion_policy: Annotated[
        PushDeletionPolicy,
        about("Delete: what was pushed is deleted from the store when it is pushed no more.", stored=True),
    ] = PushDeletionPolicy.NONE
    selector: Annotated[PushSelector, about("What is pushed: exactly one.", minProperties=1, maxProperties=1)]
    template: Annotated[Template | None, about("Templates whose results are added to the source's keys.")] = (
        None
    )
    data: Annotated[tuple[PushData, ...], about("Single values.")] = ()
    data_to: Annotated[
        tuple[PushDataTo, ...], about("Many values at once; entries of data win over them.", max_items=1000)
    ] = ()


class PushSecretStatus(Part, frozen=True, kw_only=True):
    """What became of a PushSecret."""

    refresh_time: Annotated[Time | None, about("When it was last pushed or compared.", nullable=True)] = None
    synced_resource_version: Annotated[
        str | None, about("Which state of this resource was last pushed: its generation and a hash.")
    ] = None
    synced_push_secrets: Annotated[
        dict[str, dict[str, PushData]],
        about("What this resource owns in each store: <kind>/<name>, then <remoteKey>/<property>."),
    ] = msgspec.field(default_factory=dict)
    conditions: Annotated[tuple[Condition, ...], about("Whether everything is pushed.")] = ()


class PushSecret(Resource, frozen=True, kw_only=True):
    """Values of the cluster that are pushed into stores."""

    spec: Annotated[PushSecretSpec, about("What to push, where and when.")]
    status: Annotated[PushSecretStatus, about("What became of it.")] = PushSecretStatus()
