"""What conditions and events say: what failed, where, and what to do. Made from a report's facts alone.

A server's own text is never quoted: it may repeat what was sent.
"""

from collections.abc import Callable

from adapters.resources.rules import ALL_RULES
from adapters.resources.times import time_text
from machines.effects import Report, Verdict
from machines.names import FieldPath
from machines.outcomes import (
    Failure,
    NotOurs,
    StoreFacts,
    StoreState,
    Unavailable,
)
from reconciler.failure_texts import failure_text, scope_text
from reconciler.push_references import ABANDON

_RULES = {rule.name: rule for rule in ALL_RULES}

SYNCED = "secret synced"
RETAINED = "secret retained due to DeletionPolicy=Retain"
VALID = "store validated"
PUSHED = "PushSecret synced successfully"


def message_of(report: Report) -> str:
    """The message of a report's condition."""
    return _VERDICTS[report.verdict](report)


def _store(report: Report) -> StoreFacts | None:
    return (
        report.stores[report.store]
        if report.store is not None and report.store < len(report.stores)
        else None
    )


def _name(store: StoreFacts | None) -> str:
    return f"{store.kind} {store.name}" if store else "the store"


def _failed(report: Report) -> str:
    assert report.failure is not None
    store = _store(report)
    text = failure_text(report.failure, store)
    told = report.target is not None or report.pushes
    where = f"{_name(store)}: " if store is not None and told else ""
    if report.failed > 1:
        text = f"{report.failed} entries failed, the first one: {text}"
    kept = _kept(report) if isinstance(report.failure, Unavailable) else ""
    return f"{where}{text}{kept}{_way_out(report)}"


def _way_out(report: Report) -> str:
    """Of what is being deleted and cannot clean up: it, and a namespace that goes with it, need not wait for ever."""
    if not (report.leaving and report.pushes):
        return ""
    return f'. It goes when what it pushed is deleted; the annotation {ABANDON}: "true" gives up what is left there'


def _kept(report: Report) -> str:
    """Of when the data is that stays; a time that does not change while it stays."""
    if report.last_good is not None and report.pushes:
        return f"; all was as it should be at {time_text(report.last_good)}"
    if report.last_good is None:
        return ""
    return f"; the Secret keeps what was read at {time_text(report.last_good)}"


def _keys_absent(report: Report) -> str:
    named = ", ".join(f'"{absent.key}" in folder {absent.folder}' for absent in report.absent[:10])
    more = f" and {len(report.absent) - 10} more" if len(report.absent) > 10 else ""
    scope = scope_text(_store(report) or (report.stores[0] if report.stores else None))
    return (
        f"not found at Infisical: {named}{more}{scope}; create it there or mend remoteRef.key. "
        "The target Secret is left as it is"
    )


def _store_unusable(report: Report) -> str:
    store = _store(report)
    if store is not None and store.state is StoreState.EXCLUDING:
        return f"{_name(store)} does not admit this namespace: see its spec.conditions, or use another store"
    return f"{_name(store)} is of another provider than infisical, which cannot be mixed with it here"


def _store_not_ready(report: Report) -> str:
    store = _store(report)
    if store is None or store.state is StoreState.UNVALIDATED:
        return f"{_name(store)} is not validated yet; this is tried again when it is ready"
    reason = store.reason.value if store.reason else "no reason given"
    return (
        f"{_name(store)} is not ready ({reason}): its own condition says why; this is tried again when it is ready"
        f"{_kept(report)}"
    )


def _target_foreign(report: Report) -> str:
    target, failure = report.target, report.failure
    kind = target.owner_kind if target else None
    name = target.owner_name if target else None
    if isinstance(failure, NotOurs) and failure.owner_kind:
        kind, name = failure.owner_kind, failure.owner_name
    owner = f"{kind} {name}" if kind else "another controller"
    where = target.name if target else ""
    return f'the target Secret "{where}" belongs to {owner}; choose another spec.target.name, or delete that owner'


def _pushed(report: Report) -> str:
    return f"{PUSHED}. Existing secrets in providers unchanged." if report.keeps_existing else PUSHED


def _pending(report: Report) -> str:
    changes = "1 change waits" if report.pending == 1 else f"{report.pending} changes wait"
    return f"{changes} for a person's approval at Infisical; filed once, and not again until the wanted value changes"


def _source(report: Report) -> str:
    return f'the source Secret "{report.source}"' if report.source else "a Secret that spec.selector chooses"


def _owing(report: Report) -> str:
    store = _store(report)
    gone = store is None or store.state is StoreState.ABSENT
    why = "does not exist (any more)" if gone else "cannot be used from this namespace"
    return (
        f"what was pushed to {_name(store)} cannot be deleted: the store {why}. Bring it back, or give up what is left "
        f'there by the annotation {ABANDON}: "true"'
    )


def _rules_broken(report: Report) -> str:
    told = [f"{broken.path}: {_RULES[broken.rule].message}" for broken in report.rules]
    told += [f"{path}: cannot be read, or must be given" for path in report.fields]
    return "; ".join(told)


def _unsupported(report: Report) -> str:
    if not report.fields:
        return "this kind is not supported by this controller yet; the resource is left as it is"
    return f"not supported by this controller yet: {_listed(report.fields)}; take it out, or use another controller"


def _listed(fields: tuple[FieldPath, ...]) -> str:
    return ", ".join(fields)


def _standing(report: Report) -> str:
    since = report.failing_since if report.failing_since is not None else report.now
    assert since is not None
    assert report.failure is not None
    text = failure_text(report.failure, _store(report))
    return (
        f"{text}, since {time_text(since)}; until then the store was usable, and counts as such for a while"
    )


def _unknown(report: Report) -> str:
    if report.failure is None:
        return (
            "the credentials are read in the namespace of each resource that uses this store, "
            "so that it cannot be validated here"
        )
    return (
        "the login works, but whether secrets can be read is not known: the identity may not read every name in "
        f"{_folder(report.failure)}{scope_text(_store(report))}; a resource that is refused says so itself"
    )


def _folder(failure: Failure) -> str:
    folder = getattr(failure, "folder", None)
    return f"folder {folder}" if folder else "the store's secretsPath"


_VERDICTS: dict[Verdict, Callable[[Report], str]] = {
    Verdict.SYNCED: lambda report: _pushed(report) if report.pushes else SYNCED,
    Verdict.PENDING: _pending,
    Verdict.SOURCE_ABSENT: lambda report: (
        f"{_source(report)} does not exist: create it; this is tried again when it appears"
    ),
    Verdict.SOURCE_DELETED: lambda report: (
        f"{_source(report)} does not exist; what was pushed of it is deleted"
    ),
    Verdict.OWING: _owing,
    Verdict.RETAINED: lambda report: RETAINED,
    Verdict.KEYS_ABSENT: _keys_absent,
    Verdict.STORE_ABSENT: lambda report: (
        f"{_name(_store(report))} does not exist: create it, or mend secretStoreRef; "
        "this is tried again when it appears"
    ),
    Verdict.STORE_UNUSABLE: _store_unusable,
    Verdict.STORE_NOT_READY: _store_not_ready,
    Verdict.TARGET_FOREIGN: _target_foreign,
    Verdict.RULES_BROKEN: _rules_broken,
    Verdict.UNSUPPORTED: _unsupported,
    Verdict.FAILED: _failed,
    Verdict.VALID: lambda report: VALID,
    Verdict.UNKNOWN: _unknown,
    Verdict.STANDING: _standing,
}
