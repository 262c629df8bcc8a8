"""What conditions and events say: what failed, where, and what to do. Made from a report's facts alone.

A server's own text is never quoted: it may repeat what was sent.
"""

from collections.abc import Callable

from adapters.resources.rules import ALL_RULES
from adapters.resources.times import time_text
from machines.effects import Report, Verdict
from machines.names import FieldPath
from machines.outcomes import (
    Absent,
    Conflict,
    Denial,
    Denied,
    Failure,
    Fault,
    Invalid,
    LeaseRefused,
    Missing,
    NotOurs,
    ProjectGone,
    Refused,
    Service,
    StoreFacts,
    StoreState,
    Thing,
    Trouble,
    Unavailable,
)

_RULES = {rule.name: rule for rule in ALL_RULES}

SYNCED = "secret synced"
RETAINED = "secret retained due to DeletionPolicy=Retain"
VALID = "store validated"


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
    where = f"{_name(store)}: " if store is not None and report.target is not None else ""
    return f"{where}{text}{_kept(report) if isinstance(report.failure, Unavailable) else ''}"


def _kept(report: Report) -> str:
    """Of when the data is that stays; a time that does not change while it stays."""
    if report.last_good is None:
        return ""
    return f"; the Secret keeps what was read at {time_text(report.last_good)}"


def _keys_absent(report: Report) -> str:
    named = ", ".join(f'"{absent.key}" in folder {absent.folder}' for absent in report.absent[:10])
    more = f" and {len(report.absent) - 10} more" if len(report.absent) > 10 else ""
    scope = _scope(_store(report) or (report.stores[0] if report.stores else None))
    return (
        f"not found at Infisical: {named}{more}{scope}; create it there or mend remoteRef.key. "
        "The target Secret is left as it is"
    )


def _scope(store: StoreFacts | None) -> str:
    if store is None or store.project is None or store.environment is None:
        return ""
    return f' (project "{store.project}", environment "{store.environment}")'


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
        f"{_folder(report.failure)}{_scope(_store(report))}; a resource that is refused says so itself"
    )


def _folder(failure: Failure) -> str:
    folder = getattr(failure, "folder", None)
    return f"folder {folder}" if folder else "the store's secretsPath"


