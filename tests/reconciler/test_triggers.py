"""Who is woken by what."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from adapters.cluster import Change, ChangeType, Object
from adapters.journal import Subject
from adapters.resources.kinds import (
    CLUSTER_SECRET_STORE,
    EXTERNAL_SECRET,
    PUSH_SECRET,
    SECRET_STORE,
)
from reconciler.caches import Cache, place_of
from reconciler.push_triggers import PushTriggers
from reconciler.queue import Lane
from reconciler.secret_view import view_of
from reconciler.stores import view_of_store
from reconciler.subjects import Index, subject_of
from reconciler.surroundings import SecretStub
from reconciler.triggers import Triggers
from tests.reconciler.objects import NAMESPACE, encoded, external_secret, seen, store, target, with_ready
from tests.resources.manifests import manifest

WANTED = subject_of(EXTERNAL_SECRET, (NAMESPACE, "wanted"))
OTHER = subject_of(EXTERNAL_SECRET, (NAMESPACE, "other"))
STORE = subject_of(SECRET_STORE, (NAMESPACE, "infisical"))
CLUSTER_STORE = subject_of(CLUSTER_SECRET_STORE, ("", "shared"))


class Situation:
    """Caches of every kind that tell triggers, and who was woken or forgotten."""

    def _wake(self, subject: Subject, lane: Lane, reason: str) -> None:
        self._woken.append((subject, lane, reason))

    def __init__(self) -> None:
        self._woken: list[tuple[Subject, Lane, str]] = []
        self._forgotten: list[Subject] = []
        self._version = 0
        pushes = PushTriggers(
            self._wake,
            self._forgotten.append,
            lambda place: self.push_secrets.get(place),
            lambda place: self.stores[place[0]].get(place[1:]),
        )
        triggers = Triggers(
            self._wake, self._forgotten.append, lambda place: self.external_secrets.get(place), pushes
        )
        self.push_secrets: Cache[Object] = Cache(lambda object: object, triggers.push_secret)
        self.external_secrets: Cache[Object] = Cache(lambda object: object, triggers.external_secret)
        self.stores = {
            kind.name: Cache(view_of_store, triggers.store(kind))
            for kind in (SECRET_STORE, CLUSTER_SECRET_STORE)
        }
        self.managed = Cache(view_of, triggers.managed_secret)
        self.secrets: Cache[SecretStub] = Cache(
            lambda object: SecretStub(object["metadata"]["uid"], object["metadata"]["resourceVersion"]),
            triggers.secret,
        )
        self.namespaces: Cache[dict[str, str]] = Cache(
            lambda object: object["metadata"].get("labels") or {}, triggers.namespace
        )
        self.pushes: Cache[Object] = Cache(lambda object: object, triggers.other(PUSH_SECRET))

    def _caches(self, object: Object) -> list[Cache[Any]]:
        match object["kind"]:
            case "ExternalSecret":
                return [self.external_secrets]
            case "Namespace":
                return [self.namespaces]
            case "PushSecret":
                return [self.pushes]
            case "Secret":
                labelled = "reconcile.external-secrets.io/managed" in (object["metadata"].get("labels") or {})
                return [self.secrets, self.managed] if labelled else [self.secrets]
            case kind:
                return [self.stores[kind]]

    def see(self, *objects: Object) -> None:
        """A watch tells of objects as they are now."""
        for object in objects:
            self._version += 1
            shown = copy.deepcopy(object)
            shown["metadata"]["resourceVersion"] = str(self._version)
            caches = self._caches(shown)
            for cache in caches:
                cache.changed(Change(ChangeType.MODIFIED, shown))
            if object["kind"] == "Secret" and self.managed not in caches:  # it left the selection
                self.managed.changed(Change(ChangeType.DELETED, shown))

    def lose(self, object: Object) -> None:
        """A watch tells that an object is gone."""
        self._version += 1
        shown = copy.deepcopy(object)
        shown["metadata"]["resourceVersion"] = str(self._version)
        for cache in self._caches(shown):
            cache.changed(Change(ChangeType.DELETED, shown))

    def list_again(self, *objects: Object) -> None:
        """The watch of the first object's kind had expired: a list tells what there is."""
        for cache in self._caches(objects[0]):
            cache.replaced(objects, str(self._version))

    def woken(self) -> list[tuple[Subject, Lane]]:
        """Who was woken since this was last asked, each once."""
        woken = list(dict.fromkeys((subject, lane) for subject, lane, _ in self._woken))
        self._woken.clear()
        return woken

    def forgotten(self) -> list[Subject]:
        """Who was forgotten since this was last asked."""
        forgotten = list(self._forgotten)
        self._forgotten.clear()
        return forgotten


