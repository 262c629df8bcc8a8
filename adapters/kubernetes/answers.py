"""What an API server's answer means: its status code and `Status` object, as one of the closed results.

A server's text is read here to classify an answer and goes no further, because it may quote a value.
"""

import enum
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.cluster import Absent, Conflict, Denied, Expired, Refused, Unavailable

Failure = Conflict | Absent | Refused | Denied | Expired | Unavailable

# The authorizer's answer; an admission plugin answers 403 too, in other words.
_NOT_AUTHORIZED = re.compile(r'(?:is forbidden: |^)User ".*" cannot (?P<verb>[a-z]+) (?:resource|path) "')
# Admission plugin OwnerReferencesPermissionEnforcement (OpenShift enables it): RBAC again, on the owner.
_OWNER_NOT_AUTHORIZED = re.compile(r"cannot set blockOwnerDeletion|cannot set an ownerRef on a resource")
# What is answered with code 500, and will be again: an apply that has a field which the schema of a custom resource does
# not know, or a value that cannot be decoded, and a version that is given to what is to be made.
_HOPELESS = re.compile(
    r"failed to create typed patch object|field not declared in schema|failed to convert new object"
    r"|resourceVersion should not be set"
)
_NO_FIELDS = ("", "patch")  # `patch`: the object that a JSON patch would give cannot be decoded
_POLICY = re.compile(r"(ValidatingAdmissionPolicy|admission webhook) ")


class Purpose(enum.Enum):
    """Why the question was asked: some answers mean different things to different questions."""

    READ = "read"
    WRITE = "write"
    JSON_PATCH = "json patch"


class _Status(msgspec.Struct, frozen=True):
    """The parts of a `Status` object that classify it."""

    code: int
    reason: str
    message: str
    kind: str
    causes: list[tuple[str, str]]  # (reason, field)


def classify(
    code: int, body: bytes, headers: Mapping[str, str], purpose: Purpose, verb: str, resource: str
) -> Failure:
    """The result for an answer whose `code` is not 2xx. `verb` and `resource` are what RBAC calls them."""
    status = _read(code, body)
    if status.code == 403:
        return Denied(verb, resource) if purpose is Purpose.READ else _forbidden(status, verb, resource)
    if status.code == 404:
        return Absent()
    if status.code == 409:
        return Conflict()
    if status.code == 410:
        return Expired()
    if status.code == 500 and _HOPELESS.search(status.message):
        return Refused()
    if status.code in (401, 408, 425, 429) or not 400 <= status.code <= 499:
        return Unavailable(status.code, _retry_after(headers))
    if purpose is Purpose.JSON_PATCH and status.code == 422 and not status.kind and not status.causes:
        return Conflict()  # no object was looked at: a `test` failed, or a path is not there
    if status.code == 422 and _field(status) == "metadata.uid":
        return Conflict()  # a uid was our precondition, and this is another object, or there is none
    return _refused(status)


def classify_event(status: Mapping[str, Any], verb: str, resource: str) -> Failure:
    """The result for the `Status` object in an ERROR event of a watch."""
    code = status.get("code")
    return classify(
        code if isinstance(code, int) else 500, msgspec.json.encode(status), {}, Purpose.READ, verb, resource
    )


def _forbidden(status: _Status, verb: str, resource: str) -> Failure:
    if any(reason == "NamespaceTerminating" for reason, _ in status.causes):
        return Absent()
    if (missing := _NOT_AUTHORIZED.search(status.message)) is not None:
        return Denied(
            missing["verb"], resource
        )  # an apply that makes an object needs the right to create, too
    if _OWNER_NOT_AUTHORIZED.search(status.message):
        return Denied("update", "finalizers of the owner")
    if not status.message:  # a proxy in between, or a server that explains nothing
        return Denied(verb, resource)
    return Refused(field=_field(status), rule=True)


def _refused(status: _Status) -> Failure:
    return Refused(field=_field(status), rule=bool(_POLICY.search(status.message)))


def _field(status: _Status) -> str:
    return next((field for _, field in status.causes if field not in _NO_FIELDS), "")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("Retry-After", "")
    return float(text) if re.fullmatch(r"[0-9]{1,6}", text) else None


def _read(code: int, body: bytes) -> _Status:
    """The `Status` in a body; only the code where there is none (a proxy's page, a broken answer)."""
    try:
        status = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        status = None
    if not isinstance(status, dict) or status.get("kind") != "Status":
        return _Status(code, "", "", "", [])
    details = status.get("details")
    details = details if isinstance(details, dict) else {}
    causes = [
        (str(cause.get("reason") or ""), str(cause.get("field") or ""))
        for cause in details.get("causes") or []
        if isinstance(cause, dict)
    ]
    return _Status(
        code=code,
        reason=str(status.get("reason") or ""),
        message=str(status.get("message") or ""),
        kind=str(details.get("kind") or ""),
        causes=causes,
    )
