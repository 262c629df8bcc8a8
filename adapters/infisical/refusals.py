"""What a server means when it says no: a table from status, `error` and `message` to one meaning.

The rows cover the servers of 2024 and 2025, which were recorded, and the current ones. The first row that fits is
taken. `error` is read before the status, because statuses changed between the ages. Texts are only compared, never
kept: they may repeat what was sent.
"""

import email.utils
import enum
import re
from collections.abc import Container
from typing import Final

import msgspec

from adapters.infisical.transport import Answer


class Asked(enum.Flag):
    """What was asked, where the same words mean different things."""

    LOGIN = enum.auto()
    REVOCATION = enum.auto()
    PROJECT = enum.auto()
    SECRETS = enum.auto()
    WRITES = enum.auto()  # creation, update and deletion of secrets
    FOLDERS = enum.auto()  # creation of a folder
    IN_PROJECT = SECRETS | WRITES | FOLDERS
    ANYTHING = LOGIN | REVOCATION | PROJECT | IN_PROJECT


class Meaning(enum.Enum):
    """What a refusal means."""

    NO_ROUTE = "no-route"
    LIMITED = "limited"
    FAULT = "fault"
    STRANGE = "strange"  # no Infisical server says that
    TOKEN = "token"  # the token is expired, revoked, used up, malformed or unknown
    CREDENTIALS = "credentials"
    IDENTITY = "identity"
    LOCKED = "locked"
    MEMBERSHIP = "membership"
    PERMISSION = "permission"
    VALUE = "value"
    REFERENCE = "reference"
    PROJECT_GONE = "project-gone"
    NO_PROJECT = "no-project"
    NO_ENVIRONMENT = "no-environment"
    NO_FOLDER = "no-folder"
    NO_SECRET = "no-secret"
    EXISTS = "exists"  # what was to be created
    DANGLING = "dangling"  # the value refers to what is not there
    OVERSIZE = "oversize"  # the request's body
    MALFORMED = "malformed"  # the form of a name, a slug or a path


