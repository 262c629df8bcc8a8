"""The rules of SecretStore and ClusterSecretStore.

Only universal auth is checked field by field. A store with another method that lacks a credential is taken, and told so
in its condition: that is how such stores have always behaved.
"""

import re2  # type: ignore[import-untyped]  # ships neither stubs nor py.typed

from adapters.resources.kinds import CLUSTER_SECRET_STORE, SECRET_STORE
from adapters.resources.rule import Place, Rule, below

_IN_STORE = (Place(SECRET_STORE, "spec.provider.infisical"),)
_IN_CLUSTER_STORE = (Place(CLUSTER_SECRET_STORE, "spec.provider.infisical"),)
_IN_BOTH = _IN_STORE + _IN_CLUSTER_STORE
_UNIVERSAL_SELECTORS = (
    "auth.universalAuthCredentials.clientId",
    "auth.universalAuthCredentials.clientSecret",
)

_HOST = r"^(?i:https?)://[^\s/?#]+(/[^\s?#]*)?$"
_host = re2.compile(_HOST)


def _is_regexp(text: str) -> bool:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text, options)
    except re2.error:
        return False
    return True


STORE_RULES = (
    Rule(
        "project-slug-not-empty",
        below(_IN_BOTH, "secretsScope.projectSlug"),
        "self != ''",
        "projectSlug is empty; write the slug of the project, as its settings in Infisical show it",
        lambda slug: slug != "",
    ),
    Rule(
        "environment-slug-not-empty",
        below(_IN_BOTH, "secretsScope.environmentSlug"),
        "self != ''",
        "environmentSlug is empty; write the slug of an environment of the project, such as dev",
        lambda slug: slug != "",
    ),
    Rule(
        "host-is-http-url",
        below(_IN_BOTH, "hostAPI"),
        # Empty stands for the default, as it always has.
        f"self == '' || self.matches(r'{_HOST}')",
        "hostAPI is not an http or https address; write one such as https://app.infisical.com",
        lambda host: host == "" or _host.search(host) is not None,
    ),
    Rule(
        "one-source-of-authorities",
        _IN_BOTH,
        "!(has(self.caBundle) && has(self.caProvider))",
        "caBundle and caProvider exclude each other; keep one of them",
        lambda provider: not ("caBundle" in provider and "caProvider" in provider),
    ),
    Rule(
        "no-authority-namespace-in-a-store",
        below(_IN_STORE, "caProvider"),
        "!has(self.namespace)",
        "caProvider.namespace is not allowed in a SecretStore, which reads in its own namespace; leave it out",
        lambda provider: "namespace" not in provider,
    ),
    Rule(
        "authority-namespace-in-a-cluster-store",
        below(_IN_CLUSTER_STORE, "caProvider"),
        "has(self.namespace)",
        "caProvider.namespace is required in a ClusterSecretStore; write where the Secret or ConfigMap is",
        lambda provider: "namespace" in provider,
    ),
    Rule(
        "universal-auth-keys",
        below(_IN_BOTH, *_UNIVERSAL_SELECTORS),
        "has(self.key)",
        "key is missing; write under which key of the Secret the credential is kept",
        lambda selector: "key" in selector,
    ),
    Rule(
        "no-universal-auth-namespace-in-a-store",
        below(_IN_STORE, *_UNIVERSAL_SELECTORS),
        "!has(self.namespace)",
        "namespace is not allowed in a SecretStore, which reads in its own namespace; "
        "leave it out, or use a ClusterSecretStore",
        lambda selector: "namespace" not in selector,
    ),
    Rule(
        "namespace-regexes-readable",
        tuple(
            Place(kind, "spec.conditions[].namespaceRegexes[]")
            for kind in (SECRET_STORE, CLUSTER_SECRET_STORE)
        ),
        # What cannot be read makes the rule fail, which refuses the object; anything else is right.
        "string(''.matches(self)) != ''",
        "this is not a regular expression; write one in the syntax of RE2, such as ^team-",
        _is_regexp,
    ),
)
