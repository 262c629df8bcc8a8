"""OCI Auth: a request for one's own user record, signed by the API key of that user, that Infisical sends in our place.

The signature is made by OCI's own signer, which is imported when a store first logs in so. Nobody is asked.
"""

import asyncio
import email.utils
import re
from typing import Final

from adapters.auth.credentials import Credentials, fault
from adapters.auth.login import Login, LoginRequest
from adapters.infisical.secret_text import SecretText
from machines.outcomes import Fault

ROUTE: Final = "/v1/auth/oci-auth/login"
SIGNED: Final = ("x-date", "(request-target)", "host")
"""What is signed. Servers differ in whether they pass a `date` on, but all know `x-date`."""
_REGION: Final = re.compile(r"[a-z]+(-[a-z]+)+-[0-9]{1,2}")
_NAME: Final = re.compile(r"[!#-~]+")
"""What can stand in the header of a signature between quotes: visible ASCII."""


class OciAuth:
    """`AuthMethod` for the block `ociAuthCredentials`."""

    async def login(self, credentials: Credentials) -> Login:
        """The identity, the user, and the headers of the signed request."""
        names = {}
        for field in ("tenancyId", "userId", "fingerprint"):
            names[field] = credentials.stripped(field).reveal()
            if not _NAME.fullmatch(names[field]):
                return fault(Fault.NOT_TEXT, credentials.source(field))
        region = credentials.stripped("region").reveal()
        if not _REGION.fullmatch(region):
            return fault(Fault.BAD_REGION, credentials.source("region"))
        key, passphrase = credentials["privateKey"], credentials.get("privateKeyPassphrase")
        # Not in the threads for cloud SDKs, where it might have to wait for a cloud.
        headers = await asyncio.to_thread(_headers, names, region, key, passphrase)
        if headers is None:
            return fault(Fault.BAD_PRIVATE_KEY, credentials.source("privateKey"))
        fields = {name: credentials.stripped(name) for name in ("identityId", "userId")}
        return LoginRequest(
            ROUTE, {"identityId": fields["identityId"], "userOcid": fields["userId"]}, headers
        )


def _headers(
    names: dict[str, str], region: str, key: SecretText, passphrase: SecretText | None
) -> dict[str, SecretText] | None:
    """The headers of the request; None: the key cannot sign. Blocks."""
    from oci._vendor.requests import Request
    from oci.signer import Signer

    host = f"identity.{region}.oraclecloud.com"
    request = Request(
        "GET",
        f"https://{host}/20160918/users/{names['userId']}",
        headers={"host": host, "x-date": email.utils.formatdate(usegmt=True)},
    ).prepare()
    try:
        signer = Signer(
            names["tenancyId"],
            names["userId"],
            names["fingerprint"],
            None,
            pass_phrase=_without_line_end(passphrase.reveal()).encode() if passphrase else None,
            private_key_content=key.reveal().strip().encode(),
        )
        signer.create_signers(signer.api_key, signer.private_key, list(SIGNED), [])
        signed = signer(request).headers
    except Exception:  # noqa: BLE001 - whatever the signer does not like of a key
        return None
    return {name: SecretText(signed[name]) for name in ("authorization", "x-date", "host")}


def _without_line_end(passphrase: str) -> str:
    """A Secret that was made of a file has a line end there, and no passphrase has."""
    return passphrase.removesuffix("\r\n" if passphrase.endswith("\r\n") else "\n")
