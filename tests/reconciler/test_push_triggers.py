"""Which changes let a PushSecret run, and which of its own let a store run."""

import asyncio
from collections.abc import Iterable
from typing import Any

from adapters.cluster import Kind, Object
from adapters.journal import Subject
from adapters.resources.kinds import CLUSTER_SECRET_STORE, PUSH_SECRET, SECRET_STORE
from reconciler.caches import Place
from reconciler.push_references import PUSH_FINALIZER, STORE_FINALIZER, StorePlace
from reconciler.push_triggers import PushTriggers
from reconciler.queue import Lane
from reconciler.stores import StoreView, view_of_store
from reconciler.subjects import subject_of
from reconciler.surroundings import SecretStub
from tests.reconciler.objects import NAMESPACE, seen, store, with_ready
from tests.resources.manifests import manifest
from tests.simulated_loop import simulated

PUSHED = subject_of(PUSH_SECRET, (NAMESPACE, "pushed"))
OTHER = subject_of(PUSH_SECRET, (NAMESPACE, "other"))
STORE = subject_of(SECRET_STORE, (NAMESPACE, "infisical"))
CLUSTER_STORE = subject_of(CLUSTER_SECRET_STORE, ("", "infisical"))
BY_LABEL = {"selector": {"matchLabels": {"pushed": "yes"}}}
STORES_BY_LABEL = [{"labelSelector": {"matchLabels": {"team": "red"}}}]


class Situation:
    """PushSecrets and stores as they are, and who was woken or forgotten since that was last asked."""

    def __init__(self) -> None:
        self._pushed: dict[Place, Object] = {}
        self._stores: dict[StorePlace, StoreView] = {}
        self._woken: list[tuple[Subject, Lane, str]] = []
        self.forgotten: list[Subject] = []
        self.triggers = PushTriggers(self._wake, self.forgotten.append, self._pushed.get, self._stores.get)

    def _wake(self, subject: Subject, lane: Lane, reason: str) -> None:
        self._woken.append((subject, lane, reason))

    def woken(self) -> list[tuple[Subject, Lane, str]]:
        """In order."""
        woken = list(self._woken)
        self._woken.clear()
        return woken

    def push(self, *objects: Object) -> None:
        """These PushSecrets are so now."""
        for object in objects:
            place = (object["metadata"]["namespace"], object["metadata"]["name"])
            before = self._pushed.get(place)
            self._pushed[place] = object
            self.triggers.push_secret(place, before, object)

    def unpush(self, name: str = "pushed") -> None:
        """This PushSecret is gone."""
        self.triggers.push_secret((NAMESPACE, name), self._pushed.pop((NAMESPACE, name)), None)

    def stores(self, object: Object, kind: Kind = SECRET_STORE) -> StoreView:
        """A store is so now."""
        view = view_of_store(object)
        place = (kind.name, view.namespace, view.name)
        before = self._stores.get(place)
        self._stores[place] = view
        self.triggers.store(kind, place[1:], before, view)
        return view

    def unstore(self, name: str = "infisical") -> None:
        """A SecretStore is gone."""
        before = self._stores.pop((SECRET_STORE.name, NAMESPACE, name))
        self.triggers.store(SECRET_STORE, (NAMESPACE, name), before, None)

    async def settled(self) -> list[tuple[Subject, Lane, str]]:
        """Who is woken once what changed has come to rest."""
        assert not self._woken
        await asyncio.sleep(1)
        return self.woken()


def push_secret(
    name: str = "pushed",
    *,
    status: str | None = "True",
    recorded: Iterable[str] = (),
    metadata: dict[str, Any] | None = None,
    **spec: Any,
) -> Object:
    """A PushSecret from `source` to `infisical` that is ready, with these stores in its record."""
    object = manifest(PUSH_SECRET, name=name)
    object["spec"] |= spec
    shown = with_ready(seen(object, namespace=NAMESPACE, **(metadata or {})), status)
    if recorded:
        shown.setdefault("status", {})["syncedPushSecrets"] = {one: {"NAME": {}} for one in recorded}
    return shown


