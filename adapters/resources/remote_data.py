"""What an ExternalSecret asks for: single keys (`data`), and many at once (`dataFrom`)."""

from enum import StrEnum
from typing import Annotated

from adapters.resources.fields import DataKey, Part, about
from adapters.resources.references import GeneratorReference, StoreReference
from adapters.resources.rewrites import Rewrite


class MetadataPolicy(StrEnum):
    """Whether the value of a secret or its metadata is fetched."""

    NONE = "None"
    FETCH = "Fetch"


class ConversionStrategy(StrEnum):
    """How characters that a Secret's key may not have are replaced."""

    DEFAULT = "Default"
    UNICODE = "Unicode"


class DecodingStrategy(StrEnum):
    """How values are decoded."""

    NONE = "None"
    BASE64 = "Base64"
    BASE64_URL = "Base64URL"
    AUTO = "Auto"


class NullBytePolicy(StrEnum):
    """What to do about a value with a null byte in it."""

    IGNORE = "Ignore"
    FAIL = "Fail"


Conversion = Annotated[
    ConversionStrategy,
    about(
        "How characters that a Secret's key may not have are replaced. "
        "Default (also when absent): by an underscore; Unicode: by _U<code>_."
    ),
]
Decoding = Annotated[
    DecodingStrategy,
    about("How the values are decoded. None when absent; Auto tries Base64, then Base64URL."),
]
NullBytes = Annotated[
    NullBytePolicy, about("What to do about a null byte in a value: Ignore it (also when absent), or Fail.")
]


class RemoteReference(Part, frozen=True, kw_only=True):
    """A secret in the store."""

    key: Annotated[str, about("Name of the secret; with a slash, its folder too: /folder/NAME is absolute.")]
    property: Annotated[
        str | None, about("Path into the value, which is then read as JSON, such as user.name.")
    ] = None
    version: Annotated[str | None, about("Version of the secret, where the store can read older ones.")] = (
        None
    )
    metadata_policy: Annotated[
        MetadataPolicy, about("Fetch: the secret's metadata in place of its value, where the store has any.")
    ] = MetadataPolicy.NONE
    conversion_strategy: Conversion = ConversionStrategy.DEFAULT
    decoding_strategy: Decoding = DecodingStrategy.NONE
    null_byte_policy: NullBytes = NullBytePolicy.IGNORE


class FindName(Part, frozen=True, kw_only=True):
    """A choice by name."""

    regexp: Annotated[str | None, about("Regular expression (RE2), searched for in the secret's name.")] = (
        None
    )


class Find(Part, frozen=True, kw_only=True):
    """Secrets chosen by name, folder or tags."""

    path: Annotated[str | None, about("Folder, absolute: only secrets in it or below it.")] = None
    name: Annotated[FindName | None, about("Only secrets whose name matches.")] = None
    tags: Annotated[
        dict[str, str] | None, about("Only secrets with these tags, where the store supports them.")
    ] = None
    conversion_strategy: Conversion = ConversionStrategy.DEFAULT
    decoding_strategy: Decoding = DecodingStrategy.NONE
    null_byte_policy: NullBytes = NullBytePolicy.IGNORE


class SourceReference(Part, frozen=True, kw_only=True):
    """Another source than the store of the resource."""

    store_ref: Annotated[StoreReference | None, about("Another store.")] = None
    generator_ref: Annotated[GeneratorReference | None, about("A generator in place of a store.")] = None


class Data(Part, frozen=True, kw_only=True):
    """One key of the Secret, and the secret that it comes from."""

    secret_key: Annotated[DataKey, about("Key of the Secret.")]
    remote_ref: Annotated[RemoteReference, about("Which secret, or which property of it.")]
    source_ref: Annotated[
        SourceReference | None, about("Another store for this entry alone.", maxProperties=1)
    ] = None


class DataFrom(Part, frozen=True, kw_only=True):
    """Many keys at once. Later entries win over earlier ones."""

    extract: Annotated[
        RemoteReference | None, about("A secret whose value is a JSON object; each property becomes a key.")
    ] = None
    find: Annotated[Find | None, about("Every secret that is found this way; its name becomes the key.")] = (
        None
    )
    source_ref: Annotated[
        SourceReference | None,
        about("Another store for extract or find, or a generator, which stands alone.", maxProperties=1),
    ] = None
    rewrite: Annotated[
        tuple[Rewrite, ...],
        about("Operations on the keys (merge: on the values too), in this order.", max_items=1000),
    ] = ()
