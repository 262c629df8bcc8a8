"""Random objects of our kinds, made from their schemas: some right, some wrong in a few places.

`well_formed(kind)` is as its schema wants it, and may break rules. `objects(kind)` has up to three things changed in
it: another type, a null, a text of the wrong form, an unknown field, a missing one.
"""

import copy
from typing import Any

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
            shortest = schema.get("minItems", 0)
            return st.lists(_values(schema["items"], name), min_size=shortest, max_size=shortest + 2)
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
    return st.sampled_from(_NAMES if "pattern" in schema else _PLAIN)


def _objects(schema: Schema, name: str) -> SearchStrategy[Json]:
    if "additionalProperties" in schema:
        keys = st.sampled_from(_TEXTS.get(name, _PLAIN))
        return st.dictionaries(keys, _values(schema["additionalProperties"], "value"), max_size=2)
    required = set(schema.get("required", []))
    fields = {each: st.deferred(_later(inner, each)) for each, inner in schema.get("properties", {}).items()}
    if schema.get("maxProperties") == 1:
        others = (
            [st.just({"vault": {"server": "https://vault", "nested": [{}]}})] if name == "provider" else []
        )
        return st.one_of([st.fixed_dictionaries({each: value}) for each, value in fields.items()] + others)
    return st.fixed_dictionaries(
        {each: value for each, value in fields.items() if each in required},
        optional={each: value for each, value in fields.items() if each not in required},
    )


def _later(schema: Schema, name: str) -> Any:
    return lambda: _values(schema, name)


def _change(draw: st.DrawFn, object: Object) -> None:
    """Change, remove or add one field somewhere below `spec`."""
    node: Any = object["spec"]
    while isinstance(node, (dict, list)) and node and draw(st.integers(0, 3)):
        keys = sorted(node) if isinstance(node, dict) else range(len(node))
        inner = node[draw(st.sampled_from(keys))]
        if not isinstance(inner, (dict, list)):
            break
        node = inner
    odd = draw(st.sampled_from(_ODD_VALUES))
    if isinstance(node, list):
        if node and draw(st.booleans()):
            node[draw(st.integers(0, len(node) - 1))] = odd
        else:
            node.append(odd)
        return
    keys = [*sorted(node), "unknown"]
    key = draw(st.sampled_from(keys))
    if key in node and draw(st.booleans()):
        del node[key]
    else:
        node[key] = copy.deepcopy(odd)
