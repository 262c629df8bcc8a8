"""Why a cloud SDK could not talk to its service: their exceptions are wrapped in one another, the cause is within."""

import ssl
from collections.abc import Iterator

from machines.outcomes import Trouble


def causes(failure: BaseException) -> Iterator[BaseException]:
    """An exception and what led to it, outermost first."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [failure]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        # Where urllib3, requests and azure-core keep what they wrap:
        kept = (getattr(one, "reason", None), getattr(one, "inner_exception", None), *one.args)
        waiting += [each for each in kept if isinstance(each, BaseException)]


def connection_trouble(failure: BaseException) -> Trouble | None:
    """What was wrong with the connection; None where it was not the connection. For SDKs on urllib3 and requests."""
    from urllib3 import exceptions

    signs: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Trouble], ...] = (
        (ssl.SSLCertVerificationError, Trouble.UNTRUSTED),
        (exceptions.NameResolutionError, Trouble.UNRESOLVED),
        # Before the timeouts: for urllib3, a connection that was refused is one of them.
        ((ConnectionRefusedError, exceptions.NewConnectionError, exceptions.ProxyError), Trouble.REFUSED),
        ((TimeoutError, exceptions.TimeoutError), Trouble.TIMED_OUT),
        ((ConnectionError, exceptions.ProtocolError, exceptions.SSLError, ssl.SSLError), Trouble.BROKEN),
    )
    chain = tuple(causes(failure))
    return next((trouble for kind, trouble in signs if any(isinstance(one, kind) for one in chain)), None)