def begun(*objects: Object) -> Situation:
    """These PushSecrets, and the ready store `infisical`."""
    situation = Situation()
    situation.stores(with_ready(store(), "True", "Valid"))
    situation.push(*objects)
    situation.woken()
    return situation


def change(reason: str, *subjects: Subject) -> list[tuple[Subject, Lane, str]]:
    """These, as a change."""
    return [(subject, Lane.CHANGE, reason) for subject in subjects]


def stub(version: str = "1", **labels: str) -> SecretStub:
    """A Secret in a version, with labels."""
    return SecretStub("uid", version, labels)


# --- the resources themselves -----------------------------------------------------------------------------------


def test_a_new_one_runs_before_one_that_was_pushed_before() -> None:
    situation = Situation()
    known = push_secret("other")
    known["status"]["refreshTime"] = "2026-01-01T00:00:00Z"
    situation.push(push_secret(status=None), known)
    assert situation.woken() == [(PUSHED, Lane.CHANGE, "seen"), (OTHER, Lane.REFRESH, "seen")]


def test_what_its_author_changed_lets_it_run_and_its_own_status_does_not() -> None:
    situation = begun(push_secret())
    situation.push(push_secret(status="False"))
    situation.push(push_secret(status="False", recorded=["SecretStore/infisical"]))
    situation.push(push_secret(metadata={"finalizers": [PUSH_FINALIZER]}))
    assert situation.woken() == []
    for metadata in (
        {"generation": 2},
        {"generation": 2, "annotations": {"external-secrets.io/force-sync": "1"}},
        {"generation": 2, "uid": "of another"},
        {"generation": 2, "uid": "of another", "deletionTimestamp": "2026-01-01T00:00:00Z"},
    ):
        situation.push(push_secret(metadata=metadata))
        assert situation.woken() == change("changed", PUSHED), metadata


def test_a_finalizer_that_goes_while_it_is_deleted_lets_it_run() -> None:
    dying = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    situation = begun(push_secret(metadata={**dying, "finalizers": [PUSH_FINALIZER, "example.com/theirs"]}))
    situation.push(push_secret(metadata={**dying, "finalizers": ["example.com/theirs"]}))
    assert situation.woken() == change("changed", PUSHED)


@simulated
async def test_one_that_is_gone_is_forgotten_and_woken_by_nothing() -> None:
    """Neither by what was waiting for quiet already."""
    situation = begun(push_secret())
    situation.triggers.secret((NAMESPACE, "source"), stub("1"), stub("2"))
    situation.unpush()
    situation.triggers.secret((NAMESPACE, "source"), stub("2"), stub("3"))
    situation.unstore()
    situation.triggers.namespace(NAMESPACE)
    assert await situation.settled() == []
    assert situation.forgotten == [PUSHED]


# --- sources ----------------------------------------------------------------------------------------------------


@simulated
async def test_the_source_by_name() -> None:
    """When it comes, changes and goes; nobody else, and not the Secret of that name in another namespace."""
    other = push_secret("other", selector={"secret": {"name": "another"}})
    situation = begun(push_secret(), other)
    for before, after in ((None, stub("1")), (stub("1"), stub("2")), (stub("2"), None)):
        situation.triggers.secret((NAMESPACE, "source"), before, after)
        assert await situation.settled() == change("source", PUSHED)
    situation.triggers.secret(("elsewhere", "source"), None, stub("1"))
    situation.triggers.secret((NAMESPACE, "nobody's"), None, stub("1"))
    assert await situation.settled() == []