class ErrorBody(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a refusal. `message` is a text or a list of issues."""

    error: str | None = None
    message: object = None
    req_id: str | None = None
    status_code: int | None = None

    def __repr__(self) -> str:
        return "<ErrorBody>"

    @property
    def text(self) -> str:
        """The message where it is a text."""
        return self.message if isinstance(self.message, str) else ""


class Row(msgspec.Struct, frozen=True):
    """A row of the table: all that is given must fit. `error` and `message` are anchored at their start."""

    meaning: Meaning
    asked: Asked = Asked.ANYTHING
    status: Container[int] | None = None
    error: re.Pattern[str] | None = None
    message: re.Pattern[str] | None = None


def _row(
    meaning: Meaning,
    status: int | Container[int] | None = None,
    error: str | None = None,
    message: str | None = None,
    asked: Asked = Asked.ANYTHING,
) -> Row:
    return Row(
        meaning,
        asked,
        (status,) if isinstance(status, int) else status,
        re.compile(error) if error is not None else None,
        re.compile(message, re.IGNORECASE) if message is not None else None,
    )


_USED_UP = "Unable to renew because access token number of uses"
_FAULTS: Final = range(500, 600)
_WRITING: Final = Asked.WRITES | Asked.FOLDERS
_TAKEN: Final = "Secret already exist|(Secret|Folder) (with name .*)?already exists?"

ROWS: Final[tuple[Row, ...]] = (
    _row(Meaning.LIMITED, 429),
    # Logging in: whatever is wrong with token, key or rights there is a matter of the credentials.
    _row(Meaning.LOCKED, (401, 403, 423), message=".*temporarily locked", asked=Asked.LOGIN),
    _row(Meaning.IDENTITY, 404, asked=Asked.LOGIN),
    _row(Meaning.IDENTITY, (401, 403), message="No identity with specified client ID", asked=Asked.LOGIN),
    _row(Meaning.CREDENTIALS, (400, 401, 403, 422), asked=Asked.LOGIN),
    _row(Meaning.CREDENTIALS, 500, message="Access denied|jwt |invalid (token|signature)", asked=Asked.LOGIN),
    # The token is no good (any more).
    _row(Meaning.TOKEN, error="TokenError$"),
    _row(Meaning.TOKEN, 500, message="jwt (expired|malformed|must be provided)$|invalid (signature|token)$"),
    _row(Meaning.TOKEN, (400, 401), message=_USED_UP),
    _row(Meaning.TOKEN, (401, 403), error="UnauthorizedError$|Unauthorized access$"),
    # Not permitted.
    _row(Meaning.MEMBERSHIP, (401, 403), error="Identity not in project|Identity is not a member"),
    _row(Meaning.MEMBERSHIP, (401, 403), message="Identity is not a member|Identity not in project"),
    _row(Meaning.VALUE, 403, error="ForbiddenReadSecret"),
    _row(Meaning.VALUE, 403, message="You do not have permission to view secret value"),
    _row(Meaning.VALUE, (401, 403), error="PermissionDenied$", message=".*readValue"),
    _row(Meaning.REFERENCE, (401, 403), message=".*attempting to reference secret"),
    _row(Meaning.PERMISSION, (401, 403), error="PermissionDenied$"),
    _row(Meaning.MALFORMED, (400, 401, 403, 422), error="ValidationFailure$"),
    # What only writes are told.
    _row(Meaning.OVERSIZE, 413),
    _row(Meaning.EXISTS, (400, 409), message=_TAKEN, asked=_WRITING),
    _row(Meaning.DANGLING, (400, 404), message="Referenced (secret|environment|folder)", asked=Asked.WRITES),
    # What is missing.
    _row(Meaning.PROJECT_GONE, 404, message="Project with ID .*not found", asked=Asked.IN_PROJECT),
    _row(Meaning.PROJECT_GONE, 400, message="Project not found", asked=Asked.IN_PROJECT),
    _row(Meaning.NO_PROJECT, 404, message="Project with slug .*not found"),
    _row(Meaning.NO_PROJECT, 500, error="(Failed to )?[Ff]ind project by slug"),
    _row(Meaning.NO_PROJECT, 404, asked=Asked.PROJECT),
    _row(Meaning.NO_FOLDER, 404, message="Folder with path"),
    _row(Meaning.NO_FOLDER, 400, message="Folder not found"),
    _row(Meaning.NO_ENVIRONMENT, 404, message="Environment with slug .*not found"),
    _row(Meaning.NO_ENVIRONMENT, 500, message="'.*' environment not found"),
    _row(Meaning.NO_SECRET, 404, message="Secret with name .*not found"),
    _row(Meaning.NO_SECRET, 400, message="Secret not found"),
    _row(Meaning.NO_SECRET, 404, message="Secret not found", asked=Asked.WRITES),
    _row(Meaning.NO_SECRET, 404, message="Secret does not exist", asked=Asked.WRITES),
    _row(Meaning.NO_SECRET, 404, message="One or more secrets does not exist", asked=Asked.WRITES),
    _row(Meaning.NO_FOLDER, 400, message="Invalid secret path"),  # such a path cannot exist
    # The rest, by status.
    _row(Meaning.TOKEN, 401),
    _row(Meaning.PERMISSION, 403),
    _row(Meaning.MALFORMED, (400, 422)),
    _row(Meaning.FAULT, _FAULTS),
)


class Refusal(msgspec.Struct, frozen=True):
    """A refusal, understood. `after`: the seconds that the server asked to wait, where it said."""

    meaning: Meaning
    status: int
    after: float | None = None


_MISSING_ROUTE = re.compile(r"Route .* not found$", re.DOTALL)
_SECONDS = re.compile(r"(\d{1,6}) ?(?:s|sec|seconds?)\b")


def understood(answer: Answer, asked: Asked) -> Refusal:
    """What an answer that is no success means."""
    body = _body(answer)
    meaning = _meaning(answer.status, body, asked)
    return Refusal(meaning, answer.status, _seconds_to_wait(answer, body, meaning))


def _body(answer: Answer) -> ErrorBody | None:
    try:
        return msgspec.json.decode(answer.body, type=ErrorBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _meaning(status: int, body: ErrorBody | None, asked: Asked) -> Meaning:
    if body is None or (body.error is None and body.message is None):
        # A server that serves its web pages too answers an unknown path with one of these; a proxy in between
        # has its own pages for a server that is down.
        by_status = {404: Meaning.NO_ROUTE, 413: Meaning.OVERSIZE, 429: Meaning.LIMITED}
        return by_status.get(status, Meaning.FAULT if status in _FAULTS else Meaning.STRANGE)
    if (
        status == 404
        and body.req_id is None
        and body.error == "Not Found"
        and _MISSING_ROUTE.match(body.text)
    ):
        return Meaning.NO_ROUTE
    for row in ROWS:
        if asked in row.asked and _fits(row, status, body):
            return row.meaning
    return Meaning.STRANGE


def _fits(row: Row, status: int, body: ErrorBody) -> bool:
    return (
        (row.status is None or status in row.status)
        and (row.error is None or row.error.match(body.error or "") is not None)
        and (row.message is None or row.message.match(body.text) is not None)
    )


def _seconds_to_wait(answer: Answer, body: ErrorBody | None, meaning: Meaning) -> float | None:
    header = answer.headers.get("retry-after", "").strip()
    if header.isascii() and header.isdigit():
        return float(header[:6])
    until, now = _time_of(header), _time_of(answer.headers.get("date", ""))
    if until is not None and now is not None:  # by the server's own clock
        return max(0.0, until - now)
    if meaning is Meaning.LIMITED and body is not None and (found := _SECONDS.search(body.text)):
        return float(found[1])
    return None


def _time_of(header: str) -> float | None:
    """A date as HTTP headers have it, in seconds since 1970."""
    try:
        return email.utils.parsedate_to_datetime(header).timestamp()
    except (ValueError, OverflowError):
        return None
