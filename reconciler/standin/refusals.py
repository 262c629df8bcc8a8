"""What a server says when it refuses: status, `error` and `message`, for every trouble and age.

The texts of 2024 and 2025 are those that real servers were recorded to give; current ones are those of 2025 but for
the rows that say otherwise.
"""

import enum

import msgspec

from reconciler.standin.ages import Age


class Trouble(enum.Enum):
    """Why a request is refused."""

    TOKEN_MISSING = enum.auto()
    TOKEN_MALFORMED = enum.auto()
    TOKEN_EMPTY = enum.auto()
    TOKEN_UNREADABLE = enum.auto()
    TOKEN_FORGED = enum.auto()
    TOKEN_EXPIRED = enum.auto()
    TOKEN_LIFETIME_OVER = enum.auto()
    TOKEN_UNKNOWN = enum.auto()
    TOKEN_USED_UP = enum.auto()
    TOKEN_PAST_MAXIMUM = enum.auto()
    WRONG_CREDENTIALS = enum.auto()
    UNKNOWN_CLIENT = enum.auto()
    CLIENT_SECRET_EXPIRED = enum.auto()
    CLIENT_SECRET_USED_UP = enum.auto()
    LOCKED = enum.auto()
    UNKNOWN_ORGANIZATION = enum.auto()
    INVALID = enum.auto()
    BODY_NOT_JSON = enum.auto()
    BODY_EMPTY = enum.auto()
    BODY_TOO_BIG = enum.auto()
    MEDIA_TYPE = enum.auto()
    NOT_A_MEMBER = enum.auto()
    DENIED = enum.auto()
    VALUE_DENIED = enum.auto()
    VALUES_DENIED = enum.auto()
    REFERENCE_DENIED = enum.auto()
    REFERENCED_SECRET_ABSENT = enum.auto()
    REFERENCED_ENVIRONMENT_ABSENT = enum.auto()
    REFERENCED_FOLDER_ABSENT = enum.auto()
    USERS_ONLY = enum.auto()
    PROJECT_ABSENT = enum.auto()
    PROJECT_UNKNOWN_BY_ID = enum.auto()
    SLUG_ABSENT = enum.auto()
    SLUG_ABSENT_FOR_SECRET = enum.auto()
    SLUG_TAKEN = enum.auto()
    PROJECT_OR_ENVIRONMENT_MISSING = enum.auto()
    PROJECT_MISSING = enum.auto()
    BAD_PATH = enum.auto()
    ENVIRONMENT_ABSENT = enum.auto()
    FOLDER_ABSENT = enum.auto()
    FOLDER_TAKEN = enum.auto()
    SECRET_ABSENT = enum.auto()
    SECRET_ABSENT_TO_UPDATE = enum.auto()
    SECRET_ABSENT_TO_DELETE = enum.auto()
    SECRETS_ABSENT_TO_UPDATE = enum.auto()
    SECRETS_ABSENT_TO_DELETE = enum.auto()
    SECRET_TWICE = enum.auto()
    SECRET_EXISTS = enum.auto()
    SECRETS_EXIST = enum.auto()
    NOT_IN_CAPITALS = enum.auto()
    NO_BLIND_INDEX = enum.auto()
    TAG_ABSENT = enum.auto()
    PERSONAL_BY_MACHINE = enum.auto()
    IDENTITY_ABSENT = enum.auto()
    WEBHOOK_ABSENT = enum.auto()
    METHOD_ABSENT = enum.auto()
    IDENTITY_NOT_UUID = enum.auto()
    REVIEW_NAMESPACE = enum.auto()
    REVIEW_NAME = enum.auto()
    REVIEW_TOKEN = enum.auto()
    REVIEW_REFUSED = enum.auto()
    JWT_UNREADABLE = enum.auto()
    JWT_UNKNOWN_KEY = enum.auto()
    JWT_FORGED = enum.auto()
    JWT_EXPIRED = enum.auto()
    JWT_ISSUER = enum.auto()
    JWT_SUBJECT = enum.auto()
    JWT_AUDIENCE = enum.auto()
    JWT_CLAIM = enum.auto()
    OIDC_ISSUER = enum.auto()
    OIDC_SUBJECT = enum.auto()
    OIDC_AUDIENCE = enum.auto()
    OIDC_CLAIM = enum.auto()
    PROOF_UNREADABLE = enum.auto()
    AWS_REGION = enum.auto()
    AWS_REFUSED = enum.auto()
    AWS_ACCOUNT = enum.auto()
    AWS_PRINCIPAL = enum.auto()
    AZURE_KEY = enum.auto()
    AZURE_AUDIENCE = enum.auto()
    AZURE_ISSUER = enum.auto()
    AZURE_TENANT = enum.auto()
    AZURE_PRINCIPAL = enum.auto()
    GCP_REFUSED = enum.auto()
    GCP_AUDIENCE = enum.auto()
    GCP_ACCOUNT = enum.auto()
    GCP_PROJECT = enum.auto()
    GCP_ZONE = enum.auto()
    OCI_HOST = enum.auto()
    OCI_REFUSED = enum.auto()
    OCI_TENANCY = enum.auto()
    OCI_USERNAME = enum.auto()
    TOO_MANY_REQUESTS = enum.auto()
    NO_LICENCE = enum.auto()


