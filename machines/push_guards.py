"""The questions that the table of a PushSecret asks of what a run was told. See `machines.push_secret`."""

from machines.external_secret import company_window
from machines.kernel import Run
from machines.outcomes import (
    StoreState,
)
from machines.push_facts import USABLE, Facts


class PushSecretRun(Run[Facts]):
    """The guards: each a question about the facts, answered by the facts alone."""

    __slots__ = ()

    def _named(self, *states: StoreState) -> bool:
        """The spec names a store in one of these states."""
        seen = self.facts.seen
        return any(
            named and store.state in states for named, store in zip(seen.named, seen.stores, strict=True)
        )

    def _waits_for(self, *states: StoreState) -> bool:
        """A store in one of these states holds back what goes to it."""
        stores = enumerate(self.facts.seen.stores)
        return any(store.state in states and self.facts.waits(number) for number, store in stores)

    # --- of the resource ---

    def is_not_ours(self) -> bool:
        """It uses, and has used, nothing but stores of another class or provider."""
        stores = self.facts.seen.stores
        return bool(stores) and all(
            store.state in (StoreState.FOREIGN, StoreState.OTHER_PROVIDER) for store in stores
        )

    def is_leaving_freely(self) -> bool:
        """It is being deleted, and does not wait for us."""
        return self.facts.seen.deleting and not self.facts.seen.finalizer

    def is_leaving_without_debts(self) -> bool:
        """It is being deleted, and nothing that it pushed has to be deleted."""
        seen = self.facts.seen
        return seen.deleting and (not seen.deletes or seen.abandons or not any(seen.recorded))

    def is_leaving(self) -> bool:
        """It is being deleted."""
        return self.facts.seen.deleting

    def breaks_rules(self) -> bool:
        """Its manifest breaks a rule, or has fields that cannot be read."""
        return bool(self.facts.seen.broken_rules or self.facts.seen.malformed)

    def is_unsupported(self) -> bool:
        """It asks for something that is not built."""
        return bool(self.facts.seen.unsupported)

    def has_a_needless_finalizer(self) -> bool:
        """Nothing that it pushes shall be deleted, so that it need not wait for us."""
        return self.facts.seen.finalizer and not self.facts.seen.deletes

    def is_not_due(self) -> bool:
        """Nothing asks for a run: neither a change, nor the time, nor the source, nor a store, nor a failure."""
        seen = self.facts.seen
        if seen.failed or seen.strangers or seen.source_changed or not seen.source_there:
            return False
        if seen.synced is None or seen.refreshed is None or seen.synced != seen.wanted:
            return False
        if seen.deletes and any(seen.recorded) and not seen.finalizer:
            return False
        if seen.deletes and not all(
            guarded or not recorded for guarded, recorded in zip(seen.guarded, seen.recorded, strict=True)
        ):
            return False
        due = seen.refreshed + seen.interval - company_window(seen.interval)
        return seen.interval == 0 or seen.refreshed <= seen.now < due

    def shall_delete(self) -> bool:
        """What was pushed of a source that is gone shall be deleted."""
        seen = self.facts.seen
        return seen.deletes and not seen.abandons and any(seen.recorded)

    def deletes_what_was_pushed(self) -> bool:
        """Its policy is to delete, and nothing is left to be deleted."""
        return self.facts.seen.deletes

    def lacks_the_finalizer(self) -> bool:
        """What it is about to push, or has pushed, shall be deleted with it."""
        seen = self.facts.seen
        return seen.deletes and not seen.finalizer and (any(self.facts.entries) or any(seen.recorded))

    # --- of the store whose turn it is ---

    def next_store_lacks_its_guard(self) -> bool:
        """What is, or will be, at the next store shall be deleted, which needs the store."""
        facts = self.facts
        return self.has_another_store() and facts.seen.deletes and not facts.seen.guarded[facts.store]

    def has_another_store(self) -> bool:
        """There is work at a store that had no turn yet."""
        return self.facts.store < len(self.facts.entries)

    def was_refused_once(self) -> bool:
        """The first time that this store's lease was refused: one new login is worth it."""
        return self.facts.refusals == 1

    def knew_the_project_by_heart(self) -> bool:
        """The project's ID was remembered: it may be stale, and asking once more is worth it."""
        return self.facts.cached is True

    def owes_to_a_project_that_is_gone(self) -> bool:
        """No project has this store's slug, and all that is to be done there is to delete what was in it."""
        return self.facts.project_gone

    def must_record_first(self) -> bool:
        """Something will be written that is not in the record."""
        compared = self.facts.compared
        return compared is not None and compared.grows and compared.writes > 0

    def has_something_to_push(self) -> bool:
        """A secret is to be created or updated."""
        return self.facts.compared is not None and self.facts.compared.writes > 0

    def has_something_to_prune(self) -> bool:
        """A secret is to be deleted, and that is the policy."""
        seen, compared = self.facts.seen, self.facts.compared
        return compared is not None and compared.deletions > 0 and seen.deletes and not seen.abandons

    # --- of the end ---

    def has_failed(self) -> bool:
        """Something failed at some store."""
        return self.facts.failure is not None

    def misses_a_store(self) -> bool:
        """A store that its spec names is not there."""
        return not self.facts.withdrawn and self._named(StoreState.ABSENT)

    def has_an_excluding_store(self) -> bool:
        """A store that its spec names does not admit this namespace."""
        return not self.facts.withdrawn and self._named(StoreState.EXCLUDING)

    def waits_for_a_first_verdict(self) -> bool:
        """All that holds it back is that stores were never judged, which takes a moment: no reason to tell yet."""
        return (
            self.waits_for_a_store()
            and not self._waits_for(StoreState.NOT_READY)
            and self.facts.seen.failures == 0
        )

    def waits_for_a_store(self) -> bool:
        """A store is not ready, and the controller holds back what uses such stores."""
        return self._waits_for(StoreState.UNVALIDATED, StoreState.NOT_READY)

    def owes_beyond_reach(self) -> bool:
        """Something shall be deleted at a store that is gone for good, or closed to this namespace."""
        stores = self.facts.seen.stores
        return any(
            owed > 0 and store.state not in USABLE
            for owed, store in zip(self.facts.owed, stores, strict=True)
        )

    def awaits_approval(self) -> bool:
        """A change waits for a person at Infisical."""
        return self.facts.pending > 0

    def lost_its_source(self) -> bool:
        """The source is gone, and what was pushed of it is deleted."""
        return self.facts.source_gone
