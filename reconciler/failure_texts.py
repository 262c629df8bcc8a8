"""Failures as sentences: what failed, where, and what to do. Made from an outcome's typed facts alone.

A server's own text is never quoted: it may repeat what was sent.
"""

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
    Thing,
    Trouble,
    Unavailable,
)


def scope_text(store: StoreFacts | None) -> str:
    """Project and environment of a store, in parentheses; nothing where they are not known."""
    if store is None or store.project is None or store.environment is None:
        return ""
    return f' (project "{store.project}", environment "{store.environment}")'


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
            return f"{host} no longer has the project{scope_text(store)}: check projectSlug"


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
    Trouble.CHANGED: "holds what somebody else wrote there at the same moment: this is tried again; let nobody else push "
    "the same secrets",
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
    if failure.service in _VOUCHING:
        return f"{_VOUCHING[failure.service]} {_VOUCHING_TROUBLES.get(failure.why, 'cannot be used')}{status}"
    return f"{host} {_TROUBLES[failure.why]}{status}"


_VOUCHING: dict[Service | None, str] = {
    Service.AWS: "AWS, asked for the controller's credentials,",
    Service.AZURE: "Azure, asked for a token of the controller's managed identity,",
    Service.GCP_METADATA: "the GCP metadata server, asked for an identity token,",
    Service.GCP_IAM: "the GCP IAM credentials API, asked to sign a token,",
}
_VOUCHING_TROUBLES: dict[Trouble, str] = {
    Trouble.REFUSED: "refuses connections: does the controller run there, and may its pod reach it?",
    Trouble.UNRESOLVED: "has a name that cannot be resolved: does the controller run there?",
    Trouble.TIMED_OUT: "does not answer in time: does the controller run there, and may its pod reach it?",
    Trouble.BROKEN: "breaks connections off before its answer is complete",
    Trouble.FAULT: "has an internal fault",
    Trouble.LIMITED: "limits requests",
    Trouble.NOT_INFISICAL: "gives an answer that makes no sense: is it really what is asked, or something in between?",
}


def _denied(failure: Denied, store: StoreFacts | None, host: str) -> str:
    place = f' "{failure.key}"' if failure.key else ""
    folder = f" in folder {failure.folder}" if failure.folder else ""
    texts = {
        Denial.CREDENTIALS: f"{host} refuses the credentials: check the Secret that the store's auth block names",
        Denial.IDENTITY: f"{host} knows no such identity, or its login method is not enabled: check the credentials",
        Denial.MEMBERSHIP: f"the identity is no member of the project{scope_text(store)}: add it in Infisical",
        Denial.READ: f"the identity may not read{place or ' secrets'}{folder}{scope_text(store)}: "
        "give it the right in Infisical",
        Denial.VALUE: f"the identity may see that{place or ' a secret'}{folder} exists, but not its value"
        f"{scope_text(store)}: give it the right in Infisical",
        Denial.WRITE: f"the identity may not write{place or ' secrets'}{folder}{scope_text(store)}: "
        "give it the right to create, edit and delete secrets there in Infisical",
        Denial.REFERENCE: f"a reference in{place or ' a secret'}{folder} leads to what the identity may not read"
        f"{scope_text(store)}",
        Denial.FILE: f'the path in Secret {_secret_of(failure)}, key "{failure.secret_key}", is outside of the '
        "directories that stores may have read: give another one, or have the operator of the controller allow it by "
        "--credential-directories",
        Denial.AMBIENT: f"the controller may not show its own identity to {host} for a SecretStore: use a method with "
        "credentials of its own, or have the operator of the controller allow the host by --ambient-credential-hosts",
        Denial.PROOF: f"{_VOUCHING.get(failure.service, 'whoever vouches for the identity')} refuses: check its rights there",
        Denial.CLUSTER: f"the controller may not {failure.verb} {failure.resource}: check its ClusterRole",
    }
    return texts[failure.what]


_OWN_IDENTITY: dict[Service | None, str] = {
    Service.AWS: "AWS credentials are nowhere in the controller's surroundings: give its service account a role (IRSA, "
    "pod identity), or its node an instance profile",
    Service.AZURE: "the controller has no managed identity: assign one to its node, or set up workload identity",
    Service.GCP_METADATA: "the controller's node or pod has no service account at the GCP metadata server",
}


def _secret_of(failure: Denied | Missing | Invalid) -> str:
    return f"{failure.namespace}/{failure.name}" if failure.namespace else f"{failure.name}"


