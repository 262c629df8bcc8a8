"""Proxies that the environment names: HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in capitals or not, as other programs read them.

Nothing else is taken from there for requests: no credentials from a netrc file, ever.
"""

import urllib.request
from urllib.parse import urlsplit


def proxy_of_environment(url: str) -> str | None:
    """The proxy to a server; None: it is reached directly. With its user and password, if the environment gives them."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    return urllib.request.getproxies().get(parts.scheme)
