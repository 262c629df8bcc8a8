"""What an auth method gives for its credentials: a login to send, or a token that is there already."""

from collections.abc import Mapping

import msgspec

from adapters.infisical.secret_text import SecretText


class LoginRequest(msgspec.Struct, frozen=True):
    """A login to send: the route below `/api`, and the fields of its JSON body."""

    route: str
    fields: Mapping[str, SecretText]

    def __repr__(self) -> str:
        return f"<LoginRequest {self.route}>"


class GivenToken(msgspec.Struct, frozen=True):
    """A token that the user made: used as it is, never renewed, never revoked."""

    token: SecretText