class Wording(msgspec.Struct, frozen=True):
    """How a server says it. `error` and `message` are formatted with the refusal's details; `code` is sent if not empty."""

    status: int
    error: str
    message: str
    code: str = ""


_UNAUTHORIZED = "UnauthorizedError"
_DENIED_2024 = Wording(403, _UNAUTHORIZED, "You are not allowed to access this resource")
_MALFORMED = (
    "The provided access token is malformed. Please use a valid token or generate a new one and try again."
)
_BROKEN = "Something went wrong"
_INTERNAL = Wording(500, "InternalServerError", _BROKEN)
_NO_FOLDER = "Folder with path '{path}' in environment with slug '{environment}' not found"
_NO_FOLDER_2024 = Wording(
    400, "Create secret", "Folder not found for the given environment slug & secret path"
)
_NO_SECRET_2024 = Wording(400, "BadRequest", "Secret not found: blind index {name}")

_YEAR_2025 = {
    Trouble.TOKEN_MISSING: Wording(401, _UNAUTHORIZED, "Token missing"),
    Trouble.TOKEN_MALFORMED: Wording(403, "TokenError", _MALFORMED),
    Trouble.TOKEN_EMPTY: Wording(403, "TokenError", "jwt must be provided"),
    Trouble.TOKEN_UNREADABLE: Wording(403, "TokenError", "invalid token"),
    Trouble.TOKEN_FORGED: Wording(403, "TokenError", "invalid signature"),
    Trouble.TOKEN_EXPIRED: Wording(403, "TokenError", "Your token has expired. Please re-authenticate."),
    Trouble.TOKEN_LIFETIME_OVER: Wording(
        401, _UNAUTHORIZED, "Failed to renew MI access token due to TTL expiration"
    ),
    Trouble.TOKEN_UNKNOWN: Wording(401, _UNAUTHORIZED, "No identity access token found"),
    Trouble.TOKEN_USED_UP: Wording(
        401, _UNAUTHORIZED, "Unable to renew because access token number of uses limit reached"
    ),
    Trouble.TOKEN_PAST_MAXIMUM: Wording(
        401, _UNAUTHORIZED, "Failed to renew MI access token past its Max TTL expiration"
    ),
    Trouble.WRONG_CREDENTIALS: Wording(401, _UNAUTHORIZED, "Invalid credentials"),
    Trouble.UNKNOWN_CLIENT: Wording(404, "NotFound", "No identity with specified client ID was found"),
    Trouble.CLIENT_SECRET_EXPIRED: Wording(401, _UNAUTHORIZED, "Access denied due to expired client secret"),
    Trouble.CLIENT_SECRET_USED_UP: Wording(
        401, _UNAUTHORIZED, "Access denied due to client secret usage limit reached"
    ),
    Trouble.INVALID: Wording(422, "ValidationFailure", ""),
    Trouble.BODY_NOT_JSON: _INTERNAL,
    Trouble.BODY_EMPTY: _INTERNAL,
    Trouble.BODY_TOO_BIG: _INTERNAL,
    Trouble.MEDIA_TYPE: _INTERNAL,
    Trouble.NOT_A_MEMBER: Wording(
        403,
        "Identity is not a member of the specified project with ID '{project}'",
        "You are not allowed to access this resource",
    ),
    Trouble.DENIED: Wording(403, "PermissionDenied", "You are not allowed to {action} on secrets"),
    Trouble.VALUE_DENIED: Wording(
        403,
        "ForbiddenReadSecretError",
        "You do not have permission to view secret value on secret with name '{name}'",
    ),
    Trouble.VALUES_DENIED: Wording(403, "PermissionDenied", "You are not allowed to readValue on secrets"),
    Trouble.REFERENCE_DENIED: Wording(
        403,
        "ForbiddenError",
        "You are attempting to reference secret named {name} from environment {environment} in path {path}"
        " which you do not have access to read value on.",
    ),
    Trouble.REFERENCED_SECRET_ABSENT: Wording(400, "BadRequest", "Referenced secret(s) not found: {name}"),
    Trouble.REFERENCED_ENVIRONMENT_ABSENT: Wording(
        400, "BadRequest", "Referenced environment not found. Missing {environment}"
    ),
    Trouble.REFERENCED_FOLDER_ABSENT: _INTERNAL,
    Trouble.PROJECT_ABSENT: Wording(
        404,
        "NotFound",
        "Project with ID '{project}' not found during bot lookup. Are you sure you are using the correct project ID?",
    ),
    Trouble.PROJECT_UNKNOWN_BY_ID: Wording(404, "NotFound", "Project with ID '{project}' not found"),
    Trouble.SLUG_ABSENT: Wording(404, "NotFound", "Project with slug '{slug}' not found"),
    Trouble.SLUG_ABSENT_FOR_SECRET: Wording(404, "NotFound", "Project with slug '{slug}' not found"),
    Trouble.SLUG_TAKEN: Wording(400, "BadRequest", "Project with slug {slug} already exists"),
    Trouble.PROJECT_OR_ENVIRONMENT_MISSING: Wording(400, "BadRequest", "Missing workspace id or environment"),
    Trouble.PROJECT_MISSING: Wording(400, "BadRequest", "You must provide workspaceSlug or workspaceId"),
    Trouble.BAD_PATH: Wording(
        400,
        "BadRequest",
        "Invalid secret path. Only alphanumeric characters, dashes, and underscores are allowed.",
    ),
    Trouble.ENVIRONMENT_ABSENT: Wording(
        404, "NotFound", "Environment with slug '{environment}' in project with ID {project} not found"
    ),
    Trouble.FOLDER_ABSENT: Wording(404, "{doing}", _NO_FOLDER),
    Trouble.FOLDER_TAKEN: Wording(400, "BadRequest", "Folder with name {name} already exists"),
    Trouble.SECRET_ABSENT: Wording(404, "NotFound", "Secret with name '{name}' not found"),
    Trouble.SECRET_ABSENT_TO_UPDATE: Wording(404, "NotFound", "Secret with name {name} not found"),
    Trouble.SECRET_ABSENT_TO_DELETE: Wording(404, "NotFound", "Secret not found"),
    Trouble.SECRETS_ABSENT_TO_UPDATE: Wording(
        404, "NotFound", "Secret does not exist: {name} in path {path}"
    ),
    Trouble.SECRETS_ABSENT_TO_DELETE: Wording(404, "NotFound", "One or more secrets does not exist: {found}"),
    Trouble.SECRET_EXISTS: Wording(400, "BadRequest", "Secret already exist"),
    Trouble.SECRETS_EXIST: Wording(400, "BadRequest", "Secret already exist: {name}"),
    Trouble.NOT_IN_CAPITALS: Wording(
        400, "BadRequest", "Secret names must be in capital letters in this project"
    ),
    Trouble.NO_BLIND_INDEX: Wording(
        404, "DeleteSecret", "Blind index for project with ID '{project}' not found"
    ),
    Trouble.TAG_ABSENT: Wording(404, "NotFound", "Tag not found. Found "),
    Trouble.PERSONAL_BY_MACHINE: Wording(400, "BadRequest", "Must be user to create personal secret"),
    Trouble.IDENTITY_ABSENT: Wording(404, "NotFound", "Identity with ID {identity} not found"),
    Trouble.WEBHOOK_ABSENT: Wording(404, "NotFound", "Webhook with ID '{webhook}' not found"),
    Trouble.METHOD_ABSENT: Wording(
        404, "NotFound", "{method} auth method not found for identity, did you configure {configured}?"
    ),
    Trouble.IDENTITY_NOT_UUID: Wording(500, "Find one", _BROKEN),
    Trouble.REVIEW_NAMESPACE: Wording(401, _UNAUTHORIZED, "Access denied: K8s namespace not allowed."),
    Trouble.REVIEW_NAME: Wording(401, _UNAUTHORIZED, "Access denied: K8s name not allowed."),
    Trouble.REVIEW_TOKEN: Wording(401, "KubernetesTokenReviewError", "invalid bearer token"),
    Trouble.REVIEW_REFUSED: Wording(401, "KubernetesTokenReviewRequestError", "tokenreviews is forbidden"),
    Trouble.JWT_UNREADABLE: Wording(401, _UNAUTHORIZED, "Invalid JWT"),
    Trouble.JWT_UNKNOWN_KEY: _INTERNAL,
    Trouble.JWT_FORGED: Wording(401, _UNAUTHORIZED, "Access denied: invalid signature"),
    Trouble.JWT_EXPIRED: Wording(401, _UNAUTHORIZED, "Access denied: jwt expired"),
    Trouble.JWT_ISSUER: Wording(403, "ForbiddenError", "Access denied: issuer mismatch"),
    Trouble.JWT_SUBJECT: Wording(403, "ForbiddenError", "Access denied: subject not allowed"),
    Trouble.JWT_AUDIENCE: Wording(401, _UNAUTHORIZED, "Access denied: token audience not allowed"),
    Trouble.JWT_CLAIM: Wording(401, _UNAUTHORIZED, "Access denied: claim mismatch for field {claim}"),
    Trouble.OIDC_ISSUER: Wording(401, _UNAUTHORIZED, "Access denied: jwt issuer invalid. expected: {issuer}"),
    Trouble.OIDC_SUBJECT: Wording(403, "ForbiddenError", "Access denied: OIDC subject not allowed."),
    Trouble.OIDC_AUDIENCE: Wording(401, _UNAUTHORIZED, "Access denied: OIDC audience not allowed."),
    Trouble.OIDC_CLAIM: Wording(401, _UNAUTHORIZED, "Access denied: OIDC claim not allowed."),
    Trouble.PROOF_UNREADABLE: _INTERNAL,
    Trouble.AWS_REGION: Wording(400, "BadRequest", "Invalid AWS region"),
    Trouble.AWS_REFUSED: _INTERNAL,  # the server does not say that AWS refused
    Trouble.AWS_ACCOUNT: Wording(401, _UNAUTHORIZED, "Access denied: AWS account ID not allowed."),
    Trouble.AWS_PRINCIPAL: Wording(401, _UNAUTHORIZED, "Access denied: AWS principal ARN not allowed."),
    Trouble.AZURE_KEY: Wording(401, _UNAUTHORIZED, "Invalid signing key"),
    Trouble.AZURE_AUDIENCE: Wording(403, "TokenError", "jwt audience invalid. expected: {audience}"),
    Trouble.AZURE_ISSUER: Wording(403, "TokenError", "jwt issuer invalid. expected: {issuer}"),
    Trouble.AZURE_TENANT: Wording(401, _UNAUTHORIZED, "Tenant ID mismatch"),
    Trouble.AZURE_PRINCIPAL: Wording(401, _UNAUTHORIZED, "Service principal '{principal}' not allowed"),
    Trouble.GCP_REFUSED: _INTERNAL,  # the server does not say what was wrong with an identity token
    Trouble.GCP_AUDIENCE: Wording(401, _UNAUTHORIZED, "Access denied: GCP audience mismatch."),
    Trouble.GCP_ACCOUNT: Wording(401, _UNAUTHORIZED, "Access denied: GCP service account not allowed."),
    Trouble.GCP_PROJECT: Wording(401, _UNAUTHORIZED, "Access denied: GCP project not allowed."),
    Trouble.GCP_ZONE: Wording(401, _UNAUTHORIZED, "Access denied: GCP zone not allowed."),
    Trouble.OCI_HOST: Wording(
        400,
        "BadRequest",
        "Invalid OCI host format. Expected format: identity.<region>.oraclecloud.com",
    ),
    Trouble.OCI_REFUSED: _INTERNAL,  # the server does not say that OCI refused
    Trouble.OCI_TENANCY: Wording(401, _UNAUTHORIZED, "Access denied: OCI account isn't part of tenancy."),
    Trouble.OCI_USERNAME: Wording(401, _UNAUTHORIZED, "Access denied: OCI account username not allowed."),
    Trouble.TOO_MANY_REQUESTS: Wording(
        429, "RateLimitExceeded", "Rate limit exceeded. Please try again in {seconds} seconds"
    ),
}

