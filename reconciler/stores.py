"""Stores as the resources that use them see them: found by reference, judged by their status, made ready for use."""

from collections.abc import Mapping

import msgspec

from adapters.auth.registry import Chosen, chosen
from adapters.cluster import Object
from adapters.infisical import address as addresses
from adapters.infisical.address import Address
from adapters.infisical.exchange import Retry
from adapters.resources import durations
from adapters.resources.faults import Faults
from adapters.resources.kinds import CLUSTER_SECRET_STORE, SECRET_STORE, kind_of
from adapters.resources.parsing import parse
from adapters.resources.references import LabelSelector, StoreReference
from adapters.resources.stores import (
    CaProvider,
    ClusterSecretStore,
    NamespaceCondition,
    SecretsScope,
    SecretStore,
    provider_name,
)
from machines.names import KindName, NamespaceName, ResourceName, Slug
from machines.outcomes import Invalid, StoreFacts, StoreReason, StoreState
from reconciler.caches import Cache
from reconciler.conditions import ready_of
from reconciler.content.faults import ContentFault
from reconciler.content.regexps import searcher

INFISICAL = "infisical"
UNNAMED = "unnamed"  # a reference that names nothing


class StoreView(msgspec.Struct, frozen=True, kw_only=True):
    """A store as it was seen. `store` is None where it is malformed, or of another provider."""

    object: Object
    kind: str
    namespace: str
    name: str
    provider: str
    controller: str | None
    store: SecretStore | ClusterSecretStore | None
    faults: Faults | None
    ready: bool | None
    reason: StoreReason | None


def view_of_store(object: Object) -> StoreView:
    """What is kept of a store."""
    metadata = object["metadata"]
    provider = provider_name(object)
    parsed = parse(kind_of(object), object) if provider == INFISICAL else None
    ready = ready_of(object)
    reason = ready.get("reason") if ready else None
    return StoreView(
        object=object,
        kind=object["kind"],
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        provider=provider,
        controller=(object.get("spec") or {}).get("controller"),
        store=parsed if isinstance(parsed, SecretStore | ClusterSecretStore) else None,
        faults=parsed if isinstance(parsed, Faults) else None,
        ready=None if ready is None else ready.get("status") == "True",
        reason=None if reason is None else _reason(reason),
    )


def _reason(text: str) -> StoreReason:
    try:
        return StoreReason(text)
    except ValueError:
        return StoreReason.OTHER


class Stores:
    """Finds stores by reference and says what is known of them."""

    def __init__(
        self,
        caches: Mapping[str, Cache[StoreView]],
        namespace_labels: Cache[dict[str, str]],
        controller_class: str,
    ) -> None:
        self._caches = caches
        self._namespace_labels = namespace_labels
        self._class = controller_class

    def find(self, reference: StoreReference, namespace: str) -> StoreView | None:
        """The store that a resource of this namespace means; None: there is none."""
        if reference.kind == CLUSTER_SECRET_STORE.name:
            return self._caches[CLUSTER_SECRET_STORE.name].get(("", reference.name or ""))
        return self._caches[SECRET_STORE.name].get((namespace, reference.name or ""))

    def matching(self, kind: str, namespace: str, selector: LabelSelector) -> list[StoreView]:
        """The stores of a kind in a namespace that labels choose, by name."""
        return [
            view
            for place, view in sorted(self._caches[kind], key=lambda item: item[0])
            if place[0] == namespace and selects(selector, view.object["metadata"].get("labels") or {})
        ]

    def facts(self, reference: StoreReference, namespace: str) -> StoreFacts:
        """What a machine is told of the store that a reference means."""
        view = self.find(reference, namespace)
        if view is None:
            return StoreFacts(
                kind=KindName(reference.kind),
                name=ResourceName(reference.name or UNNAMED),
                state=StoreState.ABSENT,
            )
        return self.facts_of(view, namespace)

    def facts_of(self, view: StoreView, namespace: str) -> StoreFacts:
        """What a machine is told of a store that a resource of this namespace uses."""
        host = project = environment = None
        if view.store is not None and view.store.spec.provider.infisical is not None:
            infisical = view.store.spec.provider.infisical
            parsed = addresses.parsed(infisical.host_api)
            host = parsed.host if isinstance(parsed, Address) else None
            project = _slug(infisical.secrets_scope.project_slug)
            environment = _slug(infisical.secrets_scope.environment_slug)
        return StoreFacts(
            kind=KindName(view.kind),
            name=ResourceName(view.name),
            state=self._state(view, namespace),
            reason=view.reason,
            host=host,
            project=project,
            environment=environment,
            deleting=bool(view.object["metadata"].get("deletionTimestamp")),
        )

    def _state(self, view: StoreView, namespace: str) -> StoreState:
        if (view.controller or "default") != self._class:
            return StoreState.FOREIGN
        if view.provider != INFISICAL:
            return StoreState.OTHER_PROVIDER
        if view.kind == CLUSTER_SECRET_STORE.name and namespace and not self._admits(view, namespace):
            return StoreState.EXCLUDING
        if view.ready is None:
            return StoreState.UNVALIDATED
        return StoreState.READY if view.ready and view.store is not None else StoreState.NOT_READY

    def _admits(self, view: StoreView, namespace: str) -> bool:
        conditions = view.store.spec.conditions if view.store is not None else ()
        return not conditions or any(self._meets(condition, namespace) for condition in conditions)

    def _meets(self, condition: NamespaceCondition, namespace: str) -> bool:
        if namespace in condition.namespaces:
            return True
        if condition.namespace_selector is not None:
            labels = self._namespace_labels.get(("", namespace)) or {}
            if selects(condition.namespace_selector, labels):
                return True
        return any(_searches(pattern, namespace) for pattern in condition.namespace_regexes)


