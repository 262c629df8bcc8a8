"""Which handler performs which effect: a line for each. A new effect is a module and a line here."""

from machines.effects import (
    Apply,
    Authenticate,
    DeleteFormerTarget,
    Fetch,
    ObserveExternalSecret,
    ObserveKind,
    ObserveStore,
    Probe,
    Release,
    RemoveFinalizer,
    Render,
    Report,
    ResolveProject,
)
from machines.push_effects import (
    AddFinalizer,
    Compare,
    Gather,
    GuardStore,
    ObservePushSecret,
    Prune,
    Push,
    Record,
)
from reconciler.driver import Performer
from reconciler.effects.apply import Applier, FormerTargetDeleter
from reconciler.effects.fetch import Fetcher, Prober
from reconciler.effects.finalizers import FinalizerAdder, FinalizerRemover, StoreGuard
from reconciler.effects.gather import Gatherer
from reconciler.effects.login import Authenticator, ProjectResolver, Releaser
from reconciler.effects.observe_external_secret import ExternalSecretObserver
from reconciler.effects.observe_push_secret import PushSecretObserver
from reconciler.effects.observe_store import KindObserver, StoreObserver
from reconciler.effects.push import Comparer, Pruner, Pusher
from reconciler.effects.record import Recorder
from reconciler.effects.render import render
from reconciler.effects.report import Reporter
from reconciler.surroundings import Surroundings


def performer(surroundings: Surroundings) -> Performer:
    """All handlers, at work in these surroundings."""
    return Performer(
        {
            ObserveExternalSecret: ExternalSecretObserver(surroundings),
            ObservePushSecret: PushSecretObserver(surroundings),
            ObserveStore: StoreObserver(surroundings),
            ObserveKind: KindObserver(surroundings),
            Authenticate: Authenticator(surroundings),
            ResolveProject: ProjectResolver(surroundings),
            Release: Releaser(surroundings),
            Fetch: Fetcher(surroundings),
            Probe: Prober(surroundings),
            Render: render,
            Apply: Applier(surroundings),
            DeleteFormerTarget: FormerTargetDeleter(surroundings),
            Gather: Gatherer(surroundings),
            AddFinalizer: FinalizerAdder(surroundings),
            GuardStore: StoreGuard(surroundings),
            Compare: Comparer(surroundings),
            Record: Recorder(surroundings),
            Push: Pusher(surroundings),
            Prune: Pruner(surroundings),
            RemoveFinalizer: FinalizerRemover(surroundings),
            Report: Reporter(surroundings),
        }
    )