_CURRENT = _YEAR_2025 | {
    Trouble.UNKNOWN_CLIENT: _YEAR_2025[Trouble.WRONG_CREDENTIALS],
    Trouble.LOCKED: Wording(
        401, _UNAUTHORIZED, "This identity auth method is temporarily locked, please try again later"
    ),
    Trouble.UNKNOWN_ORGANIZATION: Wording(404, "NotFound", "Organization with slug '{slug}' not found"),
    Trouble.SECRET_TWICE: Wording(400, "BadRequest", "Duplicate secrets in the request: {name}"),
    Trouble.NO_LICENCE: Wording(
        400,
        "BadRequest",
        "Failed to subscribe to events due to plan restriction. Upgrade plan to use this feature.",
    ),
}

_YEAR_2024 = _YEAR_2025 | {
    Trouble.TOKEN_MISSING: Wording(403, "Unauthorized access", "Token missing"),
    Trouble.TOKEN_MALFORMED: Wording(500, "Internal Server Error", "jwt malformed"),
    Trouble.TOKEN_EMPTY: Wording(500, "Internal Server Error", "jwt must be provided"),
    Trouble.TOKEN_UNREADABLE: Wording(500, "Internal Server Error", "invalid token"),
    Trouble.TOKEN_FORGED: Wording(500, "Internal Server Error", "invalid signature"),
    Trouble.TOKEN_EXPIRED: Wording(500, "Internal Server Error", "jwt expired"),
    Trouble.TOKEN_LIFETIME_OVER: Wording(
        403, _UNAUTHORIZED, "Failed to renew MI access token due to TTL expiration"
    ),
    Trouble.TOKEN_UNKNOWN: _DENIED_2024,
    Trouble.TOKEN_USED_UP: Wording(
        400, "BadRequest", "Unable to renew because access token number of uses limit reached"
    ),
    Trouble.TOKEN_PAST_MAXIMUM: Wording(
        403, _UNAUTHORIZED, "Failed to renew MI access token past its Max TTL expiration"
    ),
    Trouble.WRONG_CREDENTIALS: Wording(403, _UNAUTHORIZED, "Invalid credentials"),
    Trouble.UNKNOWN_CLIENT: Wording(403, _UNAUTHORIZED, "Invalid credentials"),
    Trouble.CLIENT_SECRET_EXPIRED: Wording(
        403, _UNAUTHORIZED, "Failed to authenticate identity credentials due to expired client secret"
    ),
    Trouble.CLIENT_SECRET_USED_UP: Wording(
        403,
        _UNAUTHORIZED,
        "Failed to authenticate identity credentials due to client secret number of uses limit reached",
    ),
    Trouble.INVALID: Wording(403, "ValidationFailure", ""),
    Trouble.BODY_NOT_JSON: Wording(
        400, "Bad Request", "Expected property name or '}}' in JSON at position 1"
    ),
    Trouble.BODY_EMPTY: Wording(
        400,
        "Bad Request",
        "Body cannot be empty when content-type is set to 'application/json'",
        "FST_ERR_CTP_EMPTY_JSON_BODY",
    ),
    Trouble.BODY_TOO_BIG: Wording(
        413, "Payload Too Large", "Request body is too large", "FST_ERR_CTP_BODY_TOO_LARGE"
    ),
    Trouble.MEDIA_TYPE: Wording(
        415,
        "Unsupported Media Type",
        "Unsupported Media Type: {media_type}",
        "FST_ERR_CTP_INVALID_MEDIA_TYPE",
    ),
    Trouble.NOT_A_MEMBER: Wording(
        403, "Identity not in project", "You are not allowed to access this resource"
    ),
    Trouble.DENIED: Wording(401, "PermissionDenied", "You are not allowed to {action} on secrets"),
    Trouble.USERS_ONLY: Wording(
        403, "{path} Unauthorized Access", "You are not allowed to access this resource"
    ),
    Trouble.PROJECT_ABSENT: Wording(400, "BadRequest", "Project not found during bot lookup."),
    Trouble.PROJECT_UNKNOWN_BY_ID: Wording(500, "Failed to find project by id", _BROKEN),
    Trouble.SLUG_ABSENT: Wording(500, "Failed to find project by slug", _BROKEN),
    Trouble.SLUG_ABSENT_FOR_SECRET: Wording(500, "Find project by slug", _BROKEN),
    Trouble.BAD_PATH: Wording(500, "Find by secret path", _BROKEN),
    Trouble.ENVIRONMENT_ABSENT: Wording(
        500, "Internal Server Error", "'{environment}' environment not found in project with ID {project}"
    ),
    Trouble.FOLDER_ABSENT: _NO_FOLDER_2024,
    Trouble.SECRET_ABSENT: Wording(400, "BadRequest", "Secret not found"),
    Trouble.SECRET_ABSENT_TO_UPDATE: _NO_SECRET_2024,
    Trouble.SECRET_ABSENT_TO_DELETE: _NO_SECRET_2024,
    Trouble.SECRETS_ABSENT_TO_UPDATE: _NO_SECRET_2024,
    Trouble.SECRETS_ABSENT_TO_DELETE: _NO_SECRET_2024,
    Trouble.SECRETS_EXIST: Wording(400, "BadRequest", "Secret already exist"),
    Trouble.NO_BLIND_INDEX: _NO_SECRET_2024,
    Trouble.TAG_ABSENT: Wording(400, "BadRequest", "Tag not found"),
    Trouble.METHOD_ABSENT: _DENIED_2024,
    Trouble.REVIEW_NAMESPACE: Wording(
        500, "Internal Server Error", "Access denied: K8s namespace not allowed."
    ),
    Trouble.REVIEW_NAME: Wording(500, "Internal Server Error", "Access denied: K8s name not allowed."),
    Trouble.REVIEW_TOKEN: Wording(403, _UNAUTHORIZED, "invalid bearer token"),
    Trouble.REVIEW_REFUSED: Wording(
        500, "Internal Server Error", "Request failed with status code 403", "ERR_BAD_REQUEST"
    ),
}

WORDINGS = {Age.CURRENT: _CURRENT, Age.YEAR_2025: _YEAR_2025, Age.YEAR_2024: _YEAR_2024}


class Issue(msgspec.Struct, frozen=True):
    """One complaint about a request's form; `path` leads to the field."""

    code: str
    path: tuple[str | int, ...]
    message: str


class Refused(Exception):
    """A request that the server does not carry out. `details` are the names that its wording mentions."""

    def __init__(self, trouble: Trouble, issues: tuple[Issue, ...] = (), **details: str | int) -> None:
        super().__init__(trouble.name)
        self.trouble = trouble
        self.issues = issues
        self.details = details
