"""`validate`: what is wrong with manifests, found without a cluster and without Infisical.

Schemas and rules come first, as a cluster would apply them; then whatever the controller would find out when it looked
at the resource. What may lie elsewhere (a store of another file, a Secret that somebody else makes) is no mistake, and
is told as a notice.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from adapters.auth.credentials import Source
from adapters.auth.registry import Chosen, chosen
from adapters.auth.settings import AuthSettings
from adapters.cluster import Kind, Object
from adapters.infisical import address
from adapters.local.manifests import Manifest, read_manifests
from adapters.resources.external_secrets import ExternalSecret
from adapters.resources.faults import Faults
from adapters.resources.kinds import (
    CLUSTER_EXTERNAL_SECRET,
    CLUSTER_PUSH_SECRET,
    CLUSTER_SECRET_STORE,
    CONFIG_MAP,
    EXTERNAL_SECRET,
    PUSH_SECRET,
    SECRET,
    SECRET_STORE,
)
from adapters.resources.parsing import parse_as
from adapters.resources.references import StoreReference
from adapters.resources.remote_data import Find, RemoteReference
from adapters.resources.stores import CaProviderType, InfisicalProvider, SecretsScope
from machines.outcomes import Fault, Invalid
from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.find import check_find
from reconciler.content.keys import normalise_folder, resolve_key
from reconciler.content.properties import select_node
from reconciler.content.regexps import searcher
from reconciler.content.values import Value
from reconciler.effects.certificates import bundled_certificates
from reconciler.effects.content_faults import invalid
from reconciler.effects.observe_external_secret import reference_of, references_of
from reconciler.failure_texts import failure_text
from reconciler.stores import INFISICAL, StoreView, view_of_store
from reconciler.support import unsupported_of_external_secret, without_effect
from reconciler.validating_pushes import Finding, push_findings

_PROJECT_SLUG = re.compile(r"[a-z0-9_-]{1,64}")  # a project that was renamed may have a slug with _
_PROVIDER = "spec.provider.infisical"
_NOT_BUILT = (CLUSTER_PUSH_SECRET, CLUSTER_EXTERNAL_SECRET)


class Told(msgspec.Struct, frozen=True, order=True):
    """A sentence about a line of a file (0: the file as a whole)."""

    file: Path
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}" if self.line else f"{self.file}: {self.sentence}"


class Validated(msgspec.Struct, frozen=True):
    """What was found: `mistakes` keep something from working, `notices` are worth knowing. `objects`: how many were read."""

    mistakes: tuple[Told, ...]
    notices: tuple[Told, ...]
    objects: int


def validate(paths: Sequence[Path], controller_class: str, settings: AuthSettings) -> Validated:
    """Everything that is wrong in these files and directories, at once."""
    read = read_manifests(paths)
    mistakes = [Told(one.file, one.line, one.message) for one in read.mistakes]
    notices = [Told(one.file, one.line, one.message) for one in read.notices]
    here = _Here(read.manifests, controller_class, settings)
    for manifest in read.manifests:
        for field, sentence, is_mistake in here.findings(manifest):
            named = f"{manifest.key.kind.name} {manifest.key.name}: {field}: {sentence}"
            told = Told(manifest.file, manifest.line_of(field), named)
            (mistakes if is_mistake else notices).append(told)
    return Validated(tuple(sorted(mistakes)), tuple(sorted(notices)), len(read.manifests))


class _Here:
    """The manifests at hand, and what can be found out about each among the others."""

    def __init__(self, manifests: Sequence[Manifest], controller_class: str, settings: AuthSettings) -> None:
        self._objects: Mapping[tuple[Kind, str, str], Object] = {
            (one.key.kind, one.key.namespace, one.key.name): one.object for one in manifests
        }
        self._class = controller_class
        self._settings = settings

    def findings(self, manifest: Manifest) -> Iterator[Finding]:
        """What is to be said of one object that schema and rules have let pass."""
        kind, object = manifest.key.kind, manifest.object
        if kind in (SECRET_STORE, CLUSTER_SECRET_STORE):
            yield from self._store(view_of_store(object))
        elif kind == EXTERNAL_SECRET:
            parsed = parse_as(ExternalSecret, object)
            if isinstance(parsed, Faults):
                for fault in parsed.faults:
                    yield fault.path, fault.message, True
            else:
                yield from self._external_secret(parsed, manifest.key.namespace)
        elif kind == PUSH_SECRET:
            yield from push_findings(manifest.object, self._objects)
        elif kind in _NOT_BUILT:
            yield "kind", "this controller does not work on this kind yet", True

    # --- stores --------------------------------------------------------------------------------------------

    def _store(self, view: StoreView) -> Iterator[Finding]:
        if (view.controller or "default") != self._class:
            yield (
                "spec.controller",
                f'another controller\'s: this one serves the class "{self._class}"',
                False,
            )
            return
        if view.provider != INFISICAL:
            yield "spec.provider", "another provider's: this controller serves infisical", False
            return
        for fault in view.faults.faults if view.faults is not None else ():
            yield fault.path, fault.message, True
        infisical = view.store.spec.provider.infisical if view.store is not None else None
        if view.store is None or infisical is None:
            return
        yield from self._provider(infisical, view)
        for number, condition in enumerate(view.store.spec.conditions):
            for index, pattern in enumerate(condition.namespace_regexes):
                if _is_no_pattern(pattern):
                    field = f"spec.conditions[{number}].namespaceRegexes[{index}]"
                    yield field, "is no regular expression (RE2)", True

    def _provider(self, infisical: InfisicalProvider, view: StoreView) -> Iterator[Finding]:
        host = address.parsed(infisical.host_api)
        if isinstance(host, Invalid):
            yield f"{_PROVIDER}.hostAPI", failure_text(host, None), True
        yield from _scope(infisical.secrets_scope)
        if infisical.ca_bundle and isinstance(bundled_certificates(infisical.ca_bundle), Invalid):
            yield f"{_PROVIDER}.caBundle", failure_text(Invalid(what=Fault.BAD_CERTIFICATES), None), True
        yield from self._ca_provider(infisical, view)
        auth = chosen(infisical.auth)
        if isinstance(auth, Chosen):
            if auth.several:
                block = str(auth.sources[0].path).rpartition(".")[0]
                yield block, "of several blocks this one is used; take the others away", False
            yield from self._credentials(auth, view)
        else:
            yield str(auth.field or f"{_PROVIDER}.auth"), failure_text(auth, None), True

    def _ca_provider(self, infisical: InfisicalProvider, view: StoreView) -> Iterator[Finding]:
        provider = infisical.ca_provider
        if provider is None:
            return
        kind = SECRET if provider.type is CaProviderType.SECRET else CONFIG_MAP
        found = self._objects.get((kind, view.namespace or str(provider.namespace or ""), provider.name))
        if found is None:
            yield (
                f"{_PROVIDER}.caProvider.name",
                f"there is no {kind.name} of this name in these files",
                False,
            )
        elif provider.key not in (found.get("data") or {}):
            yield f"{_PROVIDER}.caProvider.key", f"the {kind.name} has no such key", True

    def _credentials(self, auth: Chosen, view: StoreView) -> Iterator[Finding]:
        for source in auth.sources:
            path = str(source.path)
            if not view.namespace and source.namespace is None:
                sentence = "without a namespace it is read in that of each resource that uses the store"
                yield f"{path}.namespace", sentence, False
                continue
            found = self._objects.get((SECRET, view.namespace or str(source.namespace), source.name))
            if found is None:
                yield f"{path}.name", "there is no Secret of this name in these files", False
                continue
            yield from self._credential(source, found)

    def _credential(self, source: Source, secret: Object) -> Iterator[Finding]:
        text = (secret.get("data") or {}).get(source.key)
        if text is None:
            yield (
                f"{source.path}.key",
                f"the Secret {source.name} has no such key: add it, or mend this",
                True,
            )
            return
        try:
            content = base64.b64decode(text).decode().strip()
        except (binascii.Error, UnicodeDecodeError):
            yield f"{source.path}.key", f"what the Secret {source.name} holds there is no text (UTF-8)", True
            return
        if not content:
            yield f"{source.path}.key", f"what the Secret {source.name} holds there is empty", True
        elif source.field.endswith("Path") and not self._settings.may_be_read(source.field, content):
            sentence = (
                f"the path in the Secret {source.name} is outside of the directories that --credential-directories "
                "names: no file is read there"
            )
            yield f"{source.path}.key", sentence, True

    # --- ExternalSecrets -----------------------------------------------------------------------------------

    def _external_secret(self, resource: ExternalSecret, namespace: str) -> Iterator[Finding]:
        for field in unsupported_of_external_secret(resource):
            yield str(field), "not supported by this controller yet; take it out", True
        for field in without_effect(resource):
            yield str(field), "has no effect with Infisical", False
        for reference in references_of(resource):
            if self._scope_of(reference, namespace) is None:
                sentence = f"{reference.kind} {reference.name} is not in these files"
                yield "spec.secretStoreRef", sentence, False
        default = resource.spec.secret_store_ref
        for number, entry in enumerate(resource.spec.data):
            scope = self._scope_of(
                reference_of(entry.source_ref.store_ref if entry.source_ref else None, default), namespace
            )
            yield from _remote(f"spec.data[{number}].remoteRef", entry.remote_ref, scope)
        for number, several in enumerate(resource.spec.data_from):
            scope = self._scope_of(
                reference_of(several.source_ref.store_ref if several.source_ref else None, default), namespace
            )
            if several.extract is not None:
                yield from _remote(f"spec.dataFrom[{number}].extract", several.extract, scope)
            if several.find is not None:
                yield from _find(f"spec.dataFrom[{number}].find", several.find, scope)

    def _scope_of(self, reference: StoreReference | None, namespace: str) -> SecretsScope | None:
        """What the store of an entry shows; None where it is not here, or not known."""
        if reference is None:
            return None
        is_shared = reference.kind == CLUSTER_SECRET_STORE.name
        kind = CLUSTER_SECRET_STORE if is_shared else SECRET_STORE
        found = self._objects.get((kind, "" if is_shared else namespace, str(reference.name)))
        view = view_of_store(found) if found is not None else None
        if view is None or view.store is None or view.store.spec.provider.infisical is None:
            return None
        return view.store.spec.provider.infisical.secrets_scope


def _scope(scope: SecretsScope) -> Iterator[Finding]:
    if not _PROJECT_SLUG.fullmatch(scope.project_slug):
        field = f"{_PROVIDER}.secretsScope.projectSlug"
        yield field, failure_text(Invalid(what=Fault.BAD_SLUG), None), True
    try:
        normalise_folder(scope.secrets_path)
    except ContentFault as fault:
        yield f"{_PROVIDER}.secretsScope.secretsPath", _sentence(fault), True


def _remote(path: str, reference: RemoteReference, scope: SecretsScope | None) -> Iterator[Finding]:
    try:
        resolve_key(scope.secrets_path if scope is not None else "/", reference.key)
    except ContentFault as fault:
        if fault.kind is not FaultKind.PATH_CLIMBS:  # of the store, and told there
            yield f"{path}.key", _sentence(fault), True
    if reference.property and (wrong := _unreadable(reference.property, reference.key)) is not None:
        yield f"{path}.property", _sentence(wrong), True


def _unreadable(path: str, key: str) -> ContentFault | None:
    """What is wrong with a property path, whatever it is followed through."""
    for value in ("{}", "[{}]"):  # some steps are read only where there is a list
        try:
            select_node(Value.of_text(value), path, key=key)
        except ContentFault as fault:
            if fault.kind is FaultKind.PROPERTY_UNSUPPORTED:
                return fault
    return None


def _find(path: str, wanted: Find, scope: SecretsScope | None) -> Iterator[Finding]:
    secrets_path = scope.secrets_path if scope is not None else "/"
    try:
        check_find(wanted, scope_path=secrets_path, recursive=scope is None or scope.recursive)
    except ContentFault as fault:
        if fault.kind is not FaultKind.PATH_CLIMBS or wanted.path:
            yield path, _sentence(fault), True


def _sentence(fault: ContentFault) -> str:
    return failure_text(invalid(fault), None)


def _is_no_pattern(pattern: str) -> bool:
    try:
        searcher(pattern)
    except ContentFault:
        return True
    return False
