"""Credentials: which keys of which Secrets a method reads, and what was found there, checked and hidden."""

from collections.abc import Iterator, Mapping

import msgspec

from adapters.infisical.secret_text import SecretText
from adapters.resources.auth_blocks import AuthBlock
from adapters.resources.references import SecretKeySelector
from machines.names import FieldPath, NamespaceName, ResourceName, SecretKey
from machines.outcomes import Fault, Invalid

AUTH_PATH = "spec.provider.infisical.auth"


class Source(msgspec.Struct, frozen=True):
    """Where one credential is kept. `field` is its name in the block (`clientId`); no namespace: that of the
    store, or of the resource that uses it, which the caller knows."""

    field: str
    name: ResourceName
    key: SecretKey
    path: FieldPath
    namespace: NamespaceName | None = None


class Credentials(Mapping[str, SecretText]):
    """Credentials by the names of their fields, and where each was read. Shows which are there, not what they are."""

    __slots__ = ("_sources", "_texts")

    def __init__(self, texts: Mapping[Source, SecretText]) -> None:
        self._texts = {source.field: text for source, text in texts.items()}
        self._sources = {source.field: source for source in texts}

    def source(self, field: str) -> Source:
        """Where a credential was read. Raises KeyError where it was not given."""
        return self._sources[field]

    def stripped(self, field: str) -> SecretText:
        """A credential without white space around it: a line feed at the end is a file's, not its own."""
        return SecretText(self._texts[field].reveal().strip())

    def __getitem__(self, field: str) -> SecretText:
        return self._texts[field]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __repr__(self) -> str:
        return f"<Credentials {', '.join(sorted(self._texts))}>"


def block_path(block: AuthBlock) -> str:
    """Where a block stands in a store: `spec.provider.infisical.auth.universalAuthCredentials`."""
    name = type(block).__name__
    return f"{AUTH_PATH}.{name[0].lower()}{name[1:]}"


def sources(block: AuthBlock) -> tuple[Source, ...] | Invalid:
    """What a block asks to be read. A selector without a name or a key cannot be followed."""
    found = []
    for attribute, field in zip(block.__struct_fields__, block.__struct_encode_fields__, strict=True):
        selector: SecretKeySelector | None = getattr(block, attribute)
        if selector is None:  # an optional one
            continue
        path = FieldPath(f"{block_path(block)}.{field}")
        if not selector.name or not selector.key:
            return Invalid(what=Fault.INCOMPLETE_SELECTOR, field=path)
        namespace = NamespaceName(selector.namespace) if selector.namespace else None
        found.append(Source(field, ResourceName(selector.name), SecretKey(selector.key), path, namespace))
    return tuple(found)


def checked(given: Mapping[Source, bytes]) -> Credentials | Invalid:
    """The credentials, if each is text and none is empty."""
    texts = {}
    for source, content in given.items():
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return fault(Fault.NOT_TEXT, source)
        if not text.strip():
            return fault(Fault.EMPTY_CREDENTIAL, source)
        texts[source] = SecretText(text)
    return Credentials(texts)


def fault(what: Fault, source: Source) -> Invalid:
    """What is wrong with the credential that was read there."""
    return Invalid(
        what=what,
        field=source.path,
        namespace=source.namespace,
        name=source.name,
        secret_key=source.key,
    )
