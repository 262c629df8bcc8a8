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
from reconciler.driver import Performer
from reconciler.effects.apply import Applier, FinalizerRemover, FormerTargetDeleter
from reconciler.effects.fetch import Fetcher, Prober
from reconciler.effects.login import Authenticator, ProjectResolver, Releaser
from reconciler.effects.observe_external_secret import ExternalSecretObserver
from reconciler.effects.observe_store import KindObserver, StoreObserver
from reconciler.effects.render import render
from reconciler.effects.report import Reporter
from reconciler.surroundings import Surroundings


def performer(surroundings: Surroundings) -> Performer:
    """All handlers, at work in these surroundings."""
    return Performer(
        {
            ObserveExternalSecret: ExternalSecretObserver(surroundings),
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
            RemoveFinalizer: FinalizerRemover(surroundings),
            Report: Reporter(surroundings),
        }
    )