@simulated
async def test_sources_by_label() -> None:
    """When a Secret with the labels comes, changes and goes, gets the labels and loses them."""
    situation = begun(push_secret(selector={"secret": BY_LABEL}))
    chosen = stub("2", pushed="yes", more="1")
    for before, after in (
        (None, chosen),
        (chosen, stub("3", pushed="yes")),
        (stub("1"), chosen),
        (chosen, stub("3")),
    ):
        situation.triggers.secret((NAMESPACE, "any"), before, after)
        assert await situation.settled() == change("source", PUSHED)
    situation.triggers.secret((NAMESPACE, "any"), chosen, None)
    assert await situation.settled() == change("source", PUSHED)
    situation.triggers.secret((NAMESPACE, "any"), stub("1", pushed="no"), stub("2"))
    situation.triggers.secret(("elsewhere", "any"), None, chosen)
    assert await situation.settled() == []


@simulated
async def test_a_burst_wakes_each_of_several_once() -> None:
    situation = begun(push_secret(), push_secret("other", selector={"secret": BY_LABEL}))
    for version in range(10):
        situation.triggers.secret(
            (NAMESPACE, "source"), stub(str(version), pushed="yes"), stub(str(version + 1), pushed="yes")
        )
        await asyncio.sleep(0.02)
    woken = await situation.settled()
    assert len(woken) == 2
    assert set(woken) == set(change("source", PUSHED, OTHER))


@simulated
async def test_another_source_is_followed_from_then_on() -> None:
    situation = begun(push_secret())
    situation.push(push_secret(metadata={"generation": 2}, selector={"secret": {"name": "another"}}))
    situation.woken()
    situation.triggers.secret((NAMESPACE, "source"), stub("1"), stub("2"))
    assert await situation.settled() == []
    situation.triggers.secret((NAMESPACE, "another"), stub("1"), stub("2"))
    assert await situation.settled() == change("source", PUSHED)


# --- stores -----------------------------------------------------------------------------------------------------


def test_a_store_that_comes_or_goes() -> None:
    situation = begun(push_secret(), push_secret("other", secretStoreRefs=[{"name": "another"}]))
    situation.unstore()
    assert situation.woken() == change("store", PUSHED)
    situation.stores(store())
    assert situation.woken() == change("store", PUSHED)


def test_a_store_that_turns_ready_lets_run_who_waits_for_it() -> None:
    situation = begun(push_secret(), push_secret("other", status="False"))
    situation.stores(with_ready(store(), "False", "InvalidProviderConfig"))
    situation.woken()
    situation.stores(with_ready(store(), "True", "Valid"))
    assert situation.woken() == change("store", OTHER)


def test_a_store_whose_guard_was_taken_off_is_guarded_again() -> None:
    situation = begun(push_secret(deletionPolicy="Delete"))
    guarded = with_ready(store(finalizers=[STORE_FINALIZER]), "True", "Valid")
    situation.stores(guarded)
    assert situation.woken() == []
    situation.stores(with_ready(store(), "True", "Valid"))
    assert situation.woken() == change("store", PUSHED)


def test_a_store_that_is_only_recorded_counts() -> None:
    """What was pushed there has to be deleted there."""
    recorded = ["SecretStore/former", "ClusterSecretStore/wide"]
    situation = begun(push_secret(recorded=recorded))
    situation.stores(store("former"))
    assert situation.woken() == change("store", PUSHED)
    situation.stores(store("wide", CLUSTER_SECRET_STORE), CLUSTER_SECRET_STORE)
    assert situation.woken() == change("store", PUSHED)
    situation.stores(store("wide"))
    assert situation.woken() == []


def test_stores_by_label_count_when_they_come_turn_ready_or_change_their_labels() -> None:
    situation = begun(push_secret(secretStoreRefs=STORES_BY_LABEL))
    red = {"team": "red"}
    for shown in (
        store("new"),
        store("new", labels=red),
        with_ready(store("new", labels=red), "True", "Valid"),
        with_ready(store("new", labels={"team": "blue"}), "True", "Valid"),
    ):
        situation.stores(shown)
        assert situation.woken() == change("store", PUSHED)
    situation.stores(with_ready(store("new", labels={"team": "blue"}, generation=2), "True", "Valid"))
    assert situation.woken() == []
    situation.stores(store("wide", CLUSTER_SECRET_STORE), CLUSTER_SECRET_STORE)
    assert situation.woken() == []


