"""From what a refusal means to the outcome that a machine is told."""

from typing import Final

from adapters.infisical.places import Place
from adapters.infisical.refusals import Meaning, Refusal
from machines.names import RemoteName
from machines.outcomes import (
    Denial,
    Denied,
    Fault,
    Invalid,
    LeaseRefused,
    Missing,
    ProjectGone,
    Service,
    Thing,
    Trouble,
    Unavailable,
)

LoginFailure = Unavailable | Denied | Missing
ProjectFailure = LeaseRefused | Unavailable | Denied | Missing | Invalid
SecretsFailure = LeaseRefused | ProjectGone | Unavailable | Denied | Missing | Invalid

_DENIALS: Final = {
    Meaning.CREDENTIALS: Denial.CREDENTIALS,
    Meaning.IDENTITY: Denial.IDENTITY,
    Meaning.MEMBERSHIP: Denial.MEMBERSHIP,
    Meaning.PERMISSION: Denial.READ,
    Meaning.VALUE: Denial.VALUE,
    Meaning.REFERENCE: Denial.REFERENCE,
}
_THINGS: Final = {
    Meaning.NO_ROUTE: Thing.ROUTE,
    Meaning.NO_PROJECT: Thing.PROJECT,
    Meaning.NO_ENVIRONMENT: Thing.ENVIRONMENT,
    Meaning.NO_FOLDER: Thing.FOLDER,
}


def not_infisical(status: int) -> Unavailable:
    """An answer that no Infisical server gives."""
    return Unavailable(service=Service.INFISICAL, why=Trouble.NOT_INFISICAL, status=status)


def login_failure(reply: Refusal | Unavailable) -> LoginFailure:
    """Why there is no token, or why it was not revoked."""
    if isinstance(reply, Unavailable):
        return reply
    if reply.meaning is Meaning.LOCKED:
        return Unavailable(
            service=Service.INFISICAL, why=Trouble.LOCKED, status=reply.status, after=reply.after
        )
    if reply.meaning is Meaning.NO_ROUTE:
        return Missing(what=Thing.ROUTE)
    return Denied(what=_DENIALS.get(reply.meaning, Denial.CREDENTIALS))


def project_failure(reply: Refusal | Unavailable) -> ProjectFailure:
    """Why a slug did not lead to a project."""
    if isinstance(reply, Unavailable):
        return reply
    match reply.meaning:
        case Meaning.TOKEN:
            return LeaseRefused()
        case Meaning.MEMBERSHIP | Meaning.PERMISSION:
            return Denied(what=Denial.MEMBERSHIP)
        case Meaning.MALFORMED:
            return Invalid(what=Fault.BAD_SLUG)
        case Meaning.NO_ROUTE | Meaning.NO_PROJECT:
            return Missing(what=_THINGS[reply.meaning])
        case _:
            return not_infisical(reply.status)


def write_failure(reply: Refusal | Unavailable, place: Place, name: str | None = None) -> SecretsFailure:
    """Why secrets of a folder could not be written, or (with `name`) this one."""
    if isinstance(reply, Unavailable):
        return reply
    key = RemoteName(name) if name is not None else None
    match reply.meaning:
        case Meaning.PERMISSION | Meaning.VALUE:
            return Denied(what=Denial.WRITE, folder=place.folder, key=key)
        case Meaning.DANGLING:
            return Invalid(what=Fault.DANGLING_REFERENCE, folder=place.folder, key=key)
        case Meaning.OVERSIZE:
            return Invalid(what=Fault.VALUE_TOO_LARGE, folder=place.folder, key=key)
        case Meaning.MALFORMED:
            return Invalid(what=Fault.BAD_KEY, folder=place.folder, key=key)
        case Meaning.NO_PROJECT:  # servers of 2024 find the project of a batch by its slug
            return ProjectGone()
        case Meaning.EXISTS | Meaning.NO_SECRET:  # and so again, when asked the other way round
            return Unavailable(service=Service.INFISICAL, why=Trouble.FAULT, status=reply.status)
        case _:
            return secrets_failure(reply, place, name)


def secrets_failure(reply: Refusal | Unavailable, place: Place, name: str | None = None) -> SecretsFailure:
    """Why a folder could not be listed, or (with `name`) a secret not be read."""
    if isinstance(reply, Unavailable):
        return reply
    meaning = reply.meaning
    key = RemoteName(name) if name is not None else None
    if meaning is Meaning.TOKEN:
        return LeaseRefused()
    if meaning is Meaning.PROJECT_GONE:
        return ProjectGone()
    if meaning is Meaning.MALFORMED:
        return Invalid(what=Fault.BAD_SLUG) if key is None else Invalid(what=Fault.BAD_KEY, key=key)
    if meaning is Meaning.MEMBERSHIP:
        return Denied(what=Denial.MEMBERSHIP)
    if meaning in _DENIALS:
        return Denied(what=_DENIALS[meaning], folder=place.folder, key=key)
    if meaning is Meaning.NO_FOLDER:
        return Missing(what=Thing.FOLDER, folder=place.folder)
    return Missing(what=_THINGS[meaning]) if meaning in _THINGS else not_infisical(reply.status)
