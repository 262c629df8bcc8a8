"""What a client decides by, of an answer: all that counts where a recording is not the project's own.

The project's own recording is compared word for word; texts of others may differ in what nobody decides by.
"""

import re
from typing import Any

_ERRORS = {
    r"TokenError": "token",
    r"PermissionDenied|Forbidden\w*": "denied",
    r"ValidationFailure": "form",
    r"Identity (is not a member|not in project)": "no member",
    r"Not Found": "no route",
}
_MESSAGES = {
    r"Route \w+:.* not found": "no route",
    r"Project (with (ID|slug) '.*' )?not found": "no project",
    r"(Environment with slug .*|'.*' environment) not found": "no environment",
    r"Folder (with path .*|not found)": "no folder",
    r"(One or more secrets|Secret) (does|do) not exist|Secret (with name .* )?not found": "no secret",
    r"Secret already exist": "taken",
    r"Referenced (secret|environment)": "no target of a reference",
    r".*temporarily locked": "locked",
    r"Rate limit exceeded": "too many",
    r"jwt expired|Your token has expired": "expired",
    r"jwt|invalid (token|signature)|The provided access token": "bad token",
}
_PROJECT = ("id", "slug", "name")
_COMPARED = frozenset(
    {"secret", "secrets", "imports", "approval", "accessToken", "expiresIn", "accessTokenMaxTTL"}
)


def _kind(kinds: dict[str, str], text: str) -> str:
    return next((kind for pattern, kind in kinds.items() if re.match(pattern, text, re.DOTALL)), "other")


def decisive(body: Any) -> Any:
    """The part of an answer by which a client decides."""
    if not isinstance(body, dict):
        return body
    if "error" in body:
        message = body.get("message")
        said = _kind(_MESSAGES, message) if isinstance(message, str) else "issues"
        return {"error": _kind(_ERRORS, str(body["error"])), "message": said}
    if "slug" in body and "environments" in body:
        return {name: body[name] for name in _PROJECT}
    return {name: value for name, value in body.items() if name in _COMPARED}
