"""The signed tokens that the stand-in gives out, and how it judges those that come back.

Told apart in the order in which real servers do: none at all, not three parts, unreadable, forged, expired.
"""

import binascii
import secrets
from base64 import urlsafe_b64decode

import jwt
import msgspec

from reconciler.standin.refusals import Refused, Trouble


class Claims(msgspec.Struct, frozen=True):
    """What a token says of itself: its id, and when it ends (epoch seconds; None: never)."""

    token: str
    ends: float | None = None


class Signer:
    """Signs and reads tokens with a key of its own."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def sign(self, token: str, ends: float | None) -> str:
        """A signed token that names `token`."""
        claims: dict[str, str | int] = {
            "authTokenType": "identityAccessToken",
            "identityAccessTokenId": token,
        }
        if ends is not None:
            claims["exp"] = int(ends)
        return jwt.encode(claims, self._key, algorithm="HS256")

    def read(self, text: str, now: float) -> Claims:
        """What the token says, if this signer signed it and it has not ended. Raises Refused."""
        if not text:
            raise Refused(Trouble.TOKEN_EMPTY)
        parts = text.split(".")
        if len(parts) != 3:
            raise Refused(Trouble.TOKEN_MALFORMED)
        if not all(_is_json(part) for part in parts[:2]):
            raise Refused(Trouble.TOKEN_UNREADABLE)
        try:
            claims = jwt.decode(text, self._key, algorithms=["HS256"], options={"verify_exp": False})
        except jwt.PyJWTError:
            raise Refused(Trouble.TOKEN_FORGED) from None
        ends = claims.get("exp")
        if ends is not None and ends <= now:
            raise Refused(Trouble.TOKEN_EXPIRED)
        return Claims(token=claims["identityAccessTokenId"], ends=ends)


def _is_json(part: str) -> bool:
    try:
        msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, binascii.Error):
        return False
    return True
