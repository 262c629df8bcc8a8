"""Templates, from which a Secret is made of what was fetched (or a pushed Secret of its source)."""

from enum import StrEnum
from typing import Annotated

import msgspec

from adapters.resources.fields import DataKey, Part, ResourceName, about
from adapters.resources.metadata import Labels


class MergePolicy(StrEnum):
    """What becomes of the data that no template produced."""

    REPLACE = "Replace"
    MERGE = "Merge"


class TemplateScope(StrEnum):
    """What of a template's source is a template."""

    VALUES = "Values"
    KEYS_AND_VALUES = "KeysAndValues"


class ValuesDecodingStrategy(StrEnum):
    """How values are decoded after rendering."""

    NONE = "None"
    BASE64 = "Base64"
    BASE64_URL = "Base64URL"
    AUTO = "Auto"


class EngineVersion(StrEnum):
    """The one version of the template language."""

    V2 = "v2"


class TemplateItem(Part, frozen=True, kw_only=True):
    """A key whose value is a template."""

    key: Annotated[DataKey, about("Key of the ConfigMap or Secret.")]
    template_as: Annotated[
        TemplateScope,
        about(
            "Values: the value is a template for the key of its name. KeysAndValues: the value renders to a YAML map.",
            stored=True,
        ),
    ] = TemplateScope.VALUES


class TemplateReference(Part, frozen=True, kw_only=True):
    """A ConfigMap or Secret that holds templates."""

    name: Annotated[ResourceName, about("Name of the ConfigMap or Secret.")]
    items: Annotated[tuple[TemplateItem, ...], about("Keys that hold templates.")]


class TemplateSource(Part, frozen=True, kw_only=True):
    """Templates from elsewhere, or written out here as one text."""

    config_map: Annotated[TemplateReference | None, about("A ConfigMap with templates.")] = None
    secret: Annotated[TemplateReference | None, about("A Secret with templates.")] = None
    literal: Annotated[str | None, about("A template that renders to a YAML map of keys and values.")] = None
    target: Annotated[
        str,
        msgspec.Meta(max_length=1024),
        about(
            "Where the results go: Data, Annotations or Labels; a path such as spec.config for other kinds of targets.",
            stored=True,
        ),
    ] = "Data"
    values_decoding_strategy: Annotated[
        ValuesDecodingStrategy, about("How the rendered values are decoded. None when absent.")
    ] = ValuesDecodingStrategy.NONE


class SecretTemplateMetadata(Part, frozen=True, kw_only=True):
    """Metadata of the Secret; the values are templates."""

    labels: Annotated[Labels, about("Labels by their key.")] = msgspec.field(default_factory=dict)
    annotations: Annotated[Labels, about("Annotations by their key.")] = msgspec.field(default_factory=dict)
    finalizers: Annotated[tuple[str, ...], about("Finalizers that the Secret gets.")] = ()


class Template(Part, frozen=True, kw_only=True):
    """The Secret as it shall be, with templates for its values."""

    type: Annotated[str | None, about("Type of the Secret. Opaque when absent.")] = None
    engine_version: Annotated[EngineVersion, about("Version of the template language.", stored=True)] = (
        EngineVersion.V2
    )
    merge_policy: Annotated[
        MergePolicy,
        about(
            "Replace: only what templates produce is kept. Merge: it is added to the fetched data.",
            stored=True,
        ),
    ] = MergePolicy.REPLACE
    metadata: Annotated[
        SecretTemplateMetadata | None, about("Labels, annotations and finalizers of the Secret.")
    ] = None
    data: Annotated[dict[str, str], about("Templates by the key of the Secret that they produce.")] = (
        msgspec.field(default_factory=dict)
    )
    template_from: Annotated[
        tuple[TemplateSource, ...],
        about("Templates from other places; `data` wins over them.", max_items=1000),
    ] = ()