def _slug(text: str) -> Slug | None:
    try:
        return Slug(text)
    except ValueError:
        return None


def _searches(pattern: str, text: str) -> bool:
    try:
        return bool(searcher(pattern)(text))
    except ContentFault:
        return False  # it admits nobody


def selects(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """Whether a label selector chooses an object with these labels, as Kubernetes defines it."""
    if any(labels.get(key) != text for key, text in selector.match_labels.items()):
        return False
    for requirement in selector.match_expressions:
        match requirement.operator:
            case "In":
                holds = labels.get(requirement.key) in requirement.values
            case "NotIn":
                holds = labels.get(requirement.key) not in requirement.values
            case "Exists":
                holds = requirement.key in labels
            case "DoesNotExist":
                holds = requirement.key not in labels
            case _:
                holds = False
        if not holds:
            return False
    return True


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """All that is needed to log in to a store's Infisical and to read there, but for the credentials themselves.

    Each of `auth.sources` has its namespace. `referent`: it is that of whoever uses the store.
    """

    host_api: str
    auth: Chosen
    referent: bool
    scope: SecretsScope
    retry: Retry
    ca_bundle: str | None
    ca_provider: CaProvider | None
    ca_namespace: NamespaceName


def connection_of(view: StoreView, namespace: str) -> Connection | Invalid:
    """How to use a store for a resource of this namespace ("" for the store itself).

    Selectors of a ClusterSecretStore without a namespace are read in the namespace of the resource; those of a
    SecretStore always in its own.
    """
    assert view.store is not None
    infisical = view.store.spec.provider.infisical
    assert infisical is not None
    auth = chosen(infisical.auth)
    if isinstance(auth, Invalid):
        return auth
    settings = view.store.spec.retry_settings
    retry = Retry()
    if settings is not None and settings.max_retries is not None:
        retry = msgspec.structs.replace(retry, attempts=max(0, settings.max_retries) + 1)
    if settings is not None and settings.retry_interval is not None:
        retry = msgspec.structs.replace(retry, first_delay=durations.seconds(settings.retry_interval))
    own = NamespaceName(view.namespace or namespace)
    sources = tuple(
        msgspec.structs.replace(source, namespace=own if view.namespace else source.namespace or own)
        for source in auth.sources
    )
    ca_namespace = infisical.ca_provider.namespace if infisical.ca_provider is not None else None
    return Connection(
        host_api=infisical.host_api,
        auth=msgspec.structs.replace(auth, sources=sources),
        referent=not view.namespace and any(source.namespace is None for source in auth.sources),
        scope=infisical.secrets_scope,
        retry=retry,
        ca_bundle=infisical.ca_bundle,
        ca_provider=infisical.ca_provider,
        ca_namespace=NamespaceName(view.namespace or ca_namespace or ""),
    )
