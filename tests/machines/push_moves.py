"""What others do to the world around a PushSecret meanwhile, and in what worlds it may find itself."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from tests.machines.push_world import (
    ENTRIES,
    NEITHER,
    Act,
    Content,
    Infisical,
    PushWorld,
    Remote,
    Resource,
    Store,
    Under,
    changed,
    put,
    refiled,
)
from tests.machines.world import Memory

Move = Callable[[PushWorld], PushWorld]


def _with(**fields: Any) -> Move:
    def move(world: PushWorld) -> PushWorld:
        return world._replace(resource=world.resource._replace(**fields)) if world.resource.exists else world

    return move


def _deleted(world: PushWorld) -> PushWorld:
    gone = not world.resource.finalizer
    return _with(exists=False)(world) if gone else _with(deleting=True)(world)


def _toggled(entry: int) -> Move:
    def move(world: PushWorld) -> PushWorld:
        resource = world.resource
        wanted = changed(resource.wanted, entry, not resource.wanted[entry])
        filed = refiled(resource.filed, entry, None)
        return _with(wanted=wanted, filed=filed)(world)

    return move


def _source_changes(world: PushWorld) -> PushWorld:
    """What was right is old now, also what a run under way has read."""

    def aged(content: Content | None) -> Content | None:
        return Content.OLD if content is Content.RIGHT else content

    first, second = (remote._replace(content=aged(remote.content)) for remote in world.remotes)
    value = Content.OLD if world.run.acts is not None else world.run.value
    return _with(filed=(None, None))(world)._replace(
        remotes=(first, second), known=False, run=world.run._replace(value=value)
    )


def _of_first_store(change: Callable[[Store], Store]) -> Move:
    return lambda world: world._replace(stores=(change(world.stores[0]), world.stores[1]))


def _emptied(world: PushWorld) -> PushWorld:
    return world._replace(remotes=(Remote(), Remote()), project=stale(world.project))


def _approved(world: PushWorld) -> PushWorld:
    """A person approved all that was filed, and no more is asked for it."""
    run = world.run
    for entry in ENTRIES:
        acts = (
            run.acts[entry] if run.acts is not None and run.marked[entry] else None,
            world.resource.filed[entry],
        )
        if Act.WANT in acts:
            world = put(world, entry, Remote(Content.RIGHT, ours=True))
        elif Act.OWE in acts:
            world = put(world, entry, Remote())
    return world._replace(infisical=Infisical.FINE)


def stale(memory: Memory) -> Memory:
    return Memory.STALE if memory is Memory.GOOD else memory


MOVES: dict[str, Move] = {
    "the resource is deleted": _deleted,
    "its first entry is taken out or put back": _toggled(0),
    "its second entry is taken out or put back": _toggled(1),
    "its policy changes": lambda world: _with(deletes=not world.resource.deletes)(world),
    "what is left is given up": _with(abandons=True),
    "the source changes": _source_changes,
    "the source is deleted": lambda world: world._replace(source=False),
    "the source appears": lambda world: world._replace(source=True, known=world.known and world.source),
    "a store is deleted": _of_first_store(
        lambda store: store._replace(deleting=store.guarded, there=store.guarded and store.there)
    ),
    "a store is gone for good": _of_first_store(lambda store: Store(there=False)),
    "a store is not ready": _of_first_store(lambda store: store._replace(ready=False)),
    "a store is as it should be": _of_first_store(
        lambda store: store._replace(there=True, ready=True, deleting=store.deleting and store.there)
    ),
    "somebody changes it at Infisical": lambda world: put(
        world, 0, world.remotes[0]._replace(content=Content.OTHERS)
    ),
    "somebody deletes it at Infisical": lambda world: put(world, 0, Remote()),
    "the token is revoked": lambda world: world._replace(lease=stale(world.lease)),
    "the project is made anew": _emptied,
    "the project is gone": lambda world: _emptied(world)._replace(infisical=Infisical.EMPTY),
    "Infisical falls silent": lambda world: world._replace(infisical=Infisical.SILENT),
    "a person approves": _approved,
}


def died(world: PushWorld) -> PushWorld:
    """The process is another: it remembers nothing."""
    return world._replace(known=False, lease=Memory.NONE, project=Memory.NONE, tried=False, run=Under())


RECORDS = (
    (NEITHER, (Remote(), Remote())),
    ((True, True), (Remote(Content.RIGHT, ours=True), Remote(Content.OLD, ours=True))),
    ((True, True), (Remote(Content.OLD, ours=True), Remote(Content.RIGHT, ours=True))),
    ((True, False), (Remote(), Remote(Content.OTHERS))),
    ((False, True), (Remote(Content.RIGHT), Remote(Content.OTHERS, ours=True))),
)
"""What is on record, and what is at Infisical: nothing, all, and what a crash or somebody else left."""

ROWS_OF_STORES = (
    (Store(), Store()),
    (Store(guarded=True), Store(guarded=True)),
    (Store(there=False), Store(guarded=True)),
    (Store(guarded=True, ready=False), Store()),
    (Store(guarded=True, deleting=True), Store(guarded=True)),
)


def worlds() -> Iterator[PushWorld]:
    """Every world that differs in the cluster or at Infisical, with a fresh process; and every process, in some."""
    beings = (
        *((False, False, False), (False, False, True), (False, True, True), (False, True, False)),
        *((True, True, True), (True, True, False)),
    )
    cluster = [
        PushWorld(
            resource=Resource(
                deleting=deleting,
                finalizer=finalizer,
                deletes=deletes,
                wanted=wanted,
                recorded=recorded,
                synced=synced,
                lately=synced is not None,
            ),
            remotes=remotes,
            known=synced is not None,
        )
        for (deleting, finalizer, deletes), wanted, (recorded, remotes), synced in product(
            beings,
            ((True, True), (True, False), (False, False)),
            RECORDS,
            (None, ((True, True), True), ((True, False), False)),
        )
    ]
    for world, stores, apart, infisical, source in product(
        cluster, ROWS_OF_STORES, (False, True), Infisical, (True, False)
    ):
        empty = infisical is Infisical.EMPTY
        yield world._replace(
            stores=stores,
            apart=apart,
            infisical=infisical,
            source=source,
            remotes=(Remote(), Remote()) if empty else world.remotes,
        )
    for world, lease, project, abandons in product(cluster[::3], Memory, Memory, (False, True)):
        resource = world.resource._replace(abandons=abandons)
        yield world._replace(resource=resource, lease=lease, project=project, apart=True)
