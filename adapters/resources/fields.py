"""How a field of a resource is declared: a type, a description, and what the schema says beyond the type.

    secrets_path: Annotated[str, about("Folder that is read ...", stored=True)] = "/"

A default with `stored=True` is written into the object by the API server. Any other default only says what an absent
field means: stored ones look like drift to tools that compare a cluster with a repository, so they are few.
"""

from typing import Annotated, Any, Final

import msgspec

NAME_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
NAMESPACE_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
SECRET_KEY_PATTERN: Final = r"^[-._a-zA-Z0-9]+$"


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A JSON object of a resource. In JSON the names are in camel case; fields it does not know are ignored."""


def about(
    description: str,
    *,
    stored: bool = False,
    max_items: int | None = None,
    min_items: int | None = None,
    **keywords: Any,
) -> msgspec.Meta:
    """A field's description, and keywords of its schema. The limits of items are large: they exist because the API
    server wants to know what a rule on a list may cost, and no real resource comes near them."""
    return msgspec.Meta(
        description=description,
        max_length=max_items,
        min_length=min_items,
        extra={"stored": stored},
        extra_json_schema=keywords or None,
    )


ResourceName = Annotated[str, msgspec.Meta(min_length=1, max_length=253, pattern=NAME_PATTERN)]
NamespaceName = Annotated[str, msgspec.Meta(min_length=1, max_length=63, pattern=NAMESPACE_PATTERN)]
DataKey = Annotated[str, msgspec.Meta(min_length=1, max_length=253, pattern=SECRET_KEY_PATTERN)]
# A duration in Go's spelling, or a store's interval. The API server takes any text; `parsing` reads it.
Duration = Annotated[str, msgspec.Meta(extra={"readable": "duration"})]
StoreInterval = Annotated[int | str, msgspec.Meta(extra={"readable": "interval"})]
Time = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
