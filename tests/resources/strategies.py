"""Random objects of our kinds, made from their schemas: some right, some wrong in a few places.

`well_formed(kind)` is as its schema wants it, and may break rules. `objects(kind)` has up to three things changed in
it: another type, a null, a text of the wrong form, an unknown field, a missing one.
"""

import copy
from functools import cache
from typing import Any

import re2  # type: ignore[import-untyped]  # ships neither stubs nor py.typed
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from adapters.cluster import Kind, Object
from adapters.resources.structure import Schema, structure

Json = Any

# Texts that mean something to a rule or a reader, by the field's name; any field may get one of the others.
_TEXTS: dict[str, list[str]] = {
    "projectSlug": ["my-project", ""],
    "environmentSlug": ["dev", ""],
    "hostAPI": [
        "https://app.infisical.com",
        "HTTP://host:80/api",
        "",
        "host",
        "https://",
        "ftp://a",
        "https://a\n",
    ],
    "caBundle": ["YQ==", "YWI=", "YWJj"],
    "type": ["Opaque", "kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"],
    "target": ["Data", "annotations", "LABELS", "spec.config", ""],
    "namespaceRegexes": [
        "^team-",
        "(",
        "a{2,1}",
        r"\pL+",
        "(?P<n>a)",
        r"(a)\1",
        "[[:word:]]",
        "(?i)x",
        "(?<n>a)",
    ],
    "annotations": ["kubernetes.io/service-account.name", "a"],
    "labels": ["a", "b"],
}
# Fields of which one is usually given, lest nearly every object breaks a rule about them.
_ALTERNATIVES = ({"data", "dataFrom"}, {"extract", "find"}, {"regexp", "transform"})
_PLAIN = ["a", "b", "password", "DB_HOST", "x.y"]
_NAMES = ["a", "b", "my-store", "a.b"]
_ODD_TEXTS = ["", "A B", "ü", "x" * 254, "a\n", "-a", "a/b", "1", "None", "true", "YQ=", "\u2028"]
_ODD_VALUES: list[Json] = [
    None,
    True,
    0,
    -1,
    3,
    3.5,
    3.0,
    2**31,
    2**40,
    *_ODD_TEXTS,
    [],
    [None],
    ["a"],
    {},
    {"a": 1},
]


@cache  # building it anew for every object takes most of the time of a test
def well_formed(kind: Kind) -> SearchStrategy[Object]:
    """Objects that the schema of the kind takes; without a status, which cannot be created."""
    schema = structure(kind)
    spec = _values(schema["properties"]["spec"], "spec")
    return spec.map(
        lambda spec: {
            "apiVersion": kind.api_version,
            "kind": kind.name,
            "metadata": {"name": "random"},
            "spec": spec,
        }
    )


@st.composite
def objects(draw: st.DrawFn, kind: Kind) -> Object:
    """Objects with up to three changes below `spec`."""
    changed = copy.deepcopy(draw(well_formed(kind)))
    for _ in range(draw(st.integers(0, 3))):
        _change(draw, changed)
    return changed


def statuses(kind: Kind) -> SearchStrategy[Json]:
    """Values of `status` that the schema of the kind takes."""
    return _values(structure(kind)["properties"]["status"], "status")


def _values(schema: Schema, name: str) -> SearchStrategy[Json]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            return _objects(schema, name)
        case "array":
            items = _values(schema["items"], name)
            return st.lists(items, min_size=1, max_size=3) | st.lists(
                items, min_size=schema.get("minItems", 0), max_size=2
            )
        case "string":
            return _texts(schema, name)
        case "integer":
            return st.sampled_from([0, 1, 5, -1])
        case "boolean":
            return st.booleans()
    if "x-kubernetes-int-or-string" in schema:
        return st.sampled_from([0, 300, "5m", "x"])
    return st.sampled_from([{"free": ["form", 1]}, {}, "text", 7])


def _texts(schema: Schema, name: str) -> SearchStrategy[str]:
    if schema.get("format") == "date-time":
        return st.sampled_from(["2024-02-29T12:00:00Z", "2024-01-01T00:00:00.5+02:00"])
    if name in _TEXTS:
        return st.sampled_from(_TEXTS[name])
    if "pattern" in schema:
        return st.sampled_from([name for name in _NAMES if re2.search(schema["pattern"], name)])
    return st.sampled_from(_PLAIN)


def _objects(schema: Schema, name: str) -> SearchStrategy[Json]:
    if "additionalProperties" in schema:
        keys = st.sampled_from(_TEXTS.get(name, _PLAIN))
        return st.dictionaries(keys, _values(schema["additionalProperties"], "value"), max_size=2)
    required = set(schema.get("required", []))
    fields = {each: st.deferred(_later(inner, each)) for each, inner in schema.get("properties", {}).items()}
    if schema.get("maxProperties") == 1:
        single: list[SearchStrategy[Json]] = [
            _fields({each: value}, {each}) for each, value in fields.items()
        ]
        if name == "provider":
            single.append(st.just({"vault": {"server": "https://vault", "nested": [{}]}}))
        return st.one_of(single)
    anything = _fields(fields, required)
    alternatives = next((group for group in _ALTERNATIVES if group <= fields.keys()), None)
    if alternatives is None:
        return anything
    others = {name: value for name, value in fields.items() if name not in alternatives}
    return anything | st.one_of(
        [_fields({**others, name: fields[name]}, required | {name}) for name in sorted(alternatives)]
    )


def _fields(fields: dict[str, SearchStrategy[Json]], required: set[str]) -> SearchStrategy[Json]:
    return st.fixed_dictionaries(
        {name: value for name, value in fields.items() if name in required},
        optional={name: value for name, value in fields.items() if name not in required},
    )


def _later(schema: Schema, name: str) -> Any:
    return lambda: _values(schema, name)


def _change(draw: st.DrawFn, object: Object) -> None:
    """Change, remove or add one field somewhere below `spec`."""
    node: Any = object["spec"]
    while isinstance(node, (dict, list)) and node and draw(st.integers(0, 3)):
        key: Any = draw(st.sampled_from(_keys(node)))
        if not isinstance(node[key], (dict, list)):
            break
        node = node[key]
    odd = copy.deepcopy(draw(st.sampled_from(_ODD_VALUES)))
    add, remove = draw(st.booleans()), draw(st.booleans())
    if isinstance(node, list) and (add or not node):
        node.append(odd)
    elif isinstance(node, dict) and (add or not node):
        node["unknown"] = odd
    else:
        key = draw(st.sampled_from(_keys(node)))
        if remove:
            del node[key]
        else:
            node[key] = odd


def _keys(node: Json) -> list[Any]:
    return sorted(node) if isinstance(node, dict) else [*range(len(node))]
