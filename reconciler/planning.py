"""`plan`: the same runs as a controller's, with what writes answered by a recorder, so that nothing is written anywhere."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from adapters import cluster as results
from adapters.cluster import Cluster, Done, Kind, Written
from adapters.infisical.hosts import Connect
from adapters.journal import Subject
from adapters.read_only import ReadOnlyCluster
from adapters.resources.kinds import (
    CLUSTER_SECRET_STORE,
    EXTERNAL_SECRET,
    NAMESPACE,
    PUSH_SECRET,
    SECRET,
    SECRET_STORE,
)
from machines.effects import Apply, DeleteFormerTarget, Effect, RemoveFinalizer, Report, Verdict, Writes
from machines.kernel import End
from machines.names import FieldPath
from machines.outcomes import (
    Absent,
    Applied,
    Change,
    Conflict,
    NotOurs,
    Outcome,
    Refused,
)
from machines.push_effects import AddFinalizer, GuardStore
from machines.push_outcomes import Compared
from reconciler.assembly import Options
from reconciler.controller import subjects_of
from reconciler.effects.cluster_failures import unreadable
from reconciler.foresight import as_if_done, as_if_due
from reconciler.looking import Onlooker
from reconciler.messages import message_of
from reconciler.payload import ExternalSecretPayload, Payload, PushSecretPayload
from reconciler.planned import Action, Planned, planned_pushes, planned_secret

PLANNED = (EXTERNAL_SECRET, PUSH_SECRET)
_STORES = (SECRET_STORE, CLUSTER_SECRET_STORE)
_WHOLE_RUN = 24 * 3600.0  # seconds: leases are held until the end, so that all runs share a login


class Outlook(msgspec.Struct, frozen=True):
    """What would become of one resource: changes in their order, and what would be said of it where it is not well."""

    subject: Subject
    planned: tuple[Planned, ...] = ()
    error: str = ""
    remark: str = ""


class PretendingCluster(ReadOnlyCluster):
    """Takes a store's status as an API server would, and keeps it to itself: what uses the store is planned as if its
    status stood there. Any other write is refused."""

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
        if kind not in _STORES:
            return await super().patch_status(kind, namespace, name, status, manager, version=version)
        found = await self.get(kind, namespace, name)
        if not isinstance(found, Done) or found.object is None:
            return found
        object = found.object
        known = object["metadata"].get("resourceVersion", "")
        after = str(int(known) + 1) if known.isdigit() else known
        return Done(
            {
                **object,
                "metadata": {**object["metadata"], "resourceVersion": after},
                "status": {**(object.get("status") or {}), **status},
            }
        )


class Planner(Onlooker):
    """An onlooker whose runs go on to their end, and whose writes are recorded instead of performed."""

    def __init__(self, cluster: Cluster, connect: Connect, options: Options) -> None:
        super().__init__(
            PretendingCluster(cluster), connect, msgspec.structs.replace(options, linger=_WHOLE_RUN)
        )
        self._recorded: dict[Subject, dict[object, tuple[Planned, ...]]] = {}
        self._reports: dict[Subject, Report] = {}

    async def perform(self, effect: Effect, payload: Any) -> Outcome:
        """The outcome of one effect; of one that writes, that of its success."""
        if isinstance(effect, Report):
            self._reports[payload.subject] = effect
            if payload.kind in _STORES:
                return await super().perform(effect, payload)  # to the pretending cluster
        if effect.writes is not Writes.NOWHERE:
            return await self._answered(effect, payload)
        outcome = as_if_due(await super().perform(effect, payload))
        if isinstance(outcome, Compared):
            number = effect.store  # type: ignore[attr-defined]  # only Compare gives it
            self._record(payload, ("store", number), *planned_pushes(payload, number))
        return outcome

    def _record(self, payload: Payload, key: object, *planned: Planned) -> None:
        """Keep what would be changed; once more under the same key replaces what was kept."""
        self._recorded.setdefault(payload.subject, {})[key] = planned

    async def _answered(self, effect: Effect, payload: Any) -> Outcome:
        match effect:
            case Apply():
                return await self._applied(effect, payload)
            case DeleteFormerTarget(target=target):
                view = self.surroundings.views.managed.get((payload.subject.namespace, target))
                if view is None:
                    return Absent()
                if view.owner_uid != payload.object["metadata"]["uid"]:
                    return NotOurs()
                self._record(payload, "former", Planned(Action.REMOVE, f"Secret {target}"))
            case AddFinalizer():
                self._record(
                    payload, "finalizer", Planned(Action.CHANGE, str(payload.subject), ("+ finalizer",))
                )
            case RemoveFinalizer():
                self._record(
                    payload, "finalizer", Planned(Action.CHANGE, str(payload.subject), ("- finalizer",))
                )
            case GuardStore(store=number):
                self._guard(payload, number)
        return as_if_done(effect)

    def _guard(self, payload: PushSecretPayload, number: int) -> None:
        reference = payload.references[number]
        planned = Planned(Action.CHANGE, f"{reference.kind} {reference.name}", ("+ finalizer",))
        self._record(payload, ("guard", number), planned)

    async def _applied(self, effect: Apply, payload: ExternalSecretPayload) -> Outcome:
        """As an apply would be answered, by what the target is now."""
        answer = await self.cluster.get(SECRET, payload.subject.namespace, effect.target)
        observed = answer.object if isinstance(answer, Done) else None
        if not isinstance(answer, Done | results.Absent):
            return unreadable(answer)
        version = observed["metadata"]["resourceVersion"] if observed is not None else None
        if effect.version is not None and version != effect.version:
            return Conflict()
        desired = payload.desired
        assert desired is not None
        if observed is not None and observed.get("type", "Opaque") != desired.get("type", "Opaque"):
            return Refused(field=FieldPath("type"))
        if observed is not None and observed.get("immutable") and observed.get("data") != desired["data"]:
            return Refused(field=FieldPath("data"))
        planned = planned_secret(payload, observed)
        if planned is None:
            return Applied(change=Change.UNCHANGED)
        self._record(payload, "target", planned)
        return Applied(change=Change.CREATED if observed is None else Change.UPDATED)

    # --- the whole plan --------------------------------------------------------------------------------------

    async def plan(self, tell: Callable[[str], None]) -> tuple[Outlook, ...]:
        """Look, run stores and then all else once, and say what would become of each. Raises CannotLook.

        A store that would not be ready is told too. Every token is given back at the end.
        """
        try:
            await self.look((NAMESPACE, SECRET, *_STORES, *PLANNED), needed=(SECRET, *_STORES, *PLANNED))
            if self.unseen:
                tell(
                    "you may not list namespaces: a store that admits them by their labels admits none of them here"
                )
            stores, others = subjects_of(self, _STORES), subjects_of(self, PLANNED)
            ends = await self._run(stores)
            ends |= await self._run(others)
        finally:
            await self.stop()
        return tuple(
            outlook
            for subject in (*stores, *others)
            if (outlook := self._outlook(subject, ends[subject])).error or subject in others
        )

    async def _run(self, subjects: Sequence[Subject]) -> dict[Subject, End]:
        since = asyncio.get_running_loop().time()
        places = asyncio.Semaphore(self.options.concurrency)

        async def one(subject: Subject) -> End:
            async with places:
                return (await self.run_once(subject, since))[0]

        return dict(zip(subjects, await asyncio.gather(*map(one, subjects)), strict=True))

    def _outlook(self, subject: Subject, end: End) -> Outlook:
        planned = tuple(one for several in self._recorded.get(subject, {}).values() for one in several)
        report = self._reports.get(subject)
        is_well = end.good or (report is not None and report.verdict is Verdict.SOURCE_DELETED)
        waits = f"a run would come to nothing yet ({end.name})"
        told = message_of(report) if report is not None else waits
        return Outlook(subject, planned, "" if is_well else told, _REMARKS.get(end.name, ""))


_REMARKS = {
    "passed_over": "left alone: it belongs to another controller or provider",
    "gone": "is being deleted",
    "idle": "is not refreshed by itself, and has not changed",
    "pending": "a change waits for a person at Infisical",
}
