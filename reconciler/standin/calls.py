"""A request as the handlers see it: taken apart, its form checked as the server checks it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from reconciler.standin.accounts import Identity, Token
from reconciler.standin.refusals import Issue, Refused, Trouble


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request that met a route. `body` is the decoded JSON, a string for other media types, None without a body."""

    method: str
    path: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    body: object = None
    token: Token | None = None

    @property
    def session(self) -> Token:
        """The token that was shown. Raises Refused where there is none."""
        if self.token is None:
            raise Refused(Trouble.TOKEN_MISSING)
        return self.token

    @property
    def actor(self) -> Identity:
        """Who asks. Raises Refused where no token was shown."""
        return self.session.identity

    def __repr__(self) -> str:
        return f"<Call {self.method} {self.path}>"


def _kind(value: object) -> str:
    for python, name in (
        (bool, "boolean"),
        (str, "string"),
        (int, "number"),
        (float, "number"),
        (list, "array"),
    ):
        if isinstance(value, python):
            return name
    return "null" if value is None else "object"


def _mismatch(path: tuple[str | int, ...], expected: str, received: str) -> Issue:
    missing = received == "undefined"
    return Issue("invalid_type", path, "Required" if missing else f"Expected {expected}, received {received}")


class Form:
    """Checks an object field by field and collects all complaints before it refuses."""

    def __init__(self, body: object, path: tuple[str | int, ...] = ()) -> None:
        if not isinstance(body, dict):
            raise Refused(Trouble.INVALID, (_mismatch(path, "object", _kind(body)),))
        self._fields: dict[str, Any] = body
        self._path = path
        self.issues: list[Issue] = []

    @property
    def everything(self) -> Mapping[str, Any]:
        """All fields, unchecked."""
        return self._fields

    def _value(self, name: str, expected: str, required: bool) -> Any:
        if name not in self._fields:
            if required:
                self.issues.append(_mismatch((*self._path, name), expected, "undefined"))
            return None
        value = self._fields[name]
        if _kind(value) != expected:
            self.issues.append(_mismatch((*self._path, name), expected, _kind(value)))
            return None
        return value

    def text(self, name: str) -> str:
        """A string that has to be there."""
        return self._value(name, "string", required=True) or ""

    def optional_text(self, name: str) -> str | None:
        """A string that may be left out."""
        value: str | None = self._value(name, "string", required=False)
        return value

    def number(self, name: str, default: int) -> int:
        """A number that may be left out."""
        value: int | None = self._value(name, "number", required=False)
        return default if value is None else value

    def flag(self, name: str) -> bool | None:
        """True or false, or left out."""
        value: bool | None = self._value(name, "boolean", required=False)
        return value

    def items(self, name: str, minimum: int = 0) -> Sequence[object]:
        """A list; with `minimum` it has to be there."""
        value = self._value(name, "array", required=minimum > 0)
        if value is not None and len(value) < minimum:
            message = f"Array must contain at least {minimum} element(s)"
            self.issues.append(Issue("too_small", (*self._path, name), message))
        return value or ()

    def complain(self, name: str, message: str) -> None:
        """Add a complaint about a field's content."""
        self.issues.append(Issue("custom", (*self._path, name), message))

    def check(self) -> None:
        """Raises Refused if there was any complaint."""
        if self.issues:
            raise Refused(Trouble.INVALID, tuple(self.issues))


def query_flag(query: Mapping[str, str], name: str, default: bool = False) -> bool:
    """A query parameter that is one of the words true and false. Raises Refused for other spellings."""
    word = query.get(name)
    if word is None:
        return default
    if word not in ("true", "false"):
        message = "Invalid enum value. Expected 'true' | 'false'"
        raise Refused(Trouble.INVALID, (Issue("invalid_enum_value", (name,), message),))
    return word == "true"
