"""YAML as Kubernetes reads it, with the line of every field.

As there: times are texts, keys are texts, and a key given twice is a mistake. What a message says never contains
anything from the file, because that may be a secret.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is ten times as fast
_MAX_NODES = 1_000_000  # more only come from aliases that repeat aliases
_TEXT_TAG = "tag:yaml.org,2002:str"
_PLAIN_TAGS = {_TEXT_TAG, *(f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null"))}


class _Loader(_BASE):  # type: ignore[misc]  # its base is chosen at run time
    """The safe loader without times, and without numbers to the base of 60, as Go's library has none."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if not tag.endswith((":timestamp", ":int"))]
    for first, resolvers in _BASE.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$"),
    list("-+0123456789"),
)


class YamlMistake(Exception):
    """Not YAML, or not as Kubernetes takes it, from this line on."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class YamlDocument(msgspec.Struct, frozen=True):
    """One document of a file, and where its parts are."""

    value: Any
    node: Any

    def __repr__(self) -> str:  # it may be a Secret
        return f"<YamlDocument at line {self.line_of('')}>"

    def line_of(self, path: str) -> int:
        """The line of a field such as `spec.data[0].key` or `data[a.b]`, or of what holds it where it is missing."""
        node, line = self.node, self.node.start_mark.line + 1
        for name, bracketed in re.findall(r"([^.\[\]]+)|\[([^\]]*)\]", path):
            found = _child(node, name or bracketed)
            if found is None:
                break
            node, line = found
        return int(line)


def read_documents(text: str) -> Iterator[YamlDocument]:
    """All documents of a text, empty ones left out. Raises YamlMistake, after those that could be read."""
    try:
        loader = _Loader(text)
        while loader.check_node():
            node = loader.get_node()
            value = _Reading(loader).value(node)
            if value is not None:
                yield YamlDocument(value, node)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 1
        raise YamlMistake(line, "a character that is not allowed in YAML") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlMistake(mark.line + 1 if mark else 1, _without_quotations(error.problem)) from error


class _Reading:
    """Makes JSON values of one document's nodes."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._count = 0
        self._open: set[int] = set()

    def value(self, node: Any) -> Any:
        self._count += 1
        if id(node) in self._open or self._count > _MAX_NODES:
            raise _mistake(node, "aliases that contain themselves, or repeat too much")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item) for item in node.value]
            return self._mapping(node)
        finally:
            self._open.remove(id(node))

    def _mapping(self, node: Any) -> dict[str, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _mistake(key, "a key must be a text")
            if key.value in lines:
                raise _mistake(key, f"a key that is already given in line {lines[key.value]}")
            lines[key.value] = key.start_mark.line + 1
        self._loader.flatten_mapping(node)  # merge keys (<<)
        return {key.value: self.value(value) for key, value in node.value}

    def _scalar(self, node: Any) -> Any:
        if node.tag not in _PLAIN_TAGS:
            raise _mistake(node, "a tag that is not allowed here")
        try:
            value = node.value if node.tag == _TEXT_TAG else self._loader.construct_object(node)
        except ValueError as error:
            raise _mistake(node, "not a value of the type that its tag says") from error
        if isinstance(value, float) and not math.isfinite(value):
            raise _mistake(node, "a number that JSON cannot express")
        return value


def _child(node: Any, name: str) -> tuple[Any, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == name:
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and name.isdecimal() and int(name) < len(node.value):
        item = node.value[int(name)]
        return item, item.start_mark.line + 1
    return None


def _mistake(node: Any, message: str) -> YamlMistake:
    return YamlMistake(node.start_mark.line + 1, message)


def _without_quotations(problem: str | None) -> str:
    return re.sub(r"'[^']{3,}'|\"[^\"]{3,}\"", "...", problem or "not YAML")