_VERDICTS: dict[Verdict, Callable[[Report], str]] = {
    Verdict.SYNCED: lambda report: SYNCED,
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


def failure_text(failure: Failure, store: StoreFacts | None) -> str:
    """One failure, as a sentence without a full stop."""
    host = store.host if store and store.host else "Infisical"
    match failure:
        case Unavailable():
            return _unavailable(failure, host)
        case Denied():
            return _denied(failure, store, host)
        case Missing():
            return _missing(failure, store, host)
        case Invalid():
            return _invalid(failure)
        case Refused():
            return _refused(failure)
        case Conflict():
            return "others keep changing the object at the same time; find out who writes to it"
        case Absent():
            return "the object is gone"
        case NotOurs():
            return "the object belongs to somebody else"
        case LeaseRefused():
            return f"{host} takes no token of this identity, not even a fresh one: check its trusted addresses and uses"
        case ProjectGone():
            return f"{host} no longer has the project{_scope(store)}: check projectSlug"


_CANNOT_CHANGE = {
    "type": "the Secret that is there has another type, which cannot be changed",
    "data": "the Secret that is there is immutable, and its data cannot be changed",
}


def _refused(failure: Refused) -> str:
    if not failure.webhook and failure.field in _CANNOT_CHANGE:
        return f"{_CANNOT_CHANGE[failure.field]}: delete it, so that it is made anew, or choose another spec.target.name"
    by = "an admission webhook or policy" if failure.webhook else "the API server"
    at = f" because of {failure.field}" if failure.field else ""
    return f"{by} refuses the object{at}: see its rules for this namespace"


_TROUBLES: dict[Trouble, str] = {
    Trouble.REFUSED: "refuses connections: is it running, and is hostAPI right?",
    Trouble.UNRESOLVED: "has a name that cannot be resolved: check hostAPI and DNS",
    Trouble.TIMED_OUT: "does not answer in time",
    Trouble.BROKEN: "breaks connections off before its answer is complete",
    Trouble.UNTRUSTED: "shows a TLS certificate that is not trusted: set caBundle or caProvider",
    Trouble.WRONG_HOST: "shows a TLS certificate for another host name: check hostAPI",
    Trouble.EXPIRED_CERTIFICATE: "shows a TLS certificate that has expired: renew it",
    Trouble.TOO_LARGE: "gives an answer that is too large (over 32 MiB): spread the secrets over several folders",
    Trouble.REDIRECTED: "redirects, which is not followed with credentials: set hostAPI to the final address",
    Trouble.LIMITED: "limits requests (429)",
    Trouble.FAULT: "has an internal fault",
    Trouble.NOT_INFISICAL: "does not answer as Infisical does: check hostAPI and any proxy in between",
    Trouble.LOCKED: "has locked this login for a while, after wrong credentials",
}


_CLUSTER_ADVICE: dict[int, str] = {
    401: ": it does not take the controller's token; check its service account",
    429: ": it limits requests; this is tried again when it said",
    500: ": has an admission webhook failed? this is tried again",
}


def _unavailable(failure: Unavailable, host: str) -> str:
    if failure.service is Service.CLUSTER:
        status = f" (HTTP {failure.status})" if failure.status else ""
        return f"the Kubernetes API server cannot be used just now{status}{_CLUSTER_ADVICE.get(failure.status, '')}"
    status = f" (HTTP {failure.status})" if failure.status and failure.why is Trouble.FAULT else ""
    return f"{host} {_TROUBLES[failure.why]}{status}"


def _denied(failure: Denied, store: StoreFacts | None, host: str) -> str:
    place = f' "{failure.key}"' if failure.key else ""
    folder = f" in folder {failure.folder}" if failure.folder else ""
    texts = {
        Denial.CREDENTIALS: f"{host} refuses the credentials: check the Secret that the store's auth block names",
        Denial.IDENTITY: f"{host} knows no such identity, or its login method is not enabled: check the credentials",
        Denial.MEMBERSHIP: f"the identity is no member of the project{_scope(store)}: add it in Infisical",
        Denial.READ: f"the identity may not read{place or ' secrets'}{folder}{_scope(store)}: "
        "give it the right in Infisical",
        Denial.VALUE: f"the identity may see that{place or ' a secret'}{folder} exists, but not its value"
        f"{_scope(store)}: give it the right in Infisical",
        Denial.REFERENCE: f"a reference in{place or ' a secret'}{folder} leads to what the identity may not read"
        f"{_scope(store)}",
        Denial.CLUSTER: f"the controller may not {failure.verb} {failure.resource}: check its ClusterRole",
    }
    return texts[failure.what]


def _missing(failure: Missing, store: StoreFacts | None, host: str) -> str:
    at = f"{failure.namespace}/{failure.name}" if failure.namespace else f"{failure.name}"
    project = f'"{store.project}"' if store and store.project else ""
    environment = f'"{store.environment}"' if store and store.environment else ""
    texts = {
        Thing.PROJECT: f"{host} has no project {project}: check projectSlug",
        Thing.ENVIRONMENT: f"project {project} has no environment {environment}: check environmentSlug",
        Thing.FOLDER: f"there is no folder {failure.folder}{_scope(store)}: create it, or check secretsPath and "
        "environmentSlug",
        Thing.ROUTE: f"{host} does not know the request: is it an Infisical server, and not too old?",
        Thing.CREDENTIALS_SECRET: f"the Secret {at} with the credentials does not exist: create it",
        Thing.CREDENTIALS_KEY: f'the Secret {at} with the credentials has no key "{failure.key}": add it, or mend the '
        "selector in the store's auth block",
        Thing.CERTIFICATES: f'the certificates of caProvider are not there: {at}, key "{failure.key or ""}"',
        Thing.NAMESPACE: "the namespace is gone, or is being deleted",
    }
    return texts[failure.what]


def _invalid(failure: Invalid) -> str:
    named = failure.key if failure.key is not None else failure.secret_key
    key = f'"{named}"' if named is not None else "the key"
    part = f'property "{failure.property}"' if failure.property is not None else "the property"
    at = f"{failure.namespace}/{failure.name}" if failure.namespace else f"{failure.name}"
    secret_key = f'"{failure.secret_key}"' if failure.secret_key is not None else "a key"
    texts = {
        Fault.EMPTY_CREDENTIAL: f"the credential {secret_key} in Secret {at} is empty: put the value there",
        Fault.NOT_TEXT: f"the credential {secret_key} in Secret {at} is no text (UTF-8)",
        Fault.INCOMPLETE_SELECTOR: f"{failure.field or 'a selector of the auth block'} needs both name and key",
        Fault.NO_AUTH: "spec.provider.infisical.auth has no block: give one way to log in",
        Fault.UNSUPPORTED_AUTH: f"the login method {failure.field or ''} is not supported by this controller yet",
        Fault.BAD_HOST: "hostAPI must be an http or https address, such as https://app.infisical.com",
        Fault.BAD_CERTIFICATES: "caBundle or caProvider holds no certificate in PEM",
        Fault.BAD_SLUG: "projectSlug has not the form of a slug (lower-case letters, digits, hyphens): copy it from "
        "the project's settings",
        Fault.BAD_KEY: f"the remote key {key} cannot be used: it is empty, ends in a slash or climbs with ..",
        Fault.BAD_PATH: f"the folder path {failure.folder or ''} cannot be used: it climbs with .., or has characters "
        "that no path has",
        Fault.NO_JSON: f"the value of {key} is not the JSON that property or extract needs: mend the value, or take "
        "them away",
        Fault.NO_PROPERTY: f"the value of {key} has no {part}",
        Fault.BAD_PROPERTY: f"{part} of {key} cannot be read as a path",
        Fault.BAD_REGEXP: "find.name.regexp is no regular expression (RE2)",
        Fault.FIND_WITHOUT_CHOICE: "find needs name or path; for everything write name: {regexp: .*}",
        Fault.FIND_RELATIVE_PATH: "find.path must be absolute: it starts with /",
        Fault.FIND_UNREACHABLE_PATH: "find.path lies outside of what the store lists: see its secretsPath and recursive",
        Fault.FIND_TAGS: "find.tags is not supported for Infisical: use name or path",
        Fault.INVALID_SECRET_KEY: f"{key} cannot be a key of a Secret (letters, digits, '-', '_', '.'; 253 at most): "
        "use rewrite",
        Fault.SAME_KEY: f"the name {key} and another one become the same key of the Secret: use another "
        "conversionStrategy, or rewrite",
        Fault.BAD_ENCODING: f"the value of {key} is not in the encoding that decodingStrategy names",
        Fault.NULL_BYTE: f"the value of {key} has a null byte, and nullBytePolicy is Fail",
        Fault.TOO_LARGE: "the content is larger than a Secret can hold (1 MiB): choose fewer keys",
    }
    return texts[failure.what]
