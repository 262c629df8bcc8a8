"""ClusterExternalSecret and ClusterPushSecret: the same resource in every namespace that matches."""

from typing import Annotated

from adapters.resources.external_secrets import ExternalSecretSpec
from adapters.resources.fields import Duration, NamespaceName, Part, ResourceName, about
from adapters.resources.metadata import Condition, Resource, TemplateMetadata
from adapters.resources.push_secrets import PushSecretSpec
from adapters.resources.references import ATOMIC, LabelSelector

RefreshTime = Annotated[
    Duration | None, about("How often namespaces and resources are compared. One hour when absent.")
]


class NamespaceFailure(Part, frozen=True, kw_only=True):
    """A namespace in which the resource could not be made."""

    namespace: Annotated[str, about("The namespace.")]
    reason: Annotated[str | None, about("Why it failed.")] = None


class PlainCondition(Part, frozen=True, kw_only=True):
    """One statement about the state of a ClusterExternalSecret."""

    type: Annotated[str, about("What the condition is about, such as Ready.")]
    status: Annotated[str, about("True, False or Unknown.")]
    message: Annotated[str | None, about("What happened, where, and what to do about it.")] = None


class ClusterExternalSecretSpec(Part, frozen=True, kw_only=True):
    """Which ExternalSecret, and in which namespaces."""

    external_secret_spec: Annotated[ExternalSecretSpec, about("Spec of the ExternalSecrets.")]
    external_secret_name: Annotated[
        ResourceName | None, about("Name of the ExternalSecrets. The resource's own name when absent.")
    ] = None
    external_secret_metadata: Annotated[
        TemplateMetadata | None, about("Labels and annotations of the ExternalSecrets.")
    ] = None
    namespace_selector: Annotated[
        LabelSelector | None,
        about("Namespaces with these labels. Older spelling of namespaceSelectors.", **ATOMIC),
    ] = None
    namespace_selectors: Annotated[
        tuple[Annotated[LabelSelector, about("Namespaces with these labels.", **ATOMIC)], ...],
        about("Namespaces that match any of these."),
    ] = ()
    namespaces: Annotated[tuple[NamespaceName, ...], about("Further namespaces, by name.")] = ()
    refresh_time: RefreshTime = None


class ClusterExternalSecretStatus(Part, frozen=True, kw_only=True):
    """What became of a ClusterExternalSecret."""

    external_secret_name: Annotated[str | None, about("Name under which the ExternalSecrets were made.")] = (
        None
    )
    provisioned_namespaces: Annotated[tuple[str, ...], about("Namespaces that have one, sorted.")] = ()
    failed_namespaces: Annotated[
        tuple[NamespaceFailure, ...], about("Namespaces where it failed, sorted, and why.")
    ] = ()
    conditions: Annotated[tuple[PlainCondition, ...], about("Whether every namespace has one.")] = ()


class ClusterExternalSecret(Resource, frozen=True, kw_only=True):
    """The same ExternalSecret in every namespace that matches."""

    spec: Annotated[ClusterExternalSecretSpec, about("Which ExternalSecret, and in which namespaces.")]
    status: Annotated[ClusterExternalSecretStatus, about("What became of it.")] = (
        ClusterExternalSecretStatus()
    )


class ClusterPushSecretSpec(Part, frozen=True, kw_only=True):
    """Which PushSecret, and in which namespaces."""

    push_secret_spec: Annotated[PushSecretSpec, about("Spec of the PushSecrets.")]
    push_secret_name: Annotated[
        ResourceName | None, about("Name of the PushSecrets. The resource's own name when absent.")
    ] = None
    push_secret_metadata: Annotated[
        TemplateMetadata | None, about("Labels and annotations of the PushSecrets.")
    ] = None
    namespace_selectors: Annotated[
        tuple[Annotated[LabelSelector, about("Namespaces with these labels.", **ATOMIC)], ...],
        about("Namespaces that match any of these."),
    ] = ()
    refresh_time: RefreshTime = None


class ClusterPushSecretStatus(Part, frozen=True, kw_only=True):
    """What became of a ClusterPushSecret."""

    push_secret_name: Annotated[str | None, about("Name under which the PushSecrets were made.")] = None
    provisioned_namespaces: Annotated[tuple[str, ...], about("Namespaces that have one, sorted.")] = ()
    failed_namespaces: Annotated[
        tuple[NamespaceFailure, ...], about("Namespaces where it failed, sorted, and why.")
    ] = ()
    conditions: Annotated[tuple[Condition, ...], about("Whether every namespace has one.")] = ()


class ClusterPushSecret(Resource, frozen=True, kw_only=True):
    """The same PushSecret in every namespace that matches."""

    spec: Annotated[ClusterPushSecretSpec, about("Which PushSecret, and in which namespaces.")]
    status: Annotated[ClusterPushSecretStatus, about("What became of it.")] = ClusterPushSecretStatus()
