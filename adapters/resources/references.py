"""References from one object to others: stores, generators, keys of Secrets, and selections by label."""

from enum import StrEnum
from typing import Annotated, Final

import msgspec

from adapters.resources.fields import DataKey, NamespaceName, Part, ResourceName, about


class StoreKind(StrEnum):
    """The two kinds of stores."""

    SECRET_STORE = "SecretStore"
    CLUSTER_SECRET_STORE = "ClusterSecretStore"


class StoreReference(Part, frozen=True, kw_only=True):
    """The store that is read from."""

    name: Annotated[ResourceName | None, about("Name of the store.")] = None
    kind: Annotated[
        StoreKind, about("Kind of the store. SecretStore, in the resource's own namespace, when absent.")
    ] = StoreKind.SECRET_STORE


class GeneratorReference(Part, frozen=True, kw_only=True):
    """A generator of values. Generators are another controller's matter."""

    api_version: Annotated[str, about("Group and version of the generator.", stored=True)] = (
        "generators.external-secrets.io/v1alpha1"
    )
    kind: Annotated[str, about("Kind of the generator.")]
    name: Annotated[ResourceName, about("Name of the generator.")]


class SecretKeySelector(Part, frozen=True, kw_only=True):
    """A key of a Secret, where a credential is kept."""

    name: Annotated[ResourceName | None, about("Name of the Secret.")] = None
    key: Annotated[DataKey | None, about("Key of the Secret under which the credential is found.")] = None
    namespace: Annotated[
        NamespaceName | None,
        about(
            "Namespace of the Secret, for a ClusterSecretStore; without it the Secret is looked up in the namespace "
            "of the resource that uses the store. A SecretStore reads in its own namespace only."
        ),
    ] = None


class LabelRequirement(Part, frozen=True, kw_only=True):
    """One requirement on a label."""

    key: Annotated[str, about("Key of the label.")]
    operator: Annotated[str, about("In, NotIn, Exists or DoesNotExist.")]
    values: Annotated[
        tuple[str, ...],
        about(
            "The values for In and NotIn; empty for the other two operators.",
            **{"x-kubernetes-list-type": "atomic"},
        ),
    ] = ()


class LabelSelector(Part, frozen=True, kw_only=True):
    """Objects chosen by their labels: all requirements must hold; without any, every object is chosen."""

    match_labels: Annotated[dict[str, str], about("Labels that must have exactly these values.")] = (
        msgspec.field(default_factory=dict)
    )
    match_expressions: Annotated[
        tuple[LabelRequirement, ...],
        about("Further requirements.", **{"x-kubernetes-list-type": "atomic"}),
    ] = ()


ATOMIC: Final = {"x-kubernetes-map-type": "atomic"}
"""Schema of a field that several appliers replace as a whole, as they do with label selectors everywhere."""