def test_credentials_and_a_namespace_let_run_who_waits() -> None:
    wide = [{"name": "infisical", "kind": "ClusterSecretStore"}]
    situation = begun(
        push_secret(secretStoreRefs=wide), push_secret("other", status="False", secretStoreRefs=wide)
    )
    situation.triggers.credentials(CLUSTER_STORE, NAMESPACE)
    assert situation.woken() == change("credentials", OTHER)
    situation.triggers.credentials(CLUSTER_STORE, "elsewhere")
    situation.triggers.namespace("elsewhere")
    assert situation.woken() == []
    situation.triggers.namespace(NAMESPACE)
    assert situation.woken() == change("namespace", OTHER)


# --- stores that are needed no more -----------------------------------------------------------------------------


def guarded(name: str = "infisical", **labels: str) -> Object:
    """A store that a PushSecret guards."""
    return with_ready(store(name, finalizers=[STORE_FINALIZER], labels=labels), "True", "Valid")


def test_a_store_is_woken_when_the_last_need_of_it_may_be_over() -> None:
    """The PushSecret is gone, has another store, has another policy, or has cleaned up."""
    recorded = ["SecretStore/infisical"]
    before = push_secret(
        deletionPolicy="Delete", recorded=recorded, metadata={"finalizers": [PUSH_FINALIZER]}
    )
    dying = {"generation": 2, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    ends: tuple[Object | None, ...] = (
        None,
        push_secret(deletionPolicy="Delete", secretStoreRefs=[{"name": "another"}]),
        push_secret(recorded=recorded),
        push_secret(
            deletionPolicy="Delete", recorded=recorded, metadata={**dying, "finalizers": ["their/own"]}
        ),
    )
    for after in ends:
        situation = begun(before)
        view = situation.stores(guarded())
        situation.woken()
        assert situation.triggers.needs(view)
        if after is None:
            situation.unpush()
        else:
            situation.push(after)
        assert (STORE, Lane.CHANGE, "unneeded") in situation.woken()
        assert not situation.triggers.needs(view)


def test_a_store_stays_needed_while_something_of_it_is_recorded() -> None:
    recorded = ["SecretStore/infisical"]
    keeping = {"finalizers": [PUSH_FINALIZER]}
    elsewhere = [{"name": "another"}]
    situation = begun(push_secret(deletionPolicy="Delete", recorded=recorded, metadata=keeping))
    view = situation.stores(guarded())
    situation.push(
        push_secret(deletionPolicy="Delete", recorded=recorded, metadata=keeping, secretStoreRefs=elsewhere)
    )
    assert not [one for one in situation.woken() if one[2] == "unneeded"]
    assert situation.triggers.needs(view)
    situation.push(push_secret(deletionPolicy="Delete", metadata=keeping, secretStoreRefs=elsewhere))
    assert (STORE, Lane.CHANGE, "unneeded") in situation.woken()
    assert not situation.triggers.needs(view)


def test_a_store_that_nobody_guards_is_not_woken() -> None:
    situation = begun(push_secret(deletionPolicy="Delete"))
    situation.unpush()
    assert situation.woken() == []


def test_stores_that_were_chosen_by_label_are_woken_when_nobody_chooses_them() -> None:
    situation = begun(
        push_secret(
            deletionPolicy="Delete", secretStoreRefs=STORES_BY_LABEL, recorded=["SecretStore/infisical"]
        )
    )
    view = situation.stores(guarded(team="red"))
    other = situation.stores(guarded("blue", team="blue"))
    assert situation.triggers.needs(view)
    assert not situation.triggers.needs(other)
    situation.woken()
    situation.unpush()
    assert situation.woken() == change("unneeded", STORE)
    assert not situation.triggers.needs(view)