@pytest.fixture
def situation() -> Situation:
    """A ready store; `wanted`, which is ready, and `other`, which is not, read through it."""
    situation = Situation()
    situation.see(
        seen(namespace_manifest()),
        with_ready(store(), "True", "Valid"),
        with_ready(external_secret(), "True"),
        with_ready(external_secret("other"), "False"),
    )
    situation.woken()
    return situation


def namespace_manifest(**labels: str) -> Object:
    """The usual namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def change(subject: Subject) -> list[tuple[Subject, Lane]]:
    """It alone, as a change."""
    return [(subject, Lane.CHANGE)]


# --- the resources themselves -----------------------------------------------------------------------------------


def with_status(object: Object, **status: Any) -> Object:
    """The object with these fields in its status."""
    return {**object, "status": {**(object.get("status") or {}), **status}}


WISHES: dict[str, tuple[Callable[[Object], Object], bool]] = {
    "its spec": (lambda one: seen(one, generation=2), True),
    "its labels": (lambda one: seen(one, labels={"app": "shop"}), True),
    "its annotations, as by a force-sync": (lambda one: seen(one, annotations={"force-sync": "1"}), True),
    "its deletion, while a finalizer keeps it": (
        lambda one: seen(one, deletionTimestamp="2026-01-01T00:00:00Z"),
        True,
    ),
    "being made anew": (lambda one: seen(one, uid="another"), True),
    "its condition": (lambda one: with_ready(one, "False"), False),
    "the time of its refresh": (lambda one: with_status(one, refreshTime="2026-01-01T00:00:00Z"), False),
    "its finalizers": (lambda one: seen(one, finalizers=["somebody.else/finalizer"]), False),
    "who manages its fields": (lambda one: seen(one, managedFields=[{"manager": "kubectl"}]), False),
    "nothing at all": (lambda one: one, False),
}


@pytest.mark.parametrize("what", WISHES)
def test_external_secret_is_woken_by(what: str, situation: Situation) -> None:
    """A wish wakes it, a status does not."""
    changed, wakes = WISHES[what]
    situation.see(changed(with_ready(external_secret(), "True")))
    assert situation.woken() == (change(WANTED) if wakes else [])


@pytest.mark.parametrize(
    "what", [name for name in WISHES if "labels" not in name and "annotations" not in name]
)
@pytest.mark.parametrize("kind", [SECRET_STORE, PUSH_SECRET], ids=lambda kind: kind.name)
def test_other_kinds_are_woken_by(kind: Any, what: str, situation: Situation) -> None:
    """The same for stores, and for kinds without a machine of their own; their labels mean nothing."""
    changed, wakes = WISHES[what]
    object = seen(manifest(kind, name="another"), namespace=NAMESPACE)
    subject = subject_of(kind, (NAMESPACE, "another"))
    situation.see(object)
    assert situation.woken() == change(subject)
    situation.see(changed(object))
    assert situation.woken() == (change(subject) if wakes else [])


def test_new_resource_is_a_change_and_a_synced_one_a_refresh(situation: Situation) -> None:
    """After a restart, those that are new go before those that were synced by the process before."""
    synced = with_status(external_secret("synced"), refreshTime="2026-01-01T00:00:00Z")
    situation.see(synced, external_secret("new"))
    assert situation.woken() == [
        (subject_of(EXTERNAL_SECRET, (NAMESPACE, "synced")), Lane.REFRESH),
        (subject_of(EXTERNAL_SECRET, (NAMESPACE, "new")), Lane.CHANGE),
    ]


@pytest.mark.parametrize(
    "of",
    [external_secret(), store(), seen(manifest(PUSH_SECRET), namespace=NAMESPACE)],
    ids=lambda of: of["kind"],
)
def test_resource_that_is_gone_is_forgotten(of: Object, situation: Situation) -> None:
    """It wakes nobody any more."""
    situation.see(of)
    situation.woken()
    situation.lose(of)
    assert [(one.kind, one.name) for one in situation.forgotten()] == [(of["kind"], of["metadata"]["name"])]
    assert WANTED not in [subject for subject, _ in situation.woken()]


def test_resource_made_anew_while_nobody_watched_is_woken(situation: Situation) -> None:
    """A list shows it with the same generation, labels and annotations, and another UID."""
    situation.list_again(external_secret(uid="another"), external_secret("other"))
    assert situation.woken() == change(WANTED)


# --- stores -----------------------------------------------------------------------------------------------------


def test_store_that_becomes_ready_wakes_those_who_wait_and_nobody_else(situation: Situation) -> None:
    """Who is ready has no need of it."""
    situation.see(with_ready(store(), "False", "InvalidProviderConfig"))
    situation.woken()
    situation.see(with_ready(store(), "True", "Valid"))
    assert situation.woken() == change(OTHER)


def test_store_that_appears_wakes_those_who_name_it(situation: Situation) -> None:
    """They wait for it."""
    lone = external_secret("lone", {"secretStoreRef": {"name": "shared", "kind": "ClusterSecretStore"}})
    situation.see(with_ready(lone, "False"))
    situation.woken()
    situation.see(store("shared", CLUSTER_SECRET_STORE))
    assert situation.woken() == [
        (CLUSTER_STORE, Lane.CHANGE),
        (subject_of(EXTERNAL_SECRET, (NAMESPACE, "lone")), Lane.CHANGE),
    ]


def test_store_that_is_mended_wakes_those_who_failed(situation: Situation) -> None:
    """Its path was wrong: it stays ready, and those who could not read there try again at once."""
    situation.see(with_ready(store(generation=2), "True", "Valid"))
    assert situation.woken() == [(STORE, Lane.CHANGE), (OTHER, Lane.CHANGE)]


def test_store_that_is_validated_again_wakes_nobody(situation: Situation) -> None:
    """Its verdict stands."""
    situation.see(with_status(with_ready(store(), "True", "Valid"), capabilities="ReadWrite"))
    assert situation.woken() == []


@pytest.mark.parametrize("section", ["data", "dataFrom"])
def test_store_of_a_single_entry_counts_too(section: str, situation: Situation) -> None:
    """A resource may name a store of its own in each of its entries."""
    reference = {"storeRef": {"name": "second"}}
    entries = {
        "data": [{"secretKey": "a", "remoteRef": {"key": "A"}, "sourceRef": reference}],
        "dataFrom": [{"find": {"path": "/"}, "sourceRef": reference}],
    }
    situation.see(with_ready(external_secret("other", {section: entries[section]}, generation=2), "False"))
    situation.woken()
    situation.see(with_ready(store("second"), "True", "Valid"))
    assert (OTHER, Lane.CHANGE) in situation.woken()


def test_store_of_the_same_name_elsewhere_wakes_nobody_here(situation: Situation) -> None:
    """SecretStores are of their namespace, and a ClusterSecretStore is no SecretStore."""
    situation.see(
        with_ready(store(namespace="elsewhere"), "True"), with_ready(store(kind=CLUSTER_SECRET_STORE), "True")
    )
    assert OTHER not in [subject for subject, _ in situation.woken()]


def test_resource_that_names_another_store_now_hears_of_that_one_alone(situation: Situation) -> None:
    """What it named before is forgotten."""
    moved = external_secret("other", {"secretStoreRef": {"name": "second"}}, generation=2)
    situation.see(with_ready(moved, "False"), with_ready(store("second"), "False", "InvalidProviderConfig"))
    situation.woken()
    situation.see(with_ready(store(), "False", "InvalidProviderConfig"))
    assert situation.woken() == []
    situation.see(with_ready(store("second"), "True", "Valid"))
    assert situation.woken() == change(OTHER)


# --- credentials ------------------------------------------------------------------------------------------------


def plain_secret(name: str = "credentials", **metadata: Any) -> Object:
    """A Secret of somebody else."""
    object = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": {"a": encoded("b")}}
    return seen(object, **{"namespace": NAMESPACE, **metadata})


def test_credentials_wake_their_stores_whenever_they_come_change_or_go(situation: Situation) -> None:
    """The store is validated again; its users hear of it when that is done."""
    for move in (situation.see, situation.see, situation.lose):
        move(plain_secret())
        assert situation.woken() == change(STORE)


def test_other_secrets_wake_no_store(situation: Situation) -> None:
    """Neither one of another name, nor one of this name elsewhere."""
    situation.see(plain_secret("unrelated"), plain_secret(namespace="elsewhere"))
    assert situation.woken() == []


def test_certificates_of_a_store_wake_it(situation: Situation) -> None:
    """A renewed authority is tried at once."""
    trusting = store()
    trusting["spec"]["provider"]["infisical"]["caProvider"] = {
        "type": "Secret",
        "name": "authority",
        "key": "ca",
    }
    situation.see(with_ready(seen(trusting, generation=2), "True"))
    situation.woken()
    situation.see(plain_secret("authority"))
    assert situation.woken() == change(STORE)


def test_credentials_in_the_namespace_of_a_resource_wake_those_there_who_wait(situation: Situation) -> None:
    """A ClusterSecretStore without namespaces reads each user's own Secret."""
    uses = {"secretStoreRef": {"name": "shared", "kind": "ClusterSecretStore"}}
    situation.see(
        with_ready(store("shared", CLUSTER_SECRET_STORE), "True", "ValidationUnknown"),
        with_ready(external_secret("failing", uses), "False"),
        with_ready(external_secret("content", uses), "True"),
        with_ready(external_secret("elsewhere", uses, namespace="elsewhere"), "False"),
    )
    situation.woken()
    situation.see(plain_secret())
    assert (subject_of(EXTERNAL_SECRET, (NAMESPACE, "failing")), Lane.CHANGE) in (woken := situation.woken())
    assert {subject.name for subject, _ in woken} == {"failing", "infisical"}  # and the namespace's own store