def _missing(failure: Missing, store: StoreFacts | None, host: str) -> str:
    at = f"{failure.namespace}/{failure.name}" if failure.namespace else f"{failure.name}"
    project = f'"{store.project}"' if store and store.project else ""
    environment = f'"{store.environment}"' if store and store.environment else ""
    texts = {
        Thing.PROJECT: f"{host} has no project {project}: check projectSlug",
        Thing.ENVIRONMENT: f"project {project} has no environment {environment}: check environmentSlug",
        Thing.FOLDER: f"there is no folder {failure.folder}{scope_text(store)}: create it, or check secretsPath and "
        "environmentSlug",
        Thing.ROUTE: f"{host} does not know the request: is it an Infisical server, and not too old?",
        Thing.CREDENTIALS_SECRET: f"the Secret {at} with the credentials does not exist: create it",
        Thing.CREDENTIALS_KEY: f'the Secret {at} with the credentials has no key "{failure.key}": add it, or mend the '
        "selector in the store's auth block",
        Thing.CERTIFICATES: f'the certificates of caProvider are not there: {at}, key "{failure.key or ""}"',
        Thing.NAMESPACE: "the namespace is gone, or is being deleted",
        Thing.FILE: f'the file whose path is in Secret {at}, key "{failure.key}", is not there, is empty or over 1 MiB, '
        "or cannot be read by the controller: mount it, or mend the path"
        if failure.name
        else "the controller has no service account token: is it mounted into its pod?",
        Thing.AMBIENT: f"{_OWN_IDENTITY.get(failure.service, 'the controller has no identity of its own here')}",
        Thing.REGION: "nothing says in which AWS region the controller runs: set AWS_REGION for it",
    }
    return texts[failure.what]


def _invalid(failure: Invalid) -> str:
    named = failure.key if failure.key is not None else failure.secret_key
    key = f'"{named}"' if named is not None else "the key"
    part = f'property "{failure.property}"' if failure.property is not None else "the property"
    at = f"{failure.namespace}/{failure.name}" if failure.namespace else f"{failure.name}"
    secret_key = f'"{failure.secret_key}"' if failure.secret_key is not None else "a key"
    on_part = f', property "{failure.property}"' if failure.property is not None else ""
    texts = {
        Fault.EMPTY_CREDENTIAL: f"the credential {secret_key} in Secret {at} is empty: put the value there",
        Fault.NOT_TEXT: f"the credential {secret_key} in Secret {at} is no text (UTF-8)",
        Fault.INCOMPLETE_SELECTOR: f"{failure.field or 'a selector of the auth block'} needs both name and key",
        Fault.NO_AUTH: "spec.provider.infisical.auth has no block: give one way to log in",
        Fault.BAD_PRIVATE_KEY: f"the credential {secret_key} in Secret {at} is no private key in PEM, or its passphrase is "
        "wrong",
        Fault.BAD_KEY_FILE: f"the file whose path is in Secret {at}, key {secret_key}, is no key file of a GCP service "
        "account (JSON)",
        Fault.BAD_FILE_PATH: f"the credential {secret_key} in Secret {at} must be the absolute path of a file",
        Fault.BAD_REGION: f"the credential {secret_key} in Secret {at} is no region, such as eu-frankfurt-1",
        Fault.BAD_HOST: "hostAPI must be an http or https address, such as https://app.infisical.com",
        Fault.BAD_CERTIFICATES: "caBundle or caProvider holds no certificate in PEM",
        Fault.BAD_SLUG: "projectSlug has not the form of a slug (lower-case letters, digits, hyphens): copy it from "
        "the project's settings",
        Fault.BAD_KEY: f"the remote key {key} cannot be used: it is empty, ends in a slash, climbs with .., is too long, or "
        "is no name that the project takes (no colon or control character; capitals alone, where it wants that): mend it",
        Fault.BAD_PATH: f"the folder path {failure.folder or ''} cannot be used: it climbs with .., or has characters "
        "that no path has",
        Fault.NO_JSON: f"the value of {key} is not the JSON that property or extract needs: mend the value, or take "
        "them away",
        Fault.NO_PROPERTY: f"the value of {key} has no {part}",
        Fault.BAD_PROPERTY: f"{part} of {key} cannot be read as a path",
        Fault.BAD_REGEXP: "a regexp (find.name.regexp, or one of dataTo) is no regular expression (RE2)",
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
        Fault.NO_SOURCE_KEY: f"the source Secret has no key {secret_key}: add it, or mend match.secretKey",
        Fault.NOT_UTF8: f"what goes to {key} is no text (UTF-8), which Infisical cannot store: encode it, as base64 for "
        "example; it is not sent",
        Fault.VALUE_TOO_LARGE: f"what goes to {key} is larger than Infisical takes (1 MiB); it is not sent",
        Fault.NO_OBJECT: f"the value of {key} at Infisical is no JSON object, so that {part} of it can be neither set nor "
        "deleted: make it one, or push the whole value",
        Fault.SAME_DESTINATION: f"two entries go to {key}{on_part}: give one of them another remoteKey or property",
        Fault.DANGLING_REFERENCE: f"the value for {key} refers to a secret, folder or environment that is not there, which "
        "this server does not take: create it first, or mend the reference",
        Fault.STORE_NOT_LISTED: f"{failure.field or 'an entry of dataTo'} means no store of secretStoreRefs: list it there, "
        "or mend it",
        Fault.NO_STORE_MATCHES: f"{failure.field or 'an entry of secretStoreRefs'} chooses no store: give a store these "
        "labels, or mend the labelSelector",
        Fault.TOO_LARGE: "the content is larger than a Secret can hold (1 MiB): choose fewer keys",
    }
    return texts[failure.what]
