"""Where an Infisical server is: `hostAPI` as users write it, brought to one form."""

import urllib.parse

import msgspec

from machines.names import Host
from machines.outcomes import Fault, Invalid

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Address(msgspec.Struct, frozen=True):
    """A server: its host, and the path below which its API hangs ("" or "/infisical"), without `/api`."""

    host: Host
    prefix: str = ""

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end: what tells two servers apart."""
        return f"{self.host}{self.prefix}"


def parsed(host_api: str) -> Address | Invalid:
    """The address that a `hostAPI` means: with or without `/api`, with any number of slashes at its end."""
    bad = Invalid(what=Fault.BAD_HOST)
    try:
        parts = urllib.parse.urlsplit(host_api.strip())
        port = parts.port
        name = (parts.hostname or "").encode("idna").decode().rstrip(".")
    except ValueError:  # UnicodeError included
        return bad
    if parts.scheme not in _DEFAULT_PORTS or not name or parts.query or parts.fragment or "@" in parts.netloc:
        return bad
    segments = [segment for segment in parts.path.split("/") if segment]
    if segments and segments[-1] == "api":
        segments.pop()
    if any(segment in (".", "..") or "\\" in segment for segment in segments):
        return bad
    if ":" in name:
        name = f"[{name}]"
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        name = f"{name}:{port}"
    try:
        host = Host(f"{parts.scheme}://{name}")
    except ValueError:
        return bad
    quoted = "".join(f"/{urllib.parse.quote(segment, safe='%~!$&()*+,;=:@-._')}" for segment in segments)
    return Address(host, quoted)