# --- targets ----------------------------------------------------------------------------------------------------


OWNED = target(external_secret(), password="x")


def changed_target(**changes: Any) -> Object:
    """The target with other content."""
    return {**copy.deepcopy(OWNED), **changes}


def relabelled(**labels: str) -> Object:
    """The target with other labels."""
    secret = copy.deepcopy(OWNED)
    secret["metadata"]["labels"] = labels
    return secret


def owned_by(name: str, uid: str) -> Object:
    """The target with another owner."""
    secret = copy.deepcopy(OWNED)
    secret["metadata"]["ownerReferences"][0] |= {"name": name, "uid": uid}
    return secret


def test_target_as_it_should_be_wakes_nobody(situation: Situation) -> None:
    """Our own write coming back, a label or annotation of somebody else, an entry of managedFields."""
    situation.see(OWNED)
    situation.see(relabelled(**OWNED["metadata"]["labels"], theirs="x"))
    situation.see(OWNED)
    assert situation.woken() == []


DRIFTS: dict[str, Callable[[], Object]] = {
    "a changed value": lambda: changed_target(data={"password": encoded("y")}),
    "an added key": lambda: changed_target(data={**OWNED["data"], "more": encoded("y")}),
    "a removed key": lambda: changed_target(data={}),
    "the managed label taken off": lambda: relabelled(),
    "the managed label changed": lambda: relabelled(**{"reconcile.external-secrets.io/managed": "false"}),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_drift_of_a_target_wakes_its_owner(drift: str, situation: Situation) -> None:
    """The owner alone, although it is ready."""
    situation.see(OWNED)
    situation.see(DRIFTS[drift]())
    assert situation.woken() == change(WANTED)


def test_deleted_target_wakes_its_owner(situation: Situation) -> None:
    """It is made anew."""
    situation.see(OWNED)
    situation.lose(OWNED)
    assert situation.woken() == change(WANTED)


def test_target_that_is_drifted_when_it_is_first_seen_wakes_its_owner(situation: Situation) -> None:
    """Somebody changed it while no controller ran."""
    situation.see(DRIFTS["a changed value"]())
    assert situation.woken() == change(WANTED)


def test_target_that_goes_with_its_owner_wakes_nobody(situation: Situation) -> None:
    """Garbage collection takes it along."""
    situation.see(OWNED)
    situation.lose(external_secret())
    situation.lose(OWNED)
    assert situation.woken() == []


def test_deleted_secret_of_somebody_else_wakes_who_waits_for_its_name(situation: Situation) -> None:
    """The name is free now; a resource that is ready does not wait."""
    for name in ("other", "unrelated"):
        situation.see(plain_secret(name))
        situation.lose(plain_secret(name))
    assert situation.woken() == change(OTHER)


def test_named_target_counts_and_not_the_name_of_the_resource(situation: Situation) -> None:
    """`spec.target.name`."""
    renamed = external_secret("other", {"target": {"name": "elsewhere"}}, generation=2)
    situation.see(with_ready(renamed, "False"), plain_secret("other"), plain_secret("elsewhere"))
    situation.woken()
    situation.lose(plain_secret("other"))
    assert situation.woken() == []
    situation.lose(plain_secret("elsewhere"))
    assert situation.woken() == change(OTHER)


def test_target_whose_owner_lets_go_wakes_who_waits_for_it(situation: Situation) -> None:
    """Another resource owned it; now it is `other`'s turn."""
    secret = owned_by("third", "uid-third")
    secret["metadata"]["name"] = "other"
    situation.see(secret)
    situation.woken()
    freed = copy.deepcopy(secret)
    del freed["metadata"]["ownerReferences"]
    situation.see(freed)
    assert situation.woken() == change(OTHER)


def test_secret_of_another_kind_of_owner_wakes_nobody(situation: Situation) -> None:
    """A Certificate of the same name is no ExternalSecret."""
    secret = DRIFTS["a changed value"]()
    secret["metadata"]["ownerReferences"][0] |= {"kind": "Certificate", "apiVersion": "cert-manager.io/v1"}
    situation.see(secret)
    assert situation.woken() == []


# --- namespaces -------------------------------------------------------------------------------------------------


def test_labels_of_a_namespace_wake_those_there_who_wait(situation: Situation) -> None:
    """A ClusterSecretStore may admit it now."""
    situation.see(seen(namespace_manifest(team="shop")))
    assert situation.woken() == change(OTHER)


def test_namespace_that_is_heard_of_late_wakes_those_there_who_wait(situation: Situation) -> None:
    """Two watches keep no order: a resource may be seen before its namespace, and find that no label admits it."""
    situation.lose(seen(namespace_manifest()))
    situation.woken()
    situation.see(seen(namespace_manifest(team="shop")))
    assert situation.woken() == change(OTHER)


def test_namespace_whose_labels_did_not_change_wakes_nobody(situation: Situation) -> None:
    """Its phase, or an annotation."""
    situation.see(seen(namespace_manifest(), annotations={"a": "b"}))
    assert situation.woken() == []


# --- the index --------------------------------------------------------------------------------------------------


def test_index_forgets_places_that_nobody_refers_to() -> None:
    """It does not grow with resources that come and go."""
    index = Index()
    for number in range(100):
        subject = subject_of(EXTERNAL_SECRET, (NAMESPACE, f"e{number}"))
        index.put(subject, frozenset({(NAMESPACE, f"s{number}"), ("all", "")}))
        index.put(subject, frozenset({(NAMESPACE, f"t{number}"), ("all", "")}))
        assert index.of((NAMESPACE, f"s{number}")) == ()
        assert index.of((NAMESPACE, f"t{number}")) == (subject,)
        index.put(subject, frozenset())
    assert index.of(("all", "")) == ()
    assert index.of((NAMESPACE, "t1")) == ()


def test_place_of_a_cluster_wide_object_has_no_namespace() -> None:
    """As caches call it."""
    assert place_of(store("shared", CLUSTER_SECRET_STORE)) == ("", "shared")
