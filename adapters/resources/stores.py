"""SecretStore and ClusterSecretStore: where secrets are, and how to log in there."""

from enum import StrEnum
from typing import Annotated

import msgspec

from adapters.cluster import Object
from adapters.resources.auth_blocks import Auth
from adapters.resources.fields import (
    DataKey,
    Duration,
    NamespaceName,
    Part,
    ResourceName,
    StoreInterval,
    about,
)
from adapters.resources.metadata import Condition, Resource
from adapters.resources.references import ATOMIC, LabelSelector

DEFAULT_HOST = "https://app.infisical.com/api"


class SecretsScope(Part, frozen=True, kw_only=True):
    """Which part of Infisical a store shows."""

    project_slug: Annotated[str, about("Slug of the project.")]
    environment_slug: Annotated[str, about("Slug of the environment, such as dev or prod.")]
    organization_slug: Annotated[
        str | None, about("Slug of the organisation to log in to, where the identity belongs to several.")
    ] = None
    secrets_path: Annotated[
        str,
        about(
            "Folder that keys without a leading slash are looked up in. A default, not a boundary: an absolute key "
            "reaches whatever the identity may read.",
            stored=True,
        ),
    ] = "/"
    recursive: Annotated[bool, about("Whether listings include the folders below.", stored=True)] = False
    expand_secret_references: Annotated[
        bool, about("Whether references such as ${OTHER} in a value are expanded on reading.", stored=True)
    ] = True


class CaProviderType(StrEnum):
    """Where certificates can be kept."""

    SECRET = "Secret"
    CONFIG_MAP = "ConfigMap"


class CaProvider(Part, frozen=True, kw_only=True):
    """A Secret or ConfigMap that holds certificates."""

    type: Annotated[CaProviderType, about("Secret or ConfigMap.")]
    name: Annotated[ResourceName, StoreInterval, about("Name of the Secret or ConfigMap.")]
    key: Annotated[DataKey | None, about("Key under which the certificates are found, in PEM.")] = None
    namespace: Annotated[
        NamespaceName | None,
        about(
            "Namespace of the Secret or ConfigMap. Required in a ClusterSecretStore, not allowed in a SecretStore."
        ),
    ] = None


class InfisicalProvider(Part, frozen=True, kw_only=True):
    """An Infisical server, an identity there, and a part of a project."""

    auth: Annotated[
        Auth, about("How to log in. One block; of several the first in the documented order is used.")
    ]
    secrets_scope: Annotated[SecretsScope, about("Which project, environment and folder the store shows.")]
    host_api: Annotated[
        str,
        msgspec.Meta(max_length=4096),
        about("Address of the Infisical server, with or without a final /api.", stored=True),
    ] = msgspec.field(name="hostAPI", default=DEFAULT_HOST)
    ca_bundle: Annotated[
        str | None,
        about(
            "Certificates of authorities to trust besides those of the system: PEM, encoded in base64.",
            format="byte",
        ),
    ] = None
    ca_provider: Annotated[
        CaProvider | None, about("A Secret or ConfigMap with certificates to trust, in place of caBundle.")
    ] = None


class Provider(Part, frozen=True, kw_only=True):
    """The service behind a store. This controller serves `infisical`; see `provider_name` for others."""

    infisical: Annotated[InfisicalProvider | None, about("Infisical.")] = None


class RetrySettings(Part, frozen=True, kw_only=True):
    """How often and how soon a request that fails in passing is repeated."""

    max_retries: Annotated[int | None, about("How often a request is repeated.", format="int32")] = None
    retry_interval: Annotated[Duration | None, about("How long to wait before the first repetition.")] = None


class NamespaceCondition(Part, frozen=True, kw_only=True):
    """Namespaces that may use a ClusterSecretStore: those that any of the three choices names."""

    namespace_selector: Annotated[LabelSelector | None, about("Namespaces with these labels.", **ATOMIC)] = (
        None
    )
    namespaces: Annotated[tuple[NamespaceName, ...], about("Namespaces by name.")] = ()
    namespace_regexes: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=2048)], ...],
        about("Regular expressions (RE2), searched for in the namespace's name.", max_items=50),
    ] = ()


class StoreSpec(Part, frozen=True, kw_only=True):
    """What a store is asked to be."""

    controller: Annotated[
        str | None, about("Class of the controller that serves this store; other controllers leave it alone.")
    ] = None
    provider: Annotated[
        Provider,
        about(
            "The service behind the store: exactly one.",
            minProperties=1,
            maxProperties=1,
            **{"x-kubernetes-preserve-unknown-fields": True},
        ),
    ]
    retry_settings: Annotated[
        RetrySettings | None, about("How requests that fail in passing are repeated.")
    ] = None
    refresh_interval: Annotated[
        StoreInterval | None,
        about(
            "How often the store is validated: a number of seconds, or a duration such as 5m. "
            "The controller's own interval when absent or 0."
        ),
    ] = None
    conditions: Annotated[
        tuple[NamespaceCondition, ...],
        about(
            "Which namespaces may use a ClusterSecretStore. All of them when there is no condition.",
            max_items=50,
        ),
    ] = ()


class StoreStatus(Part, frozen=True, kw_only=True):
    """What the controller found out about a store."""

    conditions: Annotated[tuple[Condition, ...], about("Whether the store can be used.")] = ()
    capabilities: Annotated[str | None, about("What can be done with the store, such as ReadWrite.")] = None


class SecretStore(Resource, frozen=True, kw_only=True):
    """A place where secrets are kept, for the resources of its namespace."""

    spec: Annotated[StoreSpec, about("What the store is asked to be.")]
    status: Annotated[StoreStatus, about("What was found out about the store.")] = StoreStatus()


class ClusterSecretStore(Resource, frozen=True, kw_only=True):
    """A place where secrets are kept, for the resources of every namespace that it admits."""

    spec: Annotated[StoreSpec, about("What the store is asked to be.")]
    status: Annotated[StoreStatus, about("What was found out about the store.")] = StoreStatus()


Store = SecretStore | ClusterSecretStore


def provider_name(store: Object) -> str:
    """The key of a store's `spec.provider`, such as "infisical" or "vault"; "" where there is none."""
    spec = store.get("spec")
    provider = spec.get("provider") if isinstance(spec, dict) else None
    return str(next(iter(provider), "")) if isinstance(provider, dict) else ""
